"""`burnish restore` as a person or a script meets it: lines, exit statuses, and what is left when it is broken off or the disk is full."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
from command import BURNISH, burnish_, refused
from conftest import needs_posix
from skimage import data, io

import burnish
from burnish.errors import ModelError

KEYS = {"input", "output", "status", "seconds", "megapixels", "noise", "jpeg", "error", "notes"}


def restore(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """`burnish restore` with a small model on one thread; without the lines of progress that a busy machine brings."""
    result = burnish_("restore", "-m", "tiny-blind", "--threads", "1", *arguments, **more)
    result.stderr = "".join(line for line in result.stderr.splitlines(keepends=True) if not line.startswith("restoring · "))
    return result


def outcomes(result: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """The JSON lines by the input's name."""
    return {Path(each["input"]).name: each for each in map(json.loads, result.stdout.splitlines())}


def everything(folder: Path) -> set[str]:
    """The names of all files under the folder."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_folder_with_good_and_bad(tmp_path: Path) -> None:
    names = ("plain.png", "camera.jpg", "moving.gif", "stack.tif")
    gallery.write(tmp_path / "in", *names)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG")
    (tmp_path / "in" / "read me.txt").touch()
    result = restore(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.returncode == 1
    told = outcomes(result)
    assert told.keys() == {*names, "broken.png"}
    assert all(each.keys() >= KEYS for each in told.values())
    for name in names:
        assert told[name]["status"] == "restored"
        assert told[name]["error"] is None
        assert told[name]["output"] == str(tmp_path / "out" / name)
        assert told[name]["megapixels"] == pytest.approx(0.0195 * {"moving.gif": 3, "stack.tif": 4}.get(name, 1))
    assert told["broken.png"]["status"] == "failed"
    assert "broken.png" in told["broken.png"]["error"]
    assert everything(tmp_path / "out") == set(names)
    summary = result.stderr.splitlines()
    assert "4 restored, 1 failed; 1 file passed over that is no image" in summary[0]
    assert "broken.png" in summary[1]
    again = restore(tmp_path / "in", "-o", tmp_path / "out")
    assert again.returncode == 1
    assert "4 skipped, 1 failed" in again.stderr


def test_what_was_taken_away_is_said_in_words_and_in_json(tmp_path: Path) -> None:
    noisy = gallery.spoilt("noise:8+8bit", data.astronaut()[:200, :200])
    gallery.image(noisy).pngsave(str(tmp_path / "noisy.png"))
    said = re.search(r"; noise of sigma (\d+\.\d) down to (\d+\.\d)", restore(tmp_path / "noisy.png", "-o", tmp_path / "a.png").stdout)
    assert said
    assert float(said[1]) == pytest.approx(8, rel=0.2)
    for more in ([], ["--force"]):
        (each,) = outcomes(restore(tmp_path / "noisy.png", "-o", tmp_path / "a.png", "--overwrite", "--json", *more)).values()
        assert each["noise"]["before"] == pytest.approx(8, rel=0.2)
        assert each["noise"]["after"] < 4
        assert each["jpeg"] == {"found": False, "lessened": False}
    gallery.image(np.full((64, 64, 3), 99, np.uint8)).pngsave(str(tmp_path / "even.png"))
    (each,) = outcomes(restore(tmp_path / "even.png", "-o", tmp_path / "b.png", "--json")).values()
    assert (each["noise"], each["jpeg"]) == (None, {"found": False, "lessened": False})
    (each,) = outcomes(restore(tmp_path / "even.png", "-o", tmp_path / "b.png", "--json")).values()
    assert (each["status"], each["noise"], each["jpeg"]) == ("skipped", None, None)


def test_one_photo_without_a_place_or_with_a_file_for_it(tmp_path: Path) -> None:
    (photo,) = gallery.write(tmp_path, "plain.png")
    assert restore(photo).returncode == 0
    result = restore(photo, "-o", tmp_path / "new" / "other.tif")
    assert result.returncode == 0
    assert str(tmp_path / "new" / "other.tif") in result.stdout
    assert result.stderr == ""
    before, direct, converted = (gallery.opened(tmp_path / name).numpy() for name in ("plain.png", "plain-restored.png", "new/other.tif"))
    np.testing.assert_array_equal(direct, converted)
    assert np.abs(direct.astype(int) - burnish.load("tiny-blind").restore(before)).max() <= 1


def test_difficult_names(tmp_path: Path) -> None:
    names = ["-o.png", "a photo.png", "Straße ☀[Q=1].png", "new\nline.png", "--json.png", "%s.png"]
    (photo,) = gallery.write(tmp_path, "plain.png")
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).write_bytes(photo.read_bytes())
    result = restore("-o", "../out", "--", *names, cwd=tmp_path / "in")
    assert result.returncode == 0, result.stderr
    assert everything(tmp_path / "out") == set(names)
    assert {each.read_bytes() for each in (tmp_path / "out").iterdir()} == {(tmp_path / "out" / "a photo.png").read_bytes()}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the platform has no such names")
def test_a_name_that_is_no_utf8_is_escaped_in_words_and_whole_in_json(tmp_path: Path) -> None:
    gallery.write(tmp_path / "in", "plain.png")
    name = os.fsdecode(b"lat\xff.png")
    (tmp_path / "in" / "plain.png").rename(tmp_path / "in" / name)
    result = restore(tmp_path / "in", "-o", tmp_path / "out", "--force")
    assert result.returncode == 0, result.stderr
    assert f"{tmp_path / 'out'}/lat\\xff.png: restored" in result.stdout
    told = restore(tmp_path / "in", "-o", tmp_path / "out", "--force", "--json")
    told.stdout.encode("ascii")
    (each,) = map(json.loads, told.stdout.splitlines())
    assert Path(each["output"]) == tmp_path / "out" / name, "lossless, as Python holds it"
    (tmp_path / "in" / name).write_bytes(b"no image")
    refused(restore(tmp_path / "in" / name, "-o", tmp_path / "new.png"), 1, "lat\\xff.png")


def test_nothing_is_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = restore(tmp_path / "empty")
    assert result.returncode == 0
    assert f"{tmp_path / 'empty'}: holds no image" in result.stderr
    (tmp_path / "empty" / "link").symlink_to(tmp_path, target_is_directory=True)
    assert "empty/link: is a link to a folder, which is passed over" in restore(tmp_path / "empty").stderr


def test_a_result_of_other_settings_is_skipped_aloud(tmp_path: Path) -> None:
    (photo,) = gallery.write(tmp_path, "plain.png")
    target = tmp_path / "out.png"
    assert restore(photo, "-o", target, "--force").returncode == 0
    assert restore(photo, "-o", target, "--force").stdout == f"{target}: skipped\n" or not hasattr(os, "setxattr")
    os.utime(photo, ns=(0, 0))
    result = restore(photo, "-o", target, "--force", "--strength", "0.5")
    assert result.returncode == 0
    assert "skipped; its source has changed since" in result.stdout
    assert "--overwrite" in result.stdout


def test_a_reader_that_has_seen_enough_ends_the_work(tmp_path: Path) -> None:
    (photo,) = gallery.write(tmp_path / "in", "plain.png")
    for index in range(40):
        (tmp_path / "in" / f"{index}.png").write_bytes(photo.read_bytes())
    command = [*BURNISH, "restore", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-m", "tiny-blind", "--threads", "1", "--force"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    assert "restored" in process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert "Traceback" not in said
    assert not [name for name in everything(tmp_path / "out") if name.startswith(".")]


def test_wrong_usage_is_status_two_and_touches_nothing(tmp_path: Path) -> None:
    (photo,) = gallery.write(tmp_path, "plain.png")
    for wrong in (
        ["--strength", "1.5"],
        ["--strength", "much"],
        ["--tile", "0"],
        ["--range", "5"],
        ["--range", "9-3"],
        ["--threads", "0"],
        ["--nonsense"],
    ):
        result = restore(photo, *wrong)
        assert result.returncode == 2, wrong
        assert wrong[0] in result.stderr
    assert burnish_("restore").returncode == 2
    assert everything(tmp_path) == {"plain.png"}


@pytest.mark.parametrize("model", ["latent", "patches"])
def test_what_only_rebuilds_restores_nothing(tmp_path: Path, model: str) -> None:
    picture = tmp_path / "a.png"
    io.imsave(picture, np.zeros((32, 32, 3), np.uint8), check_contrast=False)
    refused(burnish_("restore", picture, "-m", model), 1, f"{model}: restores nothing", "burnish encode")
    with pytest.raises(ModelError, match="restores nothing"):
        burnish.restore_file(picture, tmp_path / "b.png", model)
    refused(burnish_("bulk", tmp_path, "-o", tmp_path / "out", "-m", model), 1, f"{model}: restores nothing")


def test_refusals(tmp_path: Path) -> None:
    (photo,) = gallery.write(tmp_path, "plain.png")
    refused(restore(tmp_path / "none.png"), 1, "none.png", "No such file")
    refused(burnish_("restore", photo, "-m", "sead"), 2, "sead", "did you mean 'seed'")
    refused(restore(photo, "-o", photo), 1, "its own result", "-o")
    refused(restore(photo, "-o", photo, "--overwrite"), 1, "its own result")
    refused(restore(photo, "--max-pixels", "100"), 1, "150", "130", "--max-pixels")
    refused(restore(photo, "-o", tmp_path / "new" / "b.bmp"), 1, "b.bmp", "write .avif, .gif")
    if Path("/proc/self").exists():
        refused(restore(photo, "-o", "/proc/burnish"), 1, "/proc/burnish", "could not be written")
    (deep,) = gallery.write(tmp_path, "deep.png")
    refused(restore(deep, "-o", tmp_path / "b.jpg"), 1, "16 bits", ".tif")
    assert everything(tmp_path) == {"plain.png", "deep.png"}


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    photos = gallery.write(tmp_path / "in", "plain.png", "camera.jpg", "stack.tif", "plain.webp", "plain.avif", "moving.gif")
    result = restore(tmp_path / "in", "-o", tmp_path / "out", "--json", room=1000)
    assert result.returncode == 1
    for name, outcome in outcomes(result).items():
        assert outcome["status"] == "failed", name
        assert "could not be written" in outcome["error"]
        assert "space" in outcome["error"]
    assert len(outcomes(result)) == len(photos)
    assert everything(tmp_path / "out") == set()


def test_a_disk_that_fills_up_fails_what_does_not_fit_and_no_more(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small disk to be had here")
    try:
        (photo,) = gallery.write(tmp_path / "in", "plain.png")
        gallery.opened(photo).replicate(4, 4).tiffsave(str(tmp_path / "in" / "large.tif"))
        told = outcomes(restore(tmp_path / "in", "-o", disk, "--json", "--force"))
        assert {name: each["status"] for name, each in told.items()} == {"plain.png": "restored", "large.tif": "failed"}
        assert "space" in told["large.tif"]["error"]
        assert everything(disk) == {"plain.png"}
    finally:
        subprocess.run(["umount", disk], check=True)


def test_unchanged_is_status_zero_with_a_reason_and_force_restores(tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.png"
    gallery.image(gallery.spoilt("noise:45+8bit")).pngsave(str(noisy))
    result = restore(noisy, "-o", tmp_path / "out.png")
    assert result.returncode == 0
    assert "unchanged" in result.stdout
    assert "noisier than anything tiny-blind was trained on" in result.stdout
    assert "--force" in result.stdout
    assert (tmp_path / "out.png").read_bytes() == noisy.read_bytes()
    forced = restore(noisy, "-o", tmp_path / "out.png", "--force", "--overwrite", "--json")
    assert outcomes(forced)["noisy.png"]["status"] == "restored"
    assert (tmp_path / "out.png").read_bytes() != noisy.read_bytes()


def test_range_and_strength_reach_the_pixels(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "beyond.tif")
    assert restore(source, "-o", tmp_path / "none.tif", "--strength", "0", "--force").returncode == 0
    assert restore(source, "-o", tmp_path / "told.tif", "--range", "-1e3-1000", "--force").returncode == 0
    before, none, told = (gallery.opened(tmp_path / name).numpy() for name in ("beyond.tif", "none.tif", "told.tif"))
    np.testing.assert_allclose(none, before, atol=1e-3)
    expected = burnish.load("tiny-blind").restore((before + 1000) / 2000) * 2000 - 1000
    np.testing.assert_allclose(told, expected, atol=0.2)


@needs_posix
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_broken_off_it_leaves_no_part_of_a_file_and_then_goes_on(how: str, tmp_path: Path) -> None:
    number = getattr(signal, how)
    gallery.write(tmp_path / "in", "plain.png")
    gallery.opened(tmp_path / "in" / "plain.png").replicate(6, 6).pngsave(str(tmp_path / "in" / "slow.png"))
    command = [*BURNISH, "restore", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-m", "tiny-blind", "--threads", "1", "--force"]
    process = subprocess.Popen([*command, "--tile", "16"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    while "plain.png" not in os.listdir(tmp_path / "out") if (tmp_path / "out").exists() else True:
        assert time.monotonic() < started + 120
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if how == "SIGINT" else -number)
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "slow.png").exists()
    if how == "SIGINT":
        assert everything(tmp_path / "out") == {"plain.png"}
    result = burnish_(*command[3:], "--json")
    assert {name: each["status"] for name, each in outcomes(result).items()} == {"plain.png": "skipped", "slow.png": "restored"}
    assert everything(tmp_path / "out") == {"plain.png", "slow.png"}
