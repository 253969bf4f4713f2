"""The application: what stands under which address."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pyvips
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from burnish import __version__
from burnish.errors import InputError, one_line
from burnish.image.files import FORMATS
from burnish.image.restore import Settings, Stopped
from burnish.serve import openapi, page, transfer
from burnish.serve.house import House
from burnish.serve.job import ENDINGS, Job, Outcome
from burnish.serve.metrics import TYPE, Metrics
from burnish.serve.page import Asset
from burnish.serve.refusals import Refused
from burnish.serve.safety import safety
from burnish.serve.scratch import Scratch
from burnish.serve.settings import Access, Limits
from burnish.serve.shell import Shell

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
BOOLEANS = {"true": True, "false": False}
NOTES = 4000  # letters of notes in a header, which clients limit
NAME = 150  # letters of a file's name


def application(models: dict[str, Any], limits: Limits, access: Access, files: list[Asset]) -> ASGIApp:
    """The ASGI application that restores with these models, by their names, and shows a page of these files (none: the API alone).

    It makes a folder for temporary files and threads when it is made, and gives both up in its lifespan's end. Raises InputError where no
    model restores images.
    """
    restoring = {name: model for name, model in models.items() if model.card.kind == "image"}  # the API takes no sound yet
    if not restoring:
        raise InputError("none of these models restores images, which the API does; name one that does with -m, such as photo")
    pyvips.cache_set_max(0)  # what libvips remembers of a file would keep it open, and its place on the disk taken, after it is deleted
    house, scratch, metrics = House(limits), Scratch(), Metrics()
    server = {
        "restore": "restore",
        "token": access.token is not None,
        "max_bytes": limits.max_bytes,
        "max_pixels": limits.max_pixels,
        "max_frames": limits.max_frames,
    }
    assets = page.model_assets(models, server)
    described = json.dumps(openapi.description(list(restoring), limits, token=access.token is not None)).encode()
    api: list[tuple[str, Asset]] = [
        ("/models", Asset("models.json", assets[0].body)),
        ("/openapi.json", Asset("openapi.json", described)),
    ]
    static = [(f"/{asset.name}", asset) for asset in [*files, *assets]]
    static += [("/", asset) for asset in files if asset.name == page.INDEX]

    async def health(_request: Request) -> Response:
        told = {"status": "ok", "version": __version__, "working": house.working, "waiting": house.waiting}
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def measured(_request: Request) -> Response:
        return Response(metrics.text(house), headers={"Content-Type": TYPE, "Cache-Control": "no-store"})

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            house.close()
            scratch.close()

    routes = [
        Route("/restore", Restore(restoring, limits, house, scratch, metrics), methods=["POST"]),
        Route("/health", health),
        Route("/metrics", measured),
        *(Route(address, Static(asset), methods=["GET"]) for address, asset in [*api, *static]),
    ]
    known = {route.path for route in routes}

    def count(path: str, status: int) -> None:
        metrics.answers[path if path in known else "other", status] += 1

    app: ASGIApp = Shell(Router(routes, redirect_slashes=False, lifespan=lifespan), access, safety(files), count)
    if access.origins:
        exposed = ["Burnish-Status", "Burnish-Model", "Burnish-Seconds", "Burnish-Megapixels", "Burnish-Notes", "Retry-After"]
        app = CORSMiddleware(
            app,
            allow_origins=sorted(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=exposed,
        )
    return app


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
        model, settings, name = self._asked(request)
        transfer.check_head(request.headers, self._limits)
        with self._house.admitted(), self._scratch.folder() as folder:
            job = Job(folder, name, model, settings, self._limits)
            await transfer.received(receive, job.source, self._limits)
            gone = asyncio.ensure_future(transfer.left(receive))
            try:
                outcome = await self._house.restored(job, gone)
                self._metrics.add(outcome.result)
                await transfer.sent(send, job.target, _headers(job, outcome, model.card.name))
            except Stopped:
                raise transfer.Left from None
            finally:
                gone.cancel()

    def _asked(self, request: Request) -> tuple[Any, Settings, str]:
        """The model, the settings and the file's name that the address asks for. Raises Refused for what it cannot."""
        given: dict[str, str] = {}
        for key, value in request.query_params.multi_items():
            if key not in openapi.PARAMETERS or key in given:
                known = ", ".join(openapi.PARAMETERS)
                raise Refused("wrong-parameter", f"the parameter {key[:60]!r} is not known, or given twice; there are {known}")
            given[key] = value
        name = given.get("model", page.default(self._models) or "")
        if name not in self._models:
            raise Refused("wrong-parameter", f"there is no model {name[:60]!r} for images; there are {', '.join(self._models)}")
        strength = given.get("strength", "1")
        if not NUMBER.fullmatch(strength) or not 0 <= float(strength) <= 1:
            raise Refused("wrong-parameter", f"strength = {strength[:60]!r} must be a number from 0 (as it was) to 1 (as restored)")
        force = given.get("force", "false")
        if force not in BOOLEANS:
            raise Refused("wrong-parameter", f"force = {force[:60]!r} must be true or false")
        return self._models[name], Settings(float(strength), gate=not BOOLEANS[force]), plain_name(given.get("name", ""))


def plain_name(name: str) -> str:
    """A file's name as its sender gave it, without folders and line breaks and not too long; "image" where nothing is left."""
    last = one_line(name).replace("\\", "/").rpartition("/")[2].strip(" .")
    return last[-NAME:] or "image"


def _headers(job: Job, outcome: Outcome, model: str) -> dict[str, str]:
    """What an answer says of a result, in ASCII letters alone, so that nothing in a name or note can end a header."""
    result = outcome.result
    notes = [job.told(note) for note in result.notes]
    while len(told := json.dumps(notes)) > NOTES:
        notes = [*notes[: len(notes) // 2], "and more"] if len(notes) > 2 else [notes[0][: NOTES // 8]]
    return {
        "Content-Type": f"image/{outcome.format}",
        "Content-Disposition": _disposition(job.name, outcome.format),
        "Cache-Control": "no-store",
        "Burnish-Status": result.status,
        "Burnish-Model": model,
        "Burnish-Seconds": f"{result.seconds:.3f}",
        "Burnish-Megapixels": f"{result.megapixels:.6f}",
        "Burnish-Notes": told,
    }


def _disposition(name: str, kind: str) -> str:
    """The name to save a result under, as RFC 6266 has it: a plain one, and the whole one percent-encoded."""
    path = PurePosixPath(name)
    ending = path.suffix if FORMATS.get(path.suffix.lower()) == kind else ENDINGS[kind]
    stem = path.stem if path.suffix.lower() in FORMATS else name
    full = f"{stem}-restored{ending}"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", full)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"
