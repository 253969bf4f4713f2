"""A server on a thread of the test's own process, clients that behave or do not, and a model that works when it is told to."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import burnish
from burnish.image.model import Model
from burnish.serve import listen
from burnish.serve.app import application
from burnish.serve.page import Asset
from burnish.serve.settings import Access, Limits

QUICK = "tiny-deblur"


@dataclass(frozen=True)
class Answer:
    """What came back; headers by their names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal says; fails for an answer of another shape."""
        assert self.headers["content-type"] == "application/json"
        told = json.loads(self.body)
        assert list(told) == ["error"]
        assert set(told["error"]) == {"status", "code", "message"}
        assert told["error"]["status"] == self.status
        assert "\n" not in told["error"]["message"]
        assert "burnish-serve-" not in told["error"]["message"], "where files lie on the server is nobody's business"
        inner: dict[str, Any] = told["error"]
        return inner


@dataclass(frozen=True)
class Server:
    """One that runs."""

    port: int

    def ask(self, path: str, body: Any = None, headers: dict[str, str] | None = None, method: str | None = None) -> Answer:
        """The answer to a request, POST where there is a body."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
            return read(connection.getresponse())

    def raw(self) -> socket.socket:
        """A connection for what http.client would not send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def metric(self, line: str) -> float | None:
        """A value of /metrics, by its name and labels; None where there is none yet."""
        told = self.ask("/metrics").body.decode("utf-8").splitlines()
        return next((float(each.rpartition(" ")[2]) for each in told if each.rpartition(" ")[0] == line), None)

    def until(self, line: str, value: float) -> None:
        """Wait until /metrics says so."""
        wait(lambda: self.metric(line) == value)


def read(response: http.client.HTTPResponse) -> Answer:
    """The answer."""
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def answered(connection: socket.socket) -> Answer:
    """The answer on a connection of one's own."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return read(response)


def wait(done: Callable[[], bool]) -> None:
    """Until that is so; a minute is no measure of anything but that it never will be."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def serving(
    models: dict[str, Any] | None = None, limits: Limits | None = None, access: Access | None = None, files: list[Asset] | None = None
) -> Iterator[Server]:
    """A server, on a thread."""
    limits = limits or Limits()
    app = application(models or {QUICK: burnish.load(QUICK, 1)}, limits, access or Access(), files or [])
    listener = listen.listening("127.0.0.1", 0)
    server = listen.server(app, limits.patience)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        yield Server(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


class Slow(Model):
    """A model that begins when it is asked and goes on when it is let; `began` counts its beginnings."""

    def __init__(self) -> None:
        super().__init__(burnish.load(QUICK, 1).file)
        self.go = threading.Event()
        self.began = 0

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the model gives, in its time."""
        self.began += 1
        assert self.go.wait(60)
        return super().run(batch)


@dataclass
class Asked:
    """A request on its way, in a thread of its own."""

    server: Server
    path: str
    body: bytes
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=lambda: self.answers.append(self.server.ask(self.path, self.body)))
        self._thread.start()

    def answer(self) -> Answer:
        """What came of it."""
        self._thread.join()
        return self.answers[0]
