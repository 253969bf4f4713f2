"""The application: what stands under which address."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from burnish import __version__
from burnish.errors import InputError, one_line
from burnish.image import libvips
from burnish.image.restore import Stopped
from burnish.serve import openapi, page, results, transfer
from burnish.serve.house import House
from burnish.serve.job import Asked, Job
from burnish.serve.metrics import TYPE, Metrics
from burnish.serve.page import Asset
from burnish.serve.refusals import Refused
from burnish.serve.safety import safety
from burnish.serve.scratch import Scratch
from burnish.serve.settings import Access, Limits
from burnish.serve.shell import Shell

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
BOOLEANS = {"true": True, "false": False}
NAME = 150  # letters of a file's name
KINDS = ("image", "audio")  # of models that restore

Endpoint = Callable[[Request], Awaitable[Response]]


def application(models: dict[str, Any], limits: Limits, access: Access, files: list[Asset]) -> ASGIApp:
    """The ASGI application that restores with these models, by their names, and shows a page of these files (none: the API alone).

    It makes a folder for temporary files and threads when it is made, and gives both up in its lifespan's end. Raises InputError where no
    model restores anything.
    """
    restoring = {name: model for name, model in models.items() if model.card.kind in KINDS}
    if not restoring:
        raise InputError("none of these models restores images or sound; name one that does with -m, such as photo or speech")
    libvips.load()
    import pyvips

    pyvips.cache_set_max(0)  # what libvips remembers of a file would keep it open, and its place on the disk taken, after it is deleted
    house, scratch, metrics = House(limits), Scratch(), Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            house.close()
            scratch.close()

    routes = [
        Route("/restore", Restore(restoring, limits, house, scratch, metrics), methods=["POST"]),
        Route("/health", _health(house)),
        Route("/metrics", _measured(house, metrics)),
        *(Route(path, Static(asset), methods=["GET"]) for path, asset in _static(models, list(restoring), limits, access, files)),
    ]
    known = {route.path for route in routes}

    def count(path: str, status: int) -> None:
        metrics.answers[path if path in known else "other", status] += 1

    app: ASGIApp = Shell(Router(routes, redirect_slashes=False, lifespan=lifespan), access, safety(files), count)
    return _shared(app, access) if access.origins else app


def _static(models: dict[str, Any], restoring: list[str], limits: Limits, access: Access, files: list[Asset]) -> list[tuple[str, Asset]]:
    """What does not change while the server runs, by its address: the models, the descriptions and the page."""
    closed = access.token is not None
    server = {
        "restore": "restore",
        "token": closed,
        "max_bytes": limits.max_bytes,
        "max_pixels": limits.max_pixels,
        "max_frames": limits.max_frames,
        "max_duration": limits.max_duration,
    }
    assets = page.model_assets(models, server)
    described = json.dumps(openapi.description(restoring, limits, token=closed)).encode()
    api = [("/models", Asset("models.json", assets[0].body)), ("/openapi.json", Asset("openapi.json", described))]
    index = [("/", asset) for asset in files if asset.name == page.INDEX]
    return [*api, *((f"/{asset.name}", asset) for asset in [*files, *assets]), *index]


def _health(house: House) -> Endpoint:
    async def health(_request: Request) -> Response:
        told = {"status": "ok", "version": __version__, "working": house.working, "waiting": house.waiting}
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    return health


def _measured(house: House, metrics: Metrics) -> Endpoint:
    async def measured(_request: Request) -> Response:
        return Response(metrics.text(house), headers={"Content-Type": TYPE, "Cache-Control": "no-store"})

    return measured


def _shared(app: ASGIApp, access: Access) -> ASGIApp:
    """The application, which pages of the other sites that were named may ask too (CORS)."""
    return CORSMiddleware(
        app,
        allow_origins=sorted(access.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=results.EXPOSED,
    )


class Static:
    """The endpoint of a file that does not change while the server runs."""

    def __init__(self, asset: Asset) -> None:
        self._asset = asset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The file, or that the client has it already."""
        tag = await asyncio.to_thread(lambda: self._asset.tag)
        headers = {"Content-Type": self._asset.type, "ETag": tag, "Cache-Control": "no-cache"}
        if tag in Headers(scope=scope).get("if-none-match", ""):
            await Response(status_code=304, headers=headers)(scope, receive, send)
        else:
            await transfer.sent(send, self._asset.body, headers)


class Restore:
    """The endpoint that restores: the file streams to the disk, waits for its turn, is worked on, and the result streams back."""

    def __init__(self, models: dict[str, Any], limits: Limits, house: House, scratch: Scratch, metrics: Metrics) -> None:
        self._models, self._limits, self._house, self._scratch, self._metrics = models, limits, house, scratch, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One file. Raises Refused for what is answered otherwise, transfer.Left when the client has gone."""
        request = Request(scope, receive)
        asked = self._asked(request)
        transfer.check_head(request.headers, self._limits)
        with self._house.admitted(), self._scratch.folder() as folder:
            job = Job(folder, asked, self._models, self._limits)
            await transfer.received(receive, job.source, self._limits)
            gone = asyncio.ensure_future(transfer.left(receive))
            try:
                outcome = await self._house.restored(job, gone)
                self._metrics.add(outcome.result)
                await transfer.sent(send, job.target, results.headers(job, outcome))
            except Stopped:
                raise transfer.Left from None
            finally:
                gone.cancel()

    def _asked(self, request: Request) -> Asked:
        """What the address asks for. Raises Refused for what it cannot."""
        given: dict[str, str] = {}
        for key, value in request.query_params.multi_items():
            if key not in openapi.PARAMETERS or key in given:
                known = ", ".join(openapi.PARAMETERS)
                raise Refused("wrong-parameter", f"the parameter {key[:60]!r} is not known, or given twice; there are {known}")
            given[key] = value
        name = given.get("model")
        if name is not None and name not in self._models:
            raise Refused("wrong-parameter", f"there is no model {name[:60]!r}; there are {', '.join(self._models)}")
        strength = given.get("strength", "1")
        if not NUMBER.fullmatch(strength) or not 0 <= float(strength) <= 1:
            raise Refused("wrong-parameter", f"strength = {strength[:60]!r} must be a number from 0 (as it was) to 1 (as restored)")
        force = given.get("force", "false")
        if force not in BOOLEANS:
            raise Refused("wrong-parameter", f"force = {force[:60]!r} must be true or false")
        return Asked(name, float(strength), BOOLEANS[force], plain_name(given.get("name", "")))


def plain_name(name: str) -> str:
    """A file's name as its sender gave it, without folders and line breaks and not too long; "file" where nothing is left."""
    last = one_line(name).replace("\\", "/").rpartition("/")[2].strip(" .")
    return last[-NAME:] or "file"
