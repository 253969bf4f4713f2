"""The server on its address: sockets, connections with an end to their patience, and uvicorn's loop."""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from burnish.errors import InputError
from burnish.serve.refusals import Refused

GOODBYE = 10  # seconds that files at work have to be finished in when the server is stopped
BACKLOG = 1024


def listening(host: str, port: int) -> socket.socket:
    """A socket on that address; port 0 chooses one. Raises InputError where that cannot be."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family, kind, number)
    except OSError as error:
        raise InputError(f"{host}: is no address of this machine ({error.strerror}); give one with --host, such as 127.0.0.1") from error
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # POSIX, where it lets a server start anew at once; elsewhere it would let two share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise InputError(f"{host} port {port}: cannot be listened on ({error.strerror}); choose another with --port or --host") from error
    return made


def is_loopback(listener: socket.socket) -> bool:
    """Whether only programs of this machine can reach it."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def server(app: Callable[..., Any], patience: float) -> uvicorn.Server:
    """What runs the application on sockets; Ctrl-C ends that, and comes out as KeyboardInterrupt."""
    config = uvicorn.Config(
        app,
        http=type("Connection", (Connection,), {"patience": patience}),
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(max(1, patience)),
        timeout_graceful_shutdown=GOODBYE,
    )
    return uvicorn.Server(config)


class Connection(H11Protocol):
    """uvicorn's connection, closed when its client keeps it waiting: for a request's head, or by taking nothing of an answer.

    Two more things differ. What is no HTTP is answered in the shape of all refusals. And a client that ends its side before a body is whole
    is told so, where uvicorn would say nothing.
    """

    patience = 30.0  # seconds

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._head: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Something has come."""
        super().data_received(data)
        if not self._between_requests():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """An answer has been sent: what comes now is another request, or the rest of a body that nobody reads."""
        super().on_response_complete()
        if self._between_requests():
            self._await_head()

    def eof_received(self) -> None:
        """The client sends no more: a body that is not whole now never will be."""
        if self.cycle and not self._between_requests() and self.cycle.more_body and not self.cycle.response_started:
            self.conn.receive_data(b"")
            self.handle_events()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes less than is sent."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes more."""
        if self._stuck:
            self._stuck.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Say that what came is no HTTP, unless an answer has begun already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            told = "what came is no HTTP, or ended before the length that was said; send it whole"
            body = json.dumps(Refused("broken-request", told).to_json()).encode()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
            for event in (h11.Response(status_code=400, headers=headers, reason=b"Bad Request"), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._stop_waiting()
        self._head = self.loop.call_later(self.patience, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head:
            self._head.cancel()
            self._head = None
