"""The page's files by their address, on the server and in a folder of static files."""

import hashlib
import json
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from serving import QUICK, serving

import burnish
from burnish.errors import InputError, MissingExtraError, ModelError
from burnish.model import file as model_file
from burnish.serve import page
from burnish.serve.page import Asset

FILES = {"index.html": b"<!doctype html>", "app.js": b"let a", "vendor/ort.wasm": b"\0asm", "vendor/x.mjs": b"let b", "style.css": b"a{}"}
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Has these files stand for the page's."""

    def installed(files: dict[str, bytes]) -> None:
        folder = tmp_path / "burnish_web"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        module = types.ModuleType("burnish_web")
        module.files = lambda: folder  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "burnish_web", module)

    return installed


def test_the_page_is_served_file_by_file(install: Install) -> None:
    install(FILES)
    with serving(files=page.page()) as server:
        for name, data in FILES.items():
            answer = server.ask(f"/{name}")
            assert (answer.status, answer.body) == (200, data)
            assert answer.headers["cache-control"] == "no-cache"
        assert server.ask("/").body == FILES["index.html"]
        kinds = {name: server.ask(f"/{name}").headers["content-type"] for name in FILES}
        assert kinds["vendor/ort.wasm"] == "application/wasm"
        assert kinds["vendor/x.mjs"] == kinds["app.js"] == "text/javascript; charset=utf-8"
        assert kinds["index.html"] == "text/html; charset=utf-8"
        tag = server.ask("/app.js").headers["etag"]
        again = server.ask("/app.js", headers={"If-None-Match": tag})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert server.ask("/app.js", headers={"If-None-Match": '"other"'}).status == 200
        assert server.ask("/app.js", method="HEAD").headers["content-length"] == str(len(FILES["app.js"]))
        assert server.ask("/../burnish_web/app.js").status == 404


def test_models_are_listed_with_all_that_the_page_needs() -> None:
    models = page.loaded([QUICK, "seed"], 1)
    listed, licences, *files = page.model_assets(models, None)
    told = json.loads(listed.read())
    assert (told["version"], told["server"]) == (burnish.__version__, None)
    for model, file in zip(told["models"], files, strict=True):
        assert model["file"] == file.name == f"models/{model['name']}.onnx"
        assert file.read() == model_file.shipped()[model["name"]].read_bytes()
        assert model["bytes"] == len(file.read())
        assert model["sha256"] == hashlib.sha256(file.read()).hexdigest()
        assert model["card"]["halo"] > 0
        assert ["licence", model["card"]["licence"]] in model["words"]
    assert [model["default"] for model in told["models"]] == [True, False]
    assert licences.read().decode("utf-8").count("licence of the weights: ") == 2


def test_all_that_is_shipped_is_offered_the_default_first() -> None:
    names = list(page.loaded([], 1))
    assert names[0] == model_file.default()
    assert set(names) == set(model_file.shipped()) - {"latent", "patches"}
    with pytest.raises(ModelError, match="latent: restores nothing"):
        page.loaded(["latent"], 1)


def test_models_whose_names_clash_or_are_no_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="second model of the name"):
        page.loaded([QUICK, str(model_file.shipped()[QUICK])], 1)
    odd = tmp_path / "odd.onnx"
    odd.write_bytes(model_file.shipped()[QUICK].read_bytes())
    model_file.write_card(odd, replace(model_file.read_card(odd), name="../../x"))
    with pytest.raises(InputError, match="can be no address"):
        page.loaded([str(odd)], 1)


def test_a_site_is_the_page_and_the_models_with_their_licences(install: Install, tmp_path: Path) -> None:
    install(FILES)
    out = tmp_path / "out" / "site"
    models = page.loaded([QUICK], 1)
    page.write_site(out, models)
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert FILES.items() <= found.items()
    assert set(found) - set(FILES) == {"models.json", "models/licences.txt", f"models/{QUICK}.onnx"}
    told = json.loads(found["models.json"])
    assert told["server"] is None
    assert hashlib.sha256(found[told["models"][0]["file"]]).hexdigest() == told["models"][0]["sha256"]
    (out / "app.js").write_bytes(b"mine")
    with pytest.raises(InputError, match="is there already"):
        page.write_site(out, models)
    assert (out / "app.js").read_bytes() == b"mine"
    page.write_site(out, models, overwrite=True)
    assert (out / "app.js").read_bytes() == FILES["app.js"]


def test_a_site_has_no_file_that_common_hosts_refuse(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(FILES)
    monkeypatch.setattr(page, "LARGEST", 10_000)
    with pytest.raises(ModelError, match=f"{QUICK}.onnx: has .* bytes, more than"):
        page.write_site(tmp_path / "out", page.loaded([QUICK], 1))
    assert not (tmp_path / "out").exists()


def test_a_page_that_is_not_there_is_one_line(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "burnish_web", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'burnish\[serve\]'"):
        page.page()
    install({"app.js": b""})
    with pytest.raises(MissingExtraError, match="make page"):
        page.page()


def test_what_is_of_no_known_type_is_bytes() -> None:
    assert Asset("models/a.onnx", b"").type == "application/octet-stream"
