"""A file on its way: from a request's body to the disk, and from the disk into an answer, a part at a time."""

import asyncio
import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from burnish.serve.refusals import Refused
from burnish.serve.settings import Limits

PART = 1 << 18  # bytes that are handed to a thread, which writes or reads them
SLOWEST = 10_000  # bytes a second on the long run


class Left(Exception):  # noqa: N818 - no error
    """The client has gone."""


def check_head(headers: Headers, limits: Limits) -> None:
    """Raises Refused for a body that will not do, by what is said of it before it comes."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/") or kind == "application/json":
        raise Refused(
            "wrong-type", f"a body of the type {kind} holds no plain file; send the file's bytes alone (curl --data-binary @photo.jpg)"
        )
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise Refused("wrong-type", f"the body is packed as {coding}; send the file as it is", {"Accept-Encoding": "identity"})
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.max_bytes:
        raise _too_many(limits)


def _too_many(limits: Limits) -> Refused:
    return Refused("too-many-bytes", f"the file has more than the {limits.max_bytes:,} bytes that this server takes")


async def received(receive: Receive, path: Path, limits: Limits) -> None:
    """The body of a request, written to `path`.

    Raises Refused for one that is empty, has too many bytes or comes too slowly, Left when the client goes before its end, and OSError
    where it cannot be written.
    """
    with path.open("xb", buffering=0) as file:
        try:
            async with asyncio.timeout(limits.patience) as patience:
                length = await _written(receive, file, limits, patience)
        except TimeoutError:
            raise Refused("too-slow", "the file did not come in time; send it over a faster line", {"Connection": "close"}) from None
    if length == 0:
        raise Refused("no-body", "nothing was sent; send the bytes of an image or a recording as the body of the request")


async def _written(receive: Receive, file: BinaryIO, limits: Limits, patience: asyncio.Timeout) -> int:
    """Write what comes; returns how many bytes did."""
    pending, length, more = bytearray(), 0, True
    end = patience.when() or 0.0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        pending += message.get("body", b"")
        more = message.get("more_body", False)
        if length + len(pending) > limits.max_bytes:
            raise _too_many(limits)
        if len(pending) >= PART or not more:
            await asyncio.to_thread(_write, file, bytes(pending))
            length += len(pending)
            pending.clear()
        patience.reschedule(end + (length + len(pending)) / SLOWEST)
    return length


def _write(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


async def left(receive: Receive) -> None:
    """Ends when the client of a request whose body has come whole has gone, or the answer has been sent."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def sent(send: Send, body: Path | bytes, headers: Mapping[str, str], status: int = 200) -> None:
    """A file, or bytes that are held anyway, as an answer. Raises OSError for a file that cannot be read."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(body.open("rb", buffering=0) if isinstance(body, Path) else io.BytesIO(body))
        length = body.stat().st_size if isinstance(body, Path) else len(body)
        head = {**headers, "Content-Length": str(length)}
        raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in head.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        while length > 0 and (data := await asyncio.to_thread(file.read, min(PART, length))):
            length -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
