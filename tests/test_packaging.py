"""The packages that PyPI would get: built from a copy of the tree, read as PyPI reads them, installed and run."""

import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import burnish

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def built(what: str, source: Path, out: Path) -> Path:
    """The one package that setuptools, which `build` and `pip` call for it, makes of a source tree. Needs no network."""
    subprocess.run([sys.executable, "-c", BUILD, f"build_{what}", str(out)], cwd=source, check=True, capture_output=True)
    (package,) = out.iterdir()
    return package


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, of what git would give a fresh clone, and the wheel built from the sdist, as PyPI's users without a wheel do."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs a git checkout")
    tree, unpacked = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("a path with spaces")
    for name in filter(None, listed.stdout.decode("utf-8").split("\0")):
        if not name.startswith(("tests/", "benchmarks/", "docs/")) and (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    sdist = built("sdist", tree, tmp_path_factory.mktemp("sdist"))
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    return sdist, built("wheel", next(unpacked.iterdir()), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(packages: tuple[Path, Path]) -> email.message.Message:
    with zipfile.ZipFile(packages[1]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(wheel.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(packages: tuple[Path, Path]) -> None:
    source = Path(burnish.__file__).parent
    wanted = {
        path.relative_to(source.parent).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(packages[1]) as wheel:
        found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == wanted
    assert packages[1].stat().st_size < 20e6


def test_the_installed_wheel_runs(packages: tuple[Path, Path], tmp_path: Path) -> None:
    target = tmp_path / "a path with spaces"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(packages[1])]
    subprocess.run(install, check=True, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(target)!r}); import burnish; assert burnish.__file__.startswith({str(target)!r}); "
    code += "from burnish.cli import main; main()"
    for arguments in (["models"], ["recipes"], ["evaluate", "seed", "--data", "photos", "--no-baselines"]):
        result = subprocess.run(
            [sys.executable, "-I", "-c", code, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert result.returncode == 0, result.stderr
        assert "seed" in result.stdout


def test_what_pypi_shows_beside_the_readme(metadata: email.message.Message) -> None:
    assert metadata["Version"] == burnish.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Author"] == "The Burnish authors"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {line.split(",")[0] for line in metadata.get_all("Project-URL", [])} == set(PROJECT["urls"])
    assert len(metadata["Keywords"].split(",")) > 3
    assert "Programming Language :: Python :: 3.14" in metadata.get_all("Classifier", [])


def rendered(text: str) -> tuple[list[Token], str]:
    """Markdown's tokens, inline ones among them, and its HTML, with the tables that GitHub and PyPI know."""
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = [inner for token in markdown.parse(text) for inner in (token, *(token.children or []))]
    return tokens, markdown.render(text)


def targets(tokens: list[Token]) -> list[str]:
    return [str(token.attrs[key]) for token in tokens for key in ("href", "src") if key in token.attrs]


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    tokens, _ = rendered(path.read_text("utf-8"))
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_on_pypi_has_no_link_that_leads_nowhere(metadata: email.message.Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    payload = metadata.get_payload(decode=True)
    assert isinstance(payload, bytes)
    tokens, html = rendered(payload.decode("utf-8"))
    assert "<h1>Burnish</h1>" in html
    assert html.count("<table>") >= 2
    assert "<img" in html
    for target in targets(tokens):
        assert target.startswith(("https://", "#")), target
        if target.startswith(REPOSITORY):
            match = re.fullmatch(r"/(raw|blob)/main/([^#]+)(?:#.*)?", target.removeprefix(REPOSITORY))
            assert match, target
            assert (match[1] == "raw") == (match[2].endswith((".png", ".svg", ".jpg"))), target
            assert (ROOT / match[2]).exists(), target


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
def test_pages_link_to_what_is_there(page: str) -> None:
    path = ROOT / page
    tokens, _ = rendered(path.read_text("utf-8"))
    for target in targets(tokens):
        if target.startswith(("https://", "http://")):
            assert target.startswith(REPOSITORY) or "github.com" not in target or "burnish" not in target, "one address in all pages"
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(there), f"{page} links to {target}"


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
def test_pages_name_files_that_are_there(page: str) -> None:
    for quoted in re.findall(r"`([^`\n]+)`", (ROOT / page).read_text("utf-8")):
        for path in re.findall(r"(?<![\w/.<-])(?:src/|tests/|benchmarks/|docs/|burnish/)[\w./-]*\w", quoted):
            if not path.isupper() and "MEDIUM" not in path:
                assert (ROOT / path).exists() or (ROOT / "src" / path).exists(), f"{page} names {path}"
