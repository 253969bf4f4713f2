"""The page's sources: their types, their lint, their own tests, and that what is built comes from them."""

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
needs_node = pytest.mark.skipif(
    not shutil.which("node") or not (WEB / "node_modules").exists(), reason="needs Node and the page's packages: make page"
)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
def test_types_hold() -> None:
    _run("node", "node_modules/typescript/bin/tsc")


@needs_node
def test_lint_finds_nothing() -> None:
    _run("node", "node_modules/eslint/bin/eslint.js", ".")


@needs_node
def test_units() -> None:
    _run("node", "--test", *(str(path) for path in sorted((WEB / "test").glob("*.test.js"))))


@needs_node
@pytest.mark.skipif(not (WEB / "python" / "burnish_web" / "page").exists(), reason="the page is not built: make page")
def test_what_is_built_comes_from_the_sources() -> None:
    _run("node", "build.mjs", "--check")


def test_every_package_is_pinned_by_its_hash() -> None:
    import json

    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(told.get("integrity", "").startswith("sha512-") for path, told in packages.items() if path)
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for kind in ("dependencies", "devDependencies") for version in wanted[kind].values())


def test_the_wheel_has_the_version_of_burnish() -> None:
    import tomllib

    import burnish

    told = tomllib.loads((WEB / "python" / "pyproject.toml").read_text(encoding="utf-8"))
    assert told["project"]["version"] == burnish.__version__


NUMBER = r"[\d_.e<-]+(?: << \d+)?"
TWINS = [
    ("engine/gate.js", "image.gate", 12),
    ("engine/finding.js", "image.gate", 5),
    ("engine/look.js", "image.taken", 8),
    ("sound/gate.js", "audio.gate", 10),
    ("sound/survey.js", "audio.survey", 3),
    ("sound/stream.js", "audio.stream", 4),
    ("sound/frames.js", "audio.frames", 4),
]


@pytest.mark.parametrize(("script", "module", "least"), TWINS)
def test_thresholds_are_those_of_the_library(script: str, module: str, least: int) -> None:
    """What the page does again has the numbers of the same names: whoever changes one is told of the other."""
    library = importlib.import_module(f"burnish.{module}")
    text = (WEB / "src" / script).read_text(encoding="utf-8")
    found: dict[str, object] = {}
    for names, values in re.findall(rf"^(?:export )?const \[([A-Z_, ]+)\] = \[((?:{NUMBER}(?:, )?)+)\];", text, re.MULTILINE):
        found |= zip(names.split(", "), values.split(", "), strict=True)
    found |= re.findall(rf"^(?:export )?const ([A-Z_]+) = ({NUMBER});", text, re.MULTILINE)
    twins = {name: eval(str(value)) for name, value in found.items() if hasattr(library, name)}
    assert len(twins) >= least, sorted(found)
    assert twins == {name: getattr(library, name) for name in twins}
