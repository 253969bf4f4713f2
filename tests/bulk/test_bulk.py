"""`burnish bulk` on folders: the same as `burnish restore`, each file once, whoever dies at whatever."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import gallery
import pytest
from command import BURNISH, burnish_, refused
from conftest import needs_posix

HOOK = """
import os, pathlib, signal
import burnish.bulk.shards as shards
import burnish.bulk.places as places
import burnish.image.restore as restore
shards.FEWEST = 16  # so that a test's few photos are one shard
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos in two folders."""
    gallery.write(tmp_path / "photos", "plain.png", "camera.jpg", "grey.png")
    gallery.write(tmp_path / "photos" / "more ☀", "deep.png", "inks.jpg", "strips.tif")
    return tmp_path / "photos"


def bulk(photos: Path, hook: str = "", *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command on those photos into `out` beside them, with that code run first in each of its processes."""
    return subprocess.run(
        [*BURNISH, "bulk", str(photos), "-o", str(photos.parent / "out"), "-m", "tiny-blind", "--processes", "1", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env=hooked(photos.parent, hook) | (env or {}),
    )


def hooked(folder: Path, hook: str) -> dict[str, str]:
    """The environment in which Python runs that code first."""
    place = folder / "hook"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "sitecustomize.py").write_text(HOOK + hook)
    return os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")])}


def report(photos: Path) -> dict[str, Any]:
    result = burnish_("bulk", "--report", photos.parent / "out", "--json")
    assert result.returncode == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def files(folder: Path) -> dict[str, bytes]:
    """What stands under the folder, but for what is known of the work."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {str(name): path.read_bytes() for name, path in found.items() if name.parts[0] != ".burnish"}


def all_is_as_restore_makes_it(photos: Path) -> None:
    """Every file once, equal to the bit, the shards finished, the outcomes those of restore."""
    reference = photos.parent / "reference"
    result = burnish_("restore", photos, "-o", reference, "-m", "tiny-blind", "--json")
    told = {line["input"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert files(photos.parent / "out") == files(reference)
    (outcomes,) = (photos.parent / "out" / ".burnish").iterdir()
    kept = [json.loads(line) for line in outcomes.read_text("utf-8").splitlines()]
    assert sorted(line["input"] for line in kept) == sorted(told)
    for line in kept:
        assert line.keys() == told[line["input"]].keys()
        assert all(line[key] == told[line["input"]][key] for key in ("status", "megapixels", "error", "notes")), line
    counts = {status: sum(line["status"] == status for line in kept) for status in ("restored", "unchanged", "skipped", "failed")}
    assert {key: report(photos)[key] for key in counts} == counts


def test_it_makes_what_restore_makes_with_outcomes_and_is_done_once(photos: Path) -> None:
    (photos / "empty.jpg").touch()
    (photos / "half.png").write_bytes((photos / "plain.png").read_bytes()[:900])
    result = bulk(photos)
    assert result.returncode == 1
    assert "2 failed" in result.stderr
    assert f"failed: {photos / 'empty.jpg'}: is empty" in result.stderr
    assert str(photos / "half.png") in result.stderr
    all_is_as_restore_makes_it(photos)
    assert (photos.parent / "out" / "plain.png").stat().st_mtime == (photos / "plain.png").stat().st_mtime
    before = {path: path.stat().st_ino for path in (photos.parent / "out").rglob("*")}
    again = bulk(photos)
    assert again.returncode == 1
    assert "1 shards were finished before" in again.stderr
    assert {path: path.stat().st_ino for path in (photos.parent / "out").rglob("*")} == before
    assert {each["input"] for each in report(photos)["failures"]} == {str(photos / "empty.jpg"), str(photos / "half.png")}
    words = burnish_("bulk", "--report", photos.parent / "out").stdout.splitlines()[0]
    assert words.startswith("8 files: ")
    assert words.endswith("2 failed")


def test_shares_do_all_between_them(photos: Path) -> None:
    for index in range(30):
        shutil.copy(photos / "plain.png", photos / f"{index:02d}.png")
    counts = []
    for share in ("0/2", "1/2"):
        result = bulk(photos, "", "--shard", share, "--json")
        assert result.returncode == 0, result.stderr
        counts.append(len(result.stdout.splitlines()))
    assert sum(counts) == 36
    assert all(counts)
    assert "; 3 shards were finished before" in bulk(photos).stderr
    assert report(photos)["restored"] + report(photos)["unchanged"] == 36
    refused_ = burnish_("bulk", photos, "-o", "out", "--shard", "3/2")
    assert refused_.returncode == 2
    assert "is no share" in refused_.stderr


@needs_posix
@pytest.mark.parametrize("when", [1, 2, 4, 9, 10])
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_whenever_it_is_ended_the_same_command_goes_on(photos: Path, when: int, how: str) -> None:
    """Before each kind of write: of outcomes, of files, of the shard's outcomes."""
    hook = f"""
shards.FLUSH_SECONDS = 0
create, left = places.Folder.create, [{when}]
def dying(self, key, file):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.{how})
    create(self, key, file)
places.Folder.create = dying
"""
    ended = bulk(photos, hook)
    if how == "SIGKILL":
        assert ended.returncode == -signal.SIGKILL
    elif when < 9:
        assert ended.returncode == 130
        assert ended.stderr.splitlines()[-1] == "burnish: stopped"
    assert "Traceback" not in ended.stderr
    for name, data in files(photos.parent / "out").items():
        if "burnish" not in name:  # a file aside that its writer could not take away
            assert gallery_is_whole(data)
    again = bulk(photos)
    assert again.returncode == 0, again.stderr
    all_is_as_restore_makes_it(photos)


