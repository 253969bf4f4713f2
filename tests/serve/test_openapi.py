"""The description of the API, and the server held to it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import serving

import burnish.serve
from burnish.serve.openapi import description
from burnish.serve.refusals import MEANINGS
from burnish.serve.settings import Access, Limits


def test_the_server_keeps_to_its_description(tmp_path: Path) -> None:
    """Requests that fit the description and such that do not, as schemathesis makes them up: no 5xx, and no answer that is not told of."""
    run = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        "--no-color",
        "--max-examples",
        "5",
        "--phases",
        "coverage,fuzzing",
        "--seed",
        "1",
    ]
    checks = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]  # bytes at random fit the description, and are no image
    with serving.serving(access=Access("secret")) as server:
        place = ["-H", "Authorization: Bearer secret", f"http://127.0.0.1:{server.port}/openapi.json"]
        done = subprocess.run([*run, *checks, *place], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 passed" in done.stdout
        assert server.ask("/health").status == 200


def test_limits_models_and_a_token_stand_in_it() -> None:
    open_, closed = (description(["a", "b"], Limits(max_bytes=1234), token=token) for token in (False, True))
    post = closed["paths"]["/restore"]["post"]
    assert post["parameters"][0]["schema"] == {"type": "string", "enum": ["a", "b"]}
    assert "1,234 bytes" in post["description"]
    assert post["security"] == [{"token": []}]
    assert "401" in post["responses"]
    assert "security" not in open_["paths"]["/restore"]["post"]
    assert "401" not in json.dumps(open_)


def test_every_refusal_that_the_code_knows_is_described() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(burnish.serve.__file__).parent.glob("*.py"))
    used = set(re.findall(r'Refused\(\s*"([a-z-]+)"', source)) | set(re.findall(r'code = "([a-z-]+)"', source)) | {"not-restored"}
    assert used == set(MEANINGS)
    told = json.dumps(description(["a"], Limits(), token=True)["paths"])
    assert all(f"`{code}`" in told for code in set(MEANINGS) - {"not-found"})
    guide = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")
    assert all(f"`{code}`" in guide for code in MEANINGS)
