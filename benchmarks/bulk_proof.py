"""Every file once, none half, whoever dies: `burnish bulk` on a Ray cluster of two workers, from and to a server that speaks S3.

    python benchmarks/bulk_proof.py [--count 2000] [--model tiny-blind]

Small photos of mixed kinds (the tests' gallery: 8 and 16 bit, grey, alpha, inks, pages, with metadata) of 48 to 240 pixels, a few broken
files, and one that kills the process that restores it each time. A Ray worker is killed (SIGKILL) at a third of the work, and one at two
thirds, whatever they are at. Then everything that stands in the bucket, which keeps versions, is compared with what `burnish restore`
makes of the same files and says of them, and the command is given again. Writes bulk_proof.json, or says what is wrong. Nothing is timed.
"""

import argparse
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np

sys.path.insert(0, str(common.HERE.parent / "tests"))

import gallery
import store

KINDS = [kind for kind in gallery.KINDS if not kind.endswith((".avif", ".gif")) and kind != "moving.webp"]  # these take long to write
DISTINCT = 250  # all others are copies of these
FOLDERS = ("", "2026/a b+c%20", "☀")
POISON = "poison.png"
HOOK = """
import sys
if "burnish.bulk.worker" in sys.orig_argv:
    import os, signal
    import burnish.image.restore as restore
    once = restore.restored
    def poisoned(work):
        if work.source.read_bytes().endswith(b"poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        return once(work)
    restore.restored = poisoned
"""


def photos(folder: Path, count: int) -> None:
    """Makes them, five of them broken, and the poisonous one."""
    rng = np.random.default_rng(0)
    gallery.exif, gallery.profile = functools.cache(gallery.exif), functools.cache(gallery.profile)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    made: list[Path] = []
    for index in range(count - 6):
        kind = KINDS[index % len(KINDS)]
        path = folder / FOLDERS[index % len(FOLDERS)] / f"{index:04d}-{kind}"
        if index < DISTINCT:
            gallery.SIDE = tuple(rng.integers(48, 241, 2).tolist())
            gallery.KINDS[kind](str(path))
        else:
            shutil.copyfile(made[index % DISTINCT], path.with_name(f"{index:04d}-{made[index % DISTINCT].name}"))
        made.append(path)
    (jpeg, png) = gallery.write(folder, "camera.jpg", "plain.png")
    (folder / POISON).write_bytes(png.read_bytes() + b"poison")
    jpeg.write_bytes(jpeg.read_bytes()[:1500])
    png.write_bytes(png.read_bytes()[:1500])
    for name, data in (("empty.jpg", b""), ("text.png", b"no image"), ("zeros.tif", bytes(5000))):
        (folder / name).write_bytes(data)


def burnish(*arguments: str | Path, environment: dict[str, str], said: Path) -> subprocess.Popen[str]:
    """The command, at work; what it says goes into that file, and its result into one beside it (.json)."""
    with said.open("w") as stderr, said.with_suffix(".json").open("w") as stdout:
        command = [sys.executable, "-m", "burnish", *map(str, arguments)]
        return subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment, encoding="utf-8")


def kill_two(command: subprocess.Popen[str], written: Any, count: int) -> list[int]:
    """Kills one of the command's Ray workers at a third of the work, and one at two thirds; returns their process numbers."""
    killed: list[int] = []
    while len(killed) < 2 and command.poll() is None:
        time.sleep(2)
        at_work = [pid for pid, title in descendants(command.pid) if title.startswith("ray::_alone")]
        if at_work and len(written()) >= count * (len(killed) + 1) / 3:
            os.kill(at_work[0], signal.SIGKILL)
            killed.append(at_work[0])
    return killed


