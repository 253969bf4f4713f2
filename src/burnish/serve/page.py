"""The page as files by their address: what the wheel burnish-web brings, the models, and what says which models there are.

The server answers with them, and `burnish site` writes them into a folder: in both the same tree, and all links in it are relative.
"""

import hashlib
import importlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from burnish import __version__
from burnish.errors import InputError, MissingExtraError, ModelError
from burnish.files import atomic
from burnish.model import describe
from burnish.model import file as model_file
from burnish.model.card import Card

MISSING = "the page is not installed; pip install 'burnish[serve]'"
LARGEST = 25 << 20  # bytes of a file, the most that some hosts of static files take
INDEX, MODELS, LICENCES = "index.html", "models.json", "models/licences.txt"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # of a model, in an address
PLAIN = "application/octet-stream"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Asset:
    """A static file: `name`, its address relative to the page, and `body`, its bytes or where they lie."""

    name: str
    body: bytes | Path

    @property
    def type(self) -> str:
        """Its media type."""
        return TYPES.get(Path(self.name).suffix.lower(), PLAIN)

    def read(self) -> bytes:
        """Its bytes."""
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()

    @cached_property
    def tag(self) -> str:
        """What tells this version of it from others, as an HTTP entity tag."""
        return f'"{hashlib.sha256(self.read()).hexdigest()[:32]}"'


def page() -> list[Asset]:
    """The files of the page. Raises MissingExtraError where it is not installed, and where it has not been built."""
    try:
        folder = Path(str(importlib.import_module("burnish_web").files()))
    except ModuleNotFoundError as error:
        raise MissingExtraError(MISSING) from error
    if not (folder / INDEX).is_file():
        raise MissingExtraError(f"{folder}: the page has not been built; run make page")
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in (".py", ".pyc")]
    return [Asset(path.relative_to(folder).as_posix(), path) for path in found]


def loaded(names: Iterable[str], threads: int | None = None) -> dict[str, Any]:
    """The models with these names or in these files, by their own names; without any, all that come with Burnish and restore.

    The default comes first. Raises what burnish.load does, ModelError for a named one that restores nothing, and InputError for two of one
    name, or a name that can be no address.
    """
    names = list(names)
    wanted = names
    if not wanted:
        first = [name for kind in model_file.DEFAULTS if (name := model_file.default(kind)) in model_file.shipped()]
        wanted = list(dict.fromkeys([*first, *model_file.shipped()]))
    models: dict[str, Any] = {}
    for each in wanted:
        model = model_file.load(each, threads)
        name = model.card.name
        if model.card.kind == "image":
            if model.only_rebuilds and not names:
                continue
            model.check_restores()
        if not NAME.fullmatch(name):
            raise InputError(f"{each}: the model's name {name!r} can be no address; name it with letters, digits, dots and dashes")
        if name in models:
            raise InputError(f"{each}: is the second model of the name {name}; leave one out")
        models[name] = model
    return models


def default(models: dict[str, Any], kind: str = "image") -> str | None:
    """The name of the model that restores what is of that kind when none is named: the first of them."""
    return next((name for name, model in models.items() if model.card.kind == kind), None)


def model_assets(models: dict[str, Any], server: dict[str, Any] | None) -> list[Asset]:
    """The models as files, what says which there are, and their licences; `server`: what a server that restores says of itself."""
    listed = [_listed(name, model, name == default(models, model.card.kind)) for name, model in models.items()]
    told = json.dumps({"version": __version__, "server": server, "models": listed})
    return [
        Asset(MODELS, told.encode()),
        Asset(LICENCES, "\n\n".join(_terms(model.card) for model in models.values()).encode() + b"\n"),
        *(Asset(_address(name), model.file.data) for name, model in models.items()),
    ]


def _address(name: str) -> str:
    return f"models/{name}.onnx"


def _listed(name: str, model: Any, is_default: bool) -> dict[str, Any]:
    card: Card = model.card
    data = model.file.data
    return {
        "name": name,
        "kind": card.kind,
        "file": _address(name),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "default": is_default,
        "words": describe.told(card),
        "card": {key: value for key, value in asdict(card).items() if key not in ("layers", "recipe")},
    }


def _terms(card: Card) -> str:
    data = card.data.get("name", "unknown data")
    return f"{card.name}\nlicence of the weights: {card.licence}\nlearnt from: {data}; its terms: {card.data.get('terms', 'unknown')}"


def write_site(out: Path, models: dict[str, Any], *, overwrite: bool = False) -> list[Asset]:
    """Write the page and the models into the folder `out`, to be served by any server of files under any address; returns the files.

    Raises InputError, before anything is written, where a file is there already (unless `overwrite`) or one is too large for common hosts;
    MissingExtraError where the page is not installed.
    """
    assets = [*page(), *model_assets(models, None)]
    for asset in assets:
        place = out / asset.name
        if place.exists() and not overwrite:
            raise InputError(f"{place}: is there already; choose another folder, or let files be replaced with --overwrite")
        if (size := len(asset.read())) > LARGEST:
            raise ModelError(f"{asset.name}: has {size:,} bytes, more than the {LARGEST:,} that common hosts take; leave it out")
    for asset in sorted(assets, key=lambda each: each.name == INDEX):  # what begins the page comes last
        with atomic(out / asset.name) as temporary:
            temporary.write_bytes(asset.read())
    return assets
