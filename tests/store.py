"""An S3 server of one's own, on this machine: moto, in a process, which refuses with a status where it is told to."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from pathlib import Path
from werkzeug.serving import run_simple

app = DomainDispatcherApplication(create_backend_app)
orders = Path(sys.argv[1])  # NAME of an order is METHOD-STATUS-COUNT: so many requests of that method are refused with that status
codes = {"503": "SlowDown", "403": "AccessDenied", "409": "ConditionalRequestConflict", "412": "PreconditionFailed"}

def refusing(environ, start):
    for order in orders.iterdir():
        method, status, count = order.name.split("-")
        if environ["REQUEST_METHOD"] == method and "/refused" in environ["PATH_INFO"]:
            order.unlink()
            if int(count) > 1:
                order.with_name(f"{method}-{status}-{int(count) - 1}").touch()
            if status == "0":  # done, whatever its conditions say
                environ.pop("HTTP_IF_NONE_MATCH", None)
                break
            code = codes[status]
            start(f"{status} {code}", [("Content-Type", "application/xml")])
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return [f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()]
    return app(environ, start)

import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
Path(sys.argv[2]).write_text(str(port))
run_simple("127.0.0.1", port, refusing, threaded=True)
"""


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which commands find the server, while it runs; orders to refuse go into `folder/orders`."""
    (folder / "orders").mkdir()
    command = [sys.executable, "-W", "ignore", "-c", SERVER, str(folder / "orders"), str(folder / "port")]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            yield _environment(folder)
        finally:
            server.terminate()


def _environment(folder: Path) -> dict[str, str]:
    for _ in range(600):
        try:
            url = f"http://127.0.0.1:{int((folder / 'port').read_text())}"
            urllib.request.urlopen(url).close()
        except (OSError, ValueError):
            time.sleep(0.1)
        else:
            keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
            return {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true", **keys}
    raise TimeoutError((folder / "log").read_text())


def client(environment: dict[str, str]) -> Any:
    """fsspec's client of the server, for the test itself."""
    import s3fs

    return s3fs.S3FileSystem(
        key=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def merged(environment: dict[str, str]) -> dict[str, str]:
    """The environment of this process, and that."""
    return os.environ | environment