def gallery_is_whole(data: bytes) -> bool:
    import pyvips

    return bool(pyvips.Image.new_from_buffer(data, "", fail_on="truncated").avg() > 0)


@needs_posix
def test_a_photo_that_kills_its_process_is_given_up_after_three_tries_and_one_that_killed_two_is_restored(photos: Path) -> None:
    hook = f"""
once = restore.restored
def killing(work):
    tries = pathlib.Path({str(photos.parent)!r}, "tried-" + work.source.name)
    with tries.open("a") as file: file.write("x")
    if work.source.name == "grey.png" or (work.source.name == "deep.png" and tries.stat().st_size <= 2):
        work.target.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return once(work)
restore.restored = killing
"""
    result = bulk(photos, hook)
    assert result.returncode == 1
    assert f"failed: {photos / 'grey.png'}: ended the process that restored it, 3 times (signal 9)" in result.stderr
    tried = {path.name: path.stat().st_size for path in photos.parent.glob("tried-*")}
    assert tried == {f"tried-{name}": 3 if name in ("grey.png", "deep.png") else 1 for name in (path.name for path in photos.rglob("*.*"))}
    told = report(photos)
    assert (told["restored"] + told["unchanged"], told["failed"]) == (5, 1)
    assert not (photos.parent / "out" / "grey.png").exists()


def test_two_runs_into_one_target_do_each_file_once(photos: Path) -> None:
    env = hooked(photos.parent, "shards.FLUSH_SECONDS = 0")
    command = [*BURNISH, "bulk", str(photos), "-o", str(photos.parent / "out"), "-m", "tiny-blind", "--processes", "1"]
    both = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, encoding="utf-8") for _ in range(2)]
    told = [each.communicate(timeout=300)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], told
    all_is_as_restore_makes_it(photos)


