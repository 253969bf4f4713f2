"""The API described as OpenAPI 3.1 has it, for programs that make clients, and for tests that hold the server to it."""

from typing import Any

from burnish import __version__
from burnish.serve.refusals import MEANINGS
from burnish.serve.results import TYPES
from burnish.serve.settings import Limits

EVERYWHERE = ("broken-request", "other-host", "other-origin", "wrong-method")  # what any address may answer
RESTORING = [code for code in MEANINGS if code not in (*EVERYWHERE, "not-found")]
PARAMETERS: dict[str, dict[str, Any]] = {
    "model": {
        "description": "The model that restores; GET /models tells what each is for. Without it, the first that restores what is sent.",
        "schema": {"type": "string"},
    },
    "strength": {
        "description": "From 0 (as it was) to 1 (as restored).",
        "schema": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
    },
    "force": {
        "description": "Restore also what the model was not made for.",
        "schema": {"type": "boolean", "default": False},
    },
    "name": {"description": "What the file is called: stands in messages and in Content-Disposition.", "schema": {"type": "string"}},
}
RESULT_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Burnish-Status": (
        "restored; or unchanged, and the body is the file as it was sent",
        {"type": "string", "enum": ["restored", "unchanged"]},
    ),
    "Burnish-Model": ("the model's name", {"type": "string"}),
    "Burnish-Seconds": ("seconds that the work took", {"type": "number"}),
    "Burnish-Megapixels": ("the image's size, all frames together", {"type": "number"}),
    "Burnish-Duration": ("the recording's length in seconds", {"type": "number"}),
    "Burnish-Notes": ("a JSON list of lines: why it is unchanged, what the result lacks", {"type": "string"}),
    "Content-Disposition": ("a name to save the result under", {"type": "string"}),
}


def description(models: list[str], limits: Limits, *, token: bool) -> dict[str, Any]:
    """The description of a server with these models and limits; `token`: whether it asks for one."""
    closed: dict[str, Any] = {"security": [{"token": []}]} if token else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Burnish",
            "version": __version__,
            "description": "Restores images and recordings of speech: a file in, the same file out, with better pixels or samples.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {
            "/restore": {"post": {**_restore(models, limits, token), **closed}},
            "/models": {"get": _get("models", "The models, what each is for, and how well it does.", ["server", "models", "version"])},
            "/health": {
                "get": _get("health", "Whether the server works, and how many files it has.", ["status", "version", "working", "waiting"])
            },
            "/metrics": {"get": {**_metrics(token), **closed}},
            "/openapi.json": {"get": _get("description", "This description.", ["openapi", "paths"])},
        },
        "components": {
            "schemas": {"Error": _error()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}} if token else {},
        },
    }


def _restore(models: list[str], limits: Limits, token: bool) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", **told} for name, told in PARAMETERS.items()]
    parameters[0] = {**parameters[0], "schema": {"type": "string", "enum": models}}
    raw = {"schema": {"type": "string", "format": "binary", "maxLength": limits.max_bytes}}
    types = ["application/octet-stream", *TYPES.values()]
    headers = {name: {"description": words, "schema": schema} for name, (words, schema) in RESULT_HEADERS.items()}
    done = {"description": "The result, in the format of the file.", "headers": headers, "content": {kind: {} for kind in types[1:]}}
    return {
        "operationId": "restore",
        "summary": "Restore the file of an image or a recording.",
        "description": f"At most {limits.max_bytes:,} bytes; images of at most {limits.max_pixels:,} pixels and {limits.max_frames:,} "
        f"frames or pages; recordings of at most {limits.max_duration:,g} seconds. "
        "What the file is, is told from its bytes, not from Content-Type.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": dict.fromkeys(types, raw)},
        "responses": {"200": done, **_refusals([code for code in RESTORING if token or code != "no-token"])},
    }


def _get(name: str, words: str, keys: list[str]) -> dict[str, Any]:
    """An address that answers with an object that has these keys."""
    schema = {"type": "object", "required": keys}
    done = {"description": words, "content": {"application/json": {"schema": schema}}}
    return {"operationId": name, "summary": words, "responses": {"200": done, **_refusals([])}}


def _metrics(token: bool) -> dict[str, Any]:
    done = {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    refusals = _refusals(["no-token"] if token else [])
    return {"operationId": "metrics", "summary": "What the server has done, counted.", "responses": {"200": done, **refusals}}


def _refusals(codes: list[str]) -> dict[str, Any]:
    """The answers of these refusals, and of those that any address may give, by status."""
    words: dict[int, list[str]] = {}
    for code, (status, meaning) in MEANINGS.items():
        if code in codes or code in EVERYWHERE:
            words.setdefault(status, []).append(f"`{code}`: {meaning}")
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers: dict[str, Any] = {str(status): {"description": "; ".join(told), "content": content} for status, told in words.items()}
    for busy in ("429", "503"):
        if busy in answers:
            answers[busy]["headers"] = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
    return answers


def _error() -> dict[str, Any]:
    inner = {
        "type": "object",
        "required": ["status", "code", "message"],
        "properties": {
            "status": {"type": "integer", "description": "the status of HTTP"},
            "code": {"type": "string", "enum": list(MEANINGS)},
            "message": {"type": "string", "description": "one line for people: what, and what to do"},
        },
    }
    return {"type": "object", "required": ["error"], "properties": {"error": inner}}
