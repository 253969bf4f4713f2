"""Who may ask: by which name, from which page, with which token; and the headers that keep a browser safe."""

import json

import pytest
from serving import serving

from burnish.serve.page import Asset
from burnish.serve.safety import DEFAULT, safety
from burnish.serve.settings import Access
from burnish.serve.shell import is_ours


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost", "LOCALHOST:1", "localhost.", "[::1]:80", "192.168.1.7", "nas.local:8642"])
def test_numbers_localhost_and_names_that_were_told_are_ours(host: str) -> None:
    assert is_ours(host, frozenset({"nas.local"}))


OTHERS = """evil.example evil.example:8642 127.0.0.1.evil.example localhost.evil.example nas.local.evil 127.0.0.1@evil.example
[::1 localhost:x 0x7f000001 localhost:80:80 evil.example#localhost"""


@pytest.mark.parametrize("host", ["", *OTHERS.split()])
def test_every_other_name_is_not(host: str) -> None:
    assert not is_ours(host, frozenset({"nas.local"}))


def test_a_name_that_was_made_to_lead_here_gets_nothing() -> None:
    with serving(access=Access(hosts=frozenset({"nas.local"}))) as server:
        for path in ("/", "/health", "/models", "/restore", "/metrics"):
            answer = server.ask(path, headers={"Host": "evil.example"})
            assert (answer.status, answer.error["code"]) == (403, "other-host")
            assert "evil.example" in answer.error["message"]
        assert server.ask("/health", headers={"Host": "nas.local"}).status == 200
        with server.raw() as client:
            client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 403")


def test_pages_of_other_sites_may_not_ask_unless_told_and_then_may_read() -> None:
    with serving() as server:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", f"http://127.0.0.1.evil.example:{server.port}"):
            answer = server.ask("/restore", b"x", {"Origin": origin})
            assert (answer.status, answer.error["code"]) == (403, "other-origin")
            assert "access-control-allow-origin" not in answer.headers
        assert server.ask("/restore", b"x", {"Origin": f"http://127.0.0.1:{server.port}"}).status == 415
        assert server.ask("/restore", method="OPTIONS").status == 405
    friend = "https://friend.example"
    with serving(access=Access("secret", origins=frozenset({friend}))) as server:
        wanted = {"Origin": friend, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        before = server.ask("/restore", headers=wanted, method="OPTIONS")
        assert before.status == 200
        assert before.headers["access-control-allow-origin"] == friend
        answer = server.ask("/restore", b"x", {"Origin": friend, "Authorization": "Bearer secret"})
        assert answer.status == 415
        assert answer.headers["access-control-allow-origin"] == friend
        assert "Burnish-Status" in answer.headers["access-control-expose-headers"]
        assert server.ask("/restore", b"x", {"Origin": "https://evil.example", "Authorization": "Bearer secret"}).status == 403


def test_work_needs_the_token_and_the_page_does_not() -> None:
    with serving(access=Access("s3cret-tøken")) as server:
        right = "Bearer s3cret-tøken".encode()
        for path, body in (("/restore", b"x"), ("/metrics", None)):
            for given in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer "}, {"Authorization": "Basic s3cret"}):
                answer = server.ask(path, body, given)
                assert (answer.status, answer.error["code"]) == (401, "no-token")
                assert answer.headers["www-authenticate"] == "Bearer"
                assert "s3cret" not in answer.body.decode("utf-8")
            assert server.ask(path, body, {"Authorization": right}).status in (200, 415)  # type: ignore[dict-item]
        assert server.ask("/restore?token=s3cret-t%C3%B8ken", b"x").status == 401
        for path in ("/health", "/models", "/openapi.json", "/models.json", "/models/tiny-deblur.onnx"):
            assert server.ask(path).status == 200


def test_every_answer_has_the_headers_of_safety() -> None:
    policies = {kind: {"Content-Security-Policy": kind.upper()} for kind in ("page", "worker")}
    told = json.dumps({**policies, "workers": ["worker.js", "vendor/"]}).encode()
    files = [Asset("headers.json", told), Asset("worker.js", b""), Asset("vendor/a.mjs", b""), Asset("index.html", b"<!doctype html>")]
    with serving() as bare, serving(files=files) as server:
        for path in ("/health", "/nothing", "/models.json"):
            headers = bare.ask(path).headers
            assert {name.lower(): value for name, value in DEFAULT.items()}.items() <= headers.items()
        for path in ("/", "/index.html", "/worker.js", "/vendor/a.mjs", "/nothing"):
            headers = server.ask(path).headers
            assert headers["content-security-policy"] == ("WORKER" if path in ("/worker.js", "/vendor/a.mjs") else "PAGE")
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-embedder-policy"] == "require-corp"
            assert headers["x-content-type-options"] == "nosniff"
    assert safety([]).headers("/worker.js") == safety([]).headers("/")