def test_two_runs_with_different_models_into_one_target_do_each_file_once_between_them(photos: Path) -> None:
    models = ("tiny-blind", "tiny-deblur")
    hook = "shards.FLUSH_SECONDS = 0"
    env, out = hooked(photos.parent, hook), photos.parent / "out"
    both = [
        subprocess.Popen(
            [*BURNISH, "bulk", str(photos), "-o", str(out), "-m", model, "--processes", "1", "--json"],
            env=env,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for model in models
    ]
    told = [[json.loads(line) for line in each.communicate(timeout=300)[0].splitlines()] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    by = {}
    for model, outcomes in zip(models, told, strict=True):
        assert len(outcomes) == 6
        by |= {line["output"]: model for line in outcomes if line["status"] != "skipped"}
    for model in models:
        assert burnish_("restore", photos, "-o", photos.parent / model, "-m", model).returncode == 0
    made = files(out)
    assert len(made) == len(by) == 6
    for name, data in made.items():
        assert data == (photos.parent / by[str(out / name)] / name).read_bytes(), "it is what the run made that says that it did"
    assert {key: report(photos)[key] for key in ("files", "skipped", "failed", "shards")} == {
        "files": 6,
        "skipped": 0,
        "failed": 0,
        "shards": 2,
    }


@needs_posix
def test_the_report_of_unfinished_work_tells_what_is_on_record(photos: Path) -> None:
    out = photos.parent / "out"
    hook = """
shards.FLUSH_SECONDS = 0
create, left = places.Folder.create, [6]
def dying(self, key, file):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    create(self, key, file)
places.Folder.create = dying
"""
    assert bulk(photos, hook).returncode == -signal.SIGKILL
    recorded = [json.loads(line) for part in (out / ".burnish").rglob("*.jsonl") for line in part.read_text("utf-8").splitlines()]
    assert 0 < len(recorded) < 6
    told = report(photos)
    assert {key: told[key] for key in ("files", "shards", "unfinished")} == {"files": len(recorded), "shards": 0, "unfinished": 1}
    assert told["restored"] + told["unchanged"] >= len(files(out)) > 0
    words = burnish_("bulk", "--report", out).stdout
    assert words.startswith(f"{len(recorded)} files: ")
    assert words.splitlines()[-1] == "0 shards finished, 1 begun"


def test_a_file_that_stands_there_already_is_left_alone(photos: Path) -> None:
    (photos.parent / "out").mkdir()
    (photos.parent / "out" / "plain.png").write_text("mine")
    result = bulk(photos)
    assert result.returncode == 0
    assert "1 skipped" in result.stderr
    assert (photos.parent / "out" / "plain.png").read_text() == "mine"


def test_a_file_that_comes_meanwhile_is_left_alone_too(photos: Path) -> None:
    hook = """
create = places.Folder.create
def late(self, key, file):
    if key == "plain.png":
        self.path(key).write_text("mine")
    create(self, key, file)
places.Folder.create = late
"""
    assert "1 skipped" in bulk(photos, hook).stderr
    assert (photos.parent / "out" / "plain.png").read_text() == "mine"
    assert report(photos)["skipped"] == 1


@needs_posix
def test_a_full_disk_loses_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = photos.parent / "out"
    monkeypatch.setenv("PYTHONPATH", hooked(photos.parent, "")["PYTHONPATH"])
    result = burnish_("bulk", photos, "-o", out, "-m", "tiny-blind", "--processes", "1", room=30_000)
    assert result.returncode == 1
    assert "the disk for temporary files has no room" in result.stderr
    assert "TMPDIR" in result.stderr
    assert "give the same command again" in result.stderr
    assert "failed:" not in result.stderr
    assert bulk(photos).returncode == 0
    all_is_as_restore_makes_it(photos)


def test_a_wrong_clock_changes_nothing(photos: Path) -> None:
    early = "import time; time.time = lambda: 1.0; time.time_ns = lambda: 10**9"
    assert bulk(photos, early).returncode == 0
    all_is_as_restore_makes_it(photos)
    assert "1 shards were finished before" in bulk(photos).stderr


def test_a_list_may_name_what_is_not_there_twice_the_same_and_two_that_become_one(photos: Path) -> None:
    plain, other = photos / "plain.png", photos.parent / "other"
    shutil.copytree(photos, other)
    lines = ["no image", str(plain), str(plain), str(photos / "none.png"), f"{photos}/../photos/grey.png"]
    (photos.parent / "list.txt").write_text("\n".join(lines))
    out = photos.parent / "out"
    result = burnish_("bulk", photos.parent / "list.txt", "-o", out, "-m", "tiny-blind")
    assert result.returncode == 1
    assert "list.txt, line 1: 'no image' is no path of an image" in result.stderr
    assert "none.png: cannot be read (No such file or directory)" in result.stderr
    assert ", 1 failed" in result.stderr
    told = json.loads(burnish_("bulk", "--report", out, "--json").stdout)
    assert (told["files"], told["restored"] + told["unchanged"]) == (3, 2)
    key = plain.relative_to(plain.anchor)
    assert (out / key).exists()
    assert (out / key.with_name("grey.png")).exists()


@needs_posix
def test_links_and_folders_without_images_are_named_and_no_failure(photos: Path) -> None:
    (photos / "up\n").symlink_to(photos, target_is_directory=True)
    result = bulk(photos)
    assert result.returncode == 0, result.stderr
    assert f"burnish: {photos / 'up '}: is a link to a folder" in result.stderr
    (photos.parent / "empty").mkdir()
    empty = burnish_("bulk", photos.parent / "empty", "-o", photos.parent / "out")
    assert empty.returncode == 0
    assert "empty: holds no image" in empty.stderr


def test_wrong_usage_and_places_without_work_are_told(photos: Path, tmp_path: Path) -> None:
    assert burnish_("bulk", photos).returncode == 2
    assert burnish_("bulk", photos, "-o", tmp_path / "out", "--engine", "abacus").returncode == 2
    refused(burnish_("bulk", photos, "-o", tmp_path / "out", "-m", "sead"), 2, "did you mean 'seed'")
    refused(burnish_("bulk", photos, "-o", photos), 1, "source and target at once")
    refused(burnish_("bulk", "--report", photos), 1, "no bulk work is on record there")
    refused(burnish_("bulk", tmp_path / "none", "-o", tmp_path / "out"), 1, "no such file or folder")
