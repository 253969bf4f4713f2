"""What surrounds every answer: who may ask, the headers that keep a browser safe, and refusals and faults in one shape."""

import contextlib
import hmac
import ipaddress
import json
import re
import sys
import traceback
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from burnish.errors import one_line
from burnish.serve.refusals import Refused
from burnish.serve.safety import Safety
from burnish.serve.settings import Access
from burnish.serve.transfer import Left

TOKEN_NEEDED = ("/restore", "/metrics")  # the page and the models are the same that any server of files may have
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d+)?")

Count = Callable[[str, int], None]  # is told an address and the status of the answer, 0 where there was none


class Shell:
    """The application around the routes; `count` is told of every answer."""

    def __init__(self, routes: ASGIApp, access: Access, safety: Safety, count: Count) -> None:
        self._routes, self._access, self._safety, self._count = routes, access, safety, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's start and end."""
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *self._safety.headers(scope["path"])]}
            await send(message)

        try:
            self._check(scope)
            await self._routes({**scope, "app": self}, receive, sending)
        except Left:
            pass
        except Exception as error:
            refusal = _refusal(error)
            if refusal.code == "fault":
                _report(error)
            if status:  # the answer has begun: it can only be broken off
                raise ConnectionAbortedError from error
            await answer(refusal)(scope, receive, sending)
        finally:
            self._count(scope["path"], status)

    def _check(self, scope: Scope) -> None:
        """Raises Refused for a request from somebody who may not ask."""
        headers, access = Headers(scope=scope), self._access
        host = headers.get("host", "")
        if not is_ours(host, access.hosts):
            told = f"the name {host[:100]!r} is not one of this server; use its address in numbers, or start it with --allow-host NAME"
            raise Refused("other-host", told)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower() and origin not in access.origins:
            told = f"a page of {origin[:100]!r} may not ask this server; start it with --allow-origin ORIGIN if it should"
            raise Refused("other-origin", told)
        if access.token is not None and scope["path"] in TOKEN_NEEDED:
            kind, _, given = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), access.token.encode()):
                told = "a token is needed; send the header 'Authorization: Bearer TOKEN' with that which the server printed at its start"
                raise Refused("no-token", told, {"WWW-Authenticate": "Bearer"})


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header is an address in numbers, localhost, or one of the names.

    A page whose own name is made to lead here (DNS rebinding) still sends that name, and never a number.
    """
    match = HOST.fullmatch(host.lower())
    if not match:
        return False
    name = match[1].strip("[]").removesuffix(".")
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return name == "localhost" or name in names


def answer(refusal: Refused) -> Response:
    """A refusal as an answer."""
    body = json.dumps(refusal.to_json())
    return Response(body, refusal.status, {"Cache-Control": "no-store", **refusal.headers}, "application/json")


def _refusal(error: Exception) -> Refused:
    """What an exception is answered with."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException) and error.status_code == 404:
        return Refused("not-found", "there is nothing under this address; /openapi.json tells what there is")
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = dict(error.headers or {})
        return Refused("wrong-method", f"this address takes {allowed.get('Allow', 'other methods')} only", allowed)
    if isinstance(error, OSError):
        return Refused("no-room", f"the server could not do this ({error.strerror or error}); try again later", {"Retry-After": "30"})
    return Refused("fault", f"this should not have happened, please report it: {type(error).__name__}: {error}")


def _report(error: Exception) -> None:
    """A fault on stderr, with where in the code it is: whoever runs a server reads its log."""
    print(one_line(f"burnish: a fault, please report it: {type(error).__name__}: {error}"), file=sys.stderr, flush=True)
    traceback.print_exception(error)