def descendants(root: int) -> list[tuple[int, str]]:
    """All processes that a process has started, and those that these have: their numbers and titles."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [(int(pid), int(parent), title) for pid, parent, title in (line.split(maxsplit=2) for line in table)]
    family = {root}
    for _ in rows:
        more = {pid for pid, parent, _ in rows if parent in family} - family
        if not more:
            break
        family |= more
    return [(pid, title) for pid, _, title in rows if pid in family]


def expect(right: bool, what: object) -> None:
    """Raises SystemExit where something is not as it should be."""
    if not right:
        raise SystemExit(f"wrong: {what}")


def judged(fs: Any, reference: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Looks at all that stands in the bucket; `told` is what `restore --json` says of each file. Returns what is worth telling."""
    fetched = reference.parent / "fetched"
    fs.get("restored/photos", str(fetched), recursive=True)
    expect(len(files(fetched)) == len(fs.find("restored/photos")), "not all was fetched")
    made, records = files(fetched), files(fetched / ".burnish")
    made = {name: data for name, data in made.items() if not name.startswith(".burnish/")}
    wanted = files(reference)
    del wanted[POISON]
    expect(made.keys() == wanted.keys(), made.keys() ^ wanted.keys())
    expect(made == wanted, [key for key in made if made[key] != wanted[key]])

    expect(all("/" not in name and name.endswith(".jsonl") for name in records), "parts of unfinished shards are left")
    outcomes = [json.loads(line) for data in records.values() for line in data.splitlines()]
    expect(len(outcomes) == len(told), f"{len(outcomes)} outcomes of {len(told)} files")
    by_name = {outcome["input"].removeprefix("s3://archive/photos/"): outcome for outcome in outcomes}
    expect(by_name.keys() == told.keys(), by_name.keys() ^ told.keys())
    expect("ended the process that restored it, 3 times" in by_name[POISON]["error"], by_name[POISON])
    for name, outcome in by_name.items():
        same = all(outcome[key] == told[name][key] for key in ("status", "megapixels", "notes", "error"))
        expect(same or name == POISON, (outcome, told[name]))

    twice = [key for key, times in Counter(versions(fs, "restored")).items() if times > 1]
    expect(not twice, f"written more than once: {twice}")
    return {"files": dict(Counter(outcome["status"] for outcome in outcomes)), "shards": len(records)}


def files(folder: Path) -> dict[str, bytes]:
    """All files under a folder, by their names there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def versions(fs: Any, bucket: str) -> Iterator[str]:
    """The key of each version of each object."""
    marks: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_object_versions", Bucket=bucket, **marks)
        yield from (version["Key"] for version in page.get("Versions", []))
        if not page["IsTruncated"]:
            return
        marks = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def proof(folder: Path, count: int, model: str) -> dict[str, Any]:
    """Does all of it in that folder."""
    for name in ("hook", "tmp"):
        (folder / name).mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK)
    photos(folder / "photos", count)
    with store.s3(folder) as server:
        path = os.pathsep.join([str(folder / "hook"), str(common.HERE.parent / "src")])
        environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
        environment |= server | {"PYTHONPATH": path, "TMPDIR": str(folder / "tmp")}
        fs = store.client(server)
        for bucket in ("archive", "restored"):
            fs.mkdir(bucket)
        fs.call_s3("put_bucket_versioning", Bucket="restored", VersioningConfiguration={"Status": "Enabled"})
        fs.put(str(folder / "photos"), "archive/photos", recursive=True)
        order = ["bulk", "s3://archive/photos", "-o", "s3://restored/photos", "-m", model, "--engine", "ray", "--processes", "2"]
        working = burnish(*order, environment=environment, said=folder / "bulk")
        restoring = burnish(
            *("restore", folder / "photos", "-o", folder / "reference", "-m", model, "--json"),
            environment=dict(os.environ),
            said=folder / "restore",
        )
        try:
            killed = kill_two(working, lambda: [key for key in fs.find("restored") if "/.burnish/" not in key], count)
            working.wait()
            said = (folder / "bulk").read_text("utf-8")
            expect(working.returncode == 1 and "Traceback" not in said, said)
            expect(len(killed) == 2, f"{len(killed)} workers were killed; {said}")
            restoring.wait()
        finally:
            restoring.kill()
            working.kill()
        lines = map(json.loads, (folder / "restore.json").read_text("utf-8").splitlines())
        told = {Path(line["input"]).relative_to(folder / "photos").as_posix(): at_the_store(line, folder) for line in lines}
        expect(len(told) == count, f"restore tells of {len(told)} files")
        found = judged(fs, folder / "reference", told)
        written = [key for key in versions(fs, "restored") if "probe" not in key]
        again = burnish(*order, environment=environment, said=folder / "again")
        again.wait()
        expect(
            f"{found['shards']} shards were finished before" in (folder / "again").read_text("utf-8"), (folder / "again").read_text("utf-8")
        )
        expect([key for key in versions(fs, "restored") if "probe" not in key] == written, "the second time wrote something")
    left = [path.relative_to(folder).as_posix() for path in (folder / "tmp").rglob("*") if "burnish" in path.as_posix()[len(str(folder)) :]]
    expect(not left, f"temporary files are left: {left}")
    return {"model": model, "photos": count, "workers_killed": len(killed), **found}


def at_the_store(line: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What `restore` says of a file, with the addresses that it has in the store."""
    places = ((f"{folder}/photos", "s3://archive/photos"), (f"{folder}/reference", "s3://restored/photos"))
    text = json.dumps(line, ensure_ascii=False)
    for here, there in places:
        text = text.replace(here, there)
    named: dict[str, Any] = json.loads(text)
    return named


def main() -> None:
    """Proves and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--model", default="tiny-blind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        common.write("bulk_proof", proof(Path(name), options.count, options.model))


if __name__ == "__main__":
    main()
