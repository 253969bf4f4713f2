"""Clients that are slow, leave, say one thing and send another, or are too many; and work that takes too long."""

import http.client
import socket
import time
from collections.abc import Iterator

import gallery
import pytest
from serving import Asked, Slow, answered, serving

from burnish.serve.page import Asset
from burnish.serve.settings import Limits

HEAD = b"POST /restore?force=true HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
ASK = "/restore?force=true"
WORKING, WAITING, INSIDE = "burnish_files_working", "burnish_files_waiting", "burnish_files_inside"


@pytest.fixture(scope="module")
def picture() -> bytes:
    made: bytes = gallery.image(gallery.spoilt()).pngsave_buffer()
    return made


@pytest.fixture
def slow() -> Iterator[Slow]:
    model = Slow()
    yield model
    model.go.set()


def test_a_client_that_leaves_stops_its_work(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}, Limits(at_once=1)) as server:
        with server.raw() as client:
            client.sendall(HEAD % len(picture) + picture)
            server.until(WORKING, 1)
        slow.go.set()
        server.until(INSIDE, 0)
        assert server.metric('burnish_files_total{outcome="restored"}') is None, "it was not finished for nobody"
        assert server.metric('burnish_answers_total{path="/restore",status="0"}') == 1
        assert server.ask(ASK, picture).status == 200


def test_a_client_that_leaves_before_its_turn_costs_nothing(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}, Limits(at_once=1)) as server:
        first = Asked(server, ASK, picture)
        server.until(WORKING, 1)
        with server.raw() as client:
            client.sendall(HEAD % len(picture) + picture)
            server.until(WAITING, 1)
        server.until(WAITING, 0)
        began = slow.began
        slow.go.set()
        assert first.answer().status == 200
        server.until(INSIDE, 0)
        assert slow.began == began


def test_a_client_that_leaves_while_it_sends_leaves_nothing(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}) as server:
        with server.raw() as client:
            client.sendall(HEAD % len(picture) + picture[:1000])
            server.until(INSIDE, 1)
        server.until(INSIDE, 0)
        assert slow.began == 0


def test_too_many_are_told_when_to_come_again(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}, Limits(at_once=1, queue=1)) as server:
        asked = [Asked(server, ASK, picture)]
        server.until(WORKING, 1)
        asked.append(Asked(server, ASK, picture))
        server.until(WAITING, 1)
        refusal = server.ask(ASK, picture)
        assert (refusal.status, refusal.error["code"]) == (429, "queue-full")
        assert 1 <= int(refusal.headers["retry-after"]) <= 600
        slow.go.set()
        assert [each.answer().status for each in asked] == [200, 200]
        assert server.ask(ASK, picture).status == 200


def test_no_more_are_let_in_than_there_is_room_for(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}, Limits(clients=2)) as server, server.raw() as one, server.raw() as two:
        for client in (one, two):
            client.sendall(HEAD % len(picture) + picture[:1000])
        server.until(INSIDE, 2)
        assert server.ask(ASK, picture).status == 429
        assert server.ask("/health").status == 200
        slow.go.set()
        for client in (one, two):
            client.sendall(picture[1000:])
            assert answered(client).status == 200


def test_work_that_takes_too_long_ends_and_is_503(picture: bytes) -> None:
    with serving(limits=Limits(max_seconds=1e-9)) as server:
        answer = server.ask(f"{ASK}&name=a.png", picture)
        assert (answer.status, answer.error["code"]) == (503, "too-long")
        assert "a.png: took longer" in answer.error["message"]
        assert int(answer.headers["retry-after"]) > 0
        server.until(INSIDE, 0)


def test_a_file_that_comes_too_slowly_is_408(picture: bytes) -> None:
    with serving(limits=Limits(patience=0.5)) as server, server.raw() as client:
        client.sendall(HEAD % len(picture) + picture[:1000])
        answer = answered(client)
        assert (answer.status, answer.error["code"]) == (408, "too-slow")
        server.until(INSIDE, 0)


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: local"])
def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    with serving(limits=Limits(patience=0.5)) as server, server.raw() as client:
        client.sendall(sent)
        assert client.recv(100) == b""


def test_an_answer_that_nobody_takes_is_dropped() -> None:
    large = Asset("large.bin", bytes(50_000_000))
    with serving(limits=Limits(patience=0.5), files=[large]) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.until('burnish_answers_total{path="/large.bin",status="200"}', 1)
        with pytest.raises((ConnectionError, http.client.IncompleteRead)):
            answered(client)


def test_half_a_body_is_400(picture: bytes) -> None:
    with serving() as server, server.raw() as client:
        client.sendall(HEAD % len(picture) + picture[:1000])
        client.shutdown(socket.SHUT_WR)
        answer = answered(client)
        assert (answer.status, answer.error["code"]) == (400, "broken-request")
        server.until(INSIDE, 0)


def test_more_than_was_said_is_no_part_of_it(picture: bytes) -> None:
    with serving() as server, server.raw() as client:
        client.sendall(HEAD % len(picture) + picture + b"and more\r\n\r\n")
        told = b"".join(iter(lambda: client.recv(1 << 16), b""))
        assert told.startswith(b"HTTP/1.1 200 OK")
        assert told.count(b"HTTP/1.1") == 2
        assert b"broken-request" in told.partition(b"HTTP/1.1 400")[2]


@pytest.mark.parametrize(
    "request_",
    [
        b"hello\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /restore HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"POST /restore HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /restore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /restore HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    ],
    ids=range(8),
)
def test_what_is_no_http_is_400(request_: bytes) -> None:
    with serving() as server, server.raw() as client:
        client.sendall(request_)
        assert answered(client).error["code"] == "broken-request"
        server.until(INSIDE, 0)


def test_a_connection_serves_one_file_after_another(picture: bytes) -> None:
    with serving() as server, server.raw() as client:
        for _ in range(3):
            client.sendall(HEAD % len(picture) + picture)
            assert answered(client).status == 200
        client.sendall(HEAD % 10 + b"a text...")
        time.sleep(0.05)
        client.sendall(b"!")
        assert answered(client).status == 415


def test_a_refused_body_is_read_away_so_that_the_answer_arrives() -> None:
    with serving(limits=Limits(max_bytes=1000)) as server, server.raw() as client:
        client.sendall(HEAD % 5_000_000)
        client.sendall(bytes(5_000_000))
        assert answered(client).status == 413
        client.sendall(HEAD % 5 + b"hello")
        assert answered(client).status == 415


def test_the_server_ends_while_work_is_going_on(slow: Slow, picture: bytes) -> None:
    with serving({"slow": slow}) as server:
        asked = Asked(server, ASK, picture)
        server.until(WORKING, 1)
        slow.go.set()
    assert asked.answer().status == 200


def test_limits_must_be_more_than_nothing() -> None:
    from burnish import InputError

    for name in ("max_bytes", "max_pixels", "max_frames", "max_seconds", "queue", "clients", "at_once", "patience"):
        with pytest.raises(InputError, match=name):
            Limits(**{name: 0})  # type: ignore[arg-type]
