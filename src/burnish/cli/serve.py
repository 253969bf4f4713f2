"""`burnish serve` and `burnish site`: the page, on a server of one's own or as static files, and the API."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from burnish.cli.words import complain, say
from burnish.errors import MissingExtraError

if TYPE_CHECKING:
    from burnish.serve.page import Asset

PORT = 8642  # not one that servers of files take: a browser would mix up what it keeps of the two


@click.command(
    epilog="\b\nExamples:\n  burnish serve\n  burnish serve --host 0.0.0.0 --allow-host nas.local"
    "\n  curl --data-binary @photo.jpg -o better.jpg http://127.0.0.1:8642/restore"
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen; 0.0.0.0 is all addresses.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, metavar="N", help="0 chooses a free one.")
@click.option("-m", "--model", "names", multiple=True, metavar="MODEL", help="Offer this model; may be repeated. [all that are shipped]")
@click.option("--token", metavar="TOKEN", help="What requests for work must bear; better in BURNISH_TOKEN. [made, beyond this machine]")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name under which the server is reached; may be repeated.")
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="Another site whose pages may use the API (CORS).")
@click.option("--max-bytes", type=click.IntRange(min=1), metavar="N", help="Refuse larger files. [100 million]")
@click.option("--max-pixels", type=click.IntRange(min=1), metavar="N", help="Refuse larger images. [100 million]")
@click.option("--max-frames", type=click.IntRange(min=1), metavar="N", help="Refuse longer animations and stacks. [200]")
@click.option("--max-duration", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Refuse longer sound, in seconds. [7200]")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Give up a file after so long. [300]")
@click.option("--queue", type=click.IntRange(min=1), metavar="N", help="So many files may wait. [64]")
@click.option("--clients", type=click.IntRange(min=1), metavar="N", help="So many files may be inside, on their way in and out. [256]")
@click.option("--at-once", type=click.IntRange(min=1), metavar="N", help="So many files are worked on at once. [2 to 4, as there are CPUs]")
@click.option("--patience", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Seconds to wait for a client. [30]")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads that compute. Default: all that there are.")
def serve(
    host: str,
    port: int,
    names: tuple[str, ...],
    token: str | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    threads: int | None,
    **limits: float | None,
) -> None:
    """Serve the page, which restores in the browser, and the API, which restores here.

    Nothing leaves this machine, and only this machine is let in, unless --host says otherwise; then a token is needed, which is printed.
    """
    try:
        from burnish.serve import listen
        from burnish.serve.app import application
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"serving needs the package {error.name}; pip install 'burnish[serve]'") from error
    from burnish.serve import memory, page
    from burnish.serve.settings import Access, Limits

    memory.give_back_what_is_freed()
    chosen = Limits(**{name: value for name, value in limits.items() if value is not None})  # type: ignore[arg-type]
    models = page.loaded(names, threads)
    files = _page()
    listener = listen.listening(host, port)
    token = token or os.environ.get("BURNISH_TOKEN") or None
    beyond = not listen.is_loopback(listener)
    if beyond and not token:
        token = secrets.token_urlsafe(24)
    access = Access(token, frozenset(name.lower() for name in hosts), frozenset(origins))
    app = application(models, chosen, access, files)
    shown = f"[{host}]" if ":" in host else host
    say(f"http://{shown}:{listener.getsockname()[1]}/")
    if beyond:
        complain(f"reachable from other machines; restoring needs the header 'Authorization: Bearer {token}'")
    complain("serving; Ctrl-C stops")
    listen.server(app, chosen.patience).run(sockets=[listener])


def _page() -> "list[Asset]":
    """The page's files; where there are none, the API is served alone."""
    from burnish.serve import page

    try:
        return page.page()
    except MissingExtraError as error:
        complain(f"{error}; the API is served alone")
        return []


@click.command(epilog="\b\nExamples:\n  burnish site -o public/\n  burnish site -o public/ && python -m http.server -d public/")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="The folder to write.")
@click.option("-m", "--model", "names", multiple=True, metavar="MODEL", help="Put in this model; may be repeated. [all that are shipped]")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
def site(out: Path, names: tuple[str, ...], overwrite: bool) -> None:
    """Write the page as static files, which any server of files can host: it restores in the browser, and uploads nothing."""
    from burnish.serve import page

    assets = page.write_site(out, page.loaded(names), overwrite=overwrite)
    size = sum(len(asset.read()) for asset in assets) / 1e6
    say(f"{out}: {len(assets)} files, {size:.1f} MB; try it with python -m http.server -d {out}")
