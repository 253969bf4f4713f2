"""Many photos: the tree is mirrored, what is done is skipped, one bad file is no other's trouble."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import gallery
import pytest
from conftest import needs_posix

import burnish
from burnish.files import atomic
from burnish.image import batch
from burnish.image import files as image_files
from burnish.image.batch import planned, restore_all
from burnish.image.restore import RestoreResult, Settings

TINY = burnish.load("tiny-blind", 1)


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    """A folder of photos, with folders in it, and things that are no photos."""
    folder = tmp_path / "holiday"
    gallery.write(folder, "plain.png")
    gallery.write(folder / "day 2 ☀", "camera.jpg")
    gallery.write(folder / "day 2 ☀" / "[Q=1]", "deep.png")
    (folder / "notes.txt").write_text("a lovely day")
    (folder / "day 2 ☀" / ".DS_Store").write_bytes(b"\0\0\0\1")
    return folder


def run(folder: Path, out: Path | None, settings: Settings | None = None) -> dict[str, RestoreResult]:
    """What became of the photos in the folder, by their names."""
    told: list[RestoreResult] = []
    plan = planned([folder], out)
    outcomes = restore_all(plan, TINY, settings or Settings(gate=False), lambda *_: None, told.append)
    assert told == outcomes, "each is told, in order"
    assert [each.input for each in outcomes[len(plan.unread) :]] == [source for source, _ in plan.jobs]
    return {each.input.name: each for each in outcomes}


def files(folder: Path) -> dict[str, bytes]:
    """All files under the folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_tree_is_mirrored_and_holds_nothing_but_pictures(holiday: Path, tmp_path: Path) -> None:
    before = files(holiday)
    plan = planned([holiday], tmp_path / "out")
    assert plan.passed_over == 2
    assert {each.status for each in run(holiday, tmp_path / "out").values()} == {"restored"}
    assert set(files(tmp_path / "out")) == {"plain.png", "day 2 ☀/camera.jpg", "day 2 ☀/[Q=1]/deep.png"}
    assert files(holiday) == before


def test_beside_the_input_when_no_place_is_named_and_not_again(holiday: Path) -> None:
    run(holiday, None)
    assert (holiday / "plain-restored.png").exists()
    assert (holiday / "day 2 ☀" / "[Q=1]" / "deep-restored.png").exists()
    assert [source.name for source, _ in planned([holiday], None).jobs] == ["plain.png", "camera.jpg", "deep.png"]
    lone = holiday / "mine-restored.png"  # somebody else's name
    shutil.copy(holiday / "plain.png", lone)
    assert lone in [source for source, _ in planned([holiday], None).jobs]


def test_one_input_may_name_its_output(tmp_path: Path) -> None:
    photo, folder = tmp_path / "a.png", tmp_path / "there"
    folder.mkdir()
    assert planned([photo], tmp_path / "new" / "b.png").jobs == [(photo, tmp_path / "new" / "b.png")]
    assert planned([photo], folder).jobs == [(photo, folder / "a.png")]
    assert planned([photo], tmp_path / "new").jobs == [(photo, tmp_path / "new" / "a.png")]
    assert planned([photo, photo], tmp_path / "new").jobs == [(photo, tmp_path / "new" / "a.png")]


def test_a_second_run_skips_what_is_done(holiday: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(holiday, out)
    first = files(out)
    (out / "plain.png").unlink()
    assert {name: each.status for name, each in run(holiday, out).items()} == {
        "plain.png": "restored",
        "camera.jpg": "skipped",
        "deep.png": "skipped",
    }
    assert files(out) == first
    assert {each.status for each in run(holiday, out, Settings(gate=False, overwrite=True)).values()} == {"restored"}


@needs_posix
def test_one_bad_file_does_not_stop_the_rest(holiday: Path, tmp_path: Path) -> None:
    (holiday / "broken.png").write_bytes((holiday / "plain.png").read_bytes()[:2000])
    (holiday / "empty.jpg").touch()
    (holiday / "text.webp").write_text("no image")
    (holiday / "loop.png").symlink_to(holiday / "loop.png")
    (holiday / "nowhere.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(holiday / "pipe.png")
    bad = {"broken.png", "empty.jpg", "text.webp", "loop.png", "nowhere.png", "pipe.png"}
    outcomes = run(holiday, tmp_path / "out")
    assert {name for name, each in outcomes.items() if each.status == "failed"} == bad
    assert all(name in (outcomes[name].error or "") for name in bad)
    assert set(files(tmp_path / "out")) == {"plain.png", "day 2 ☀/camera.jpg", "day 2 ☀/[Q=1]/deep.png"}


@needs_posix
def test_folders_that_lead_back_are_walked_once(holiday: Path, tmp_path: Path) -> None:
    (holiday / "day 2 ☀" / "up").symlink_to(holiday, target_is_directory=True)
    assert len(planned([holiday], tmp_path / "out").jobs) == 3
    inside = holiday / "out"
    run(holiday, inside)
    assert {each.status for each in run(holiday, inside).values()} == {"skipped"}, "results within the folder are no inputs"


def test_links_to_folders_and_empty_folders_are_told(holiday: Path, tmp_path: Path) -> None:
    (holiday / "up").symlink_to(holiday, target_is_directory=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(holiday, target_is_directory=True)
    plan = planned([tmp_path / "empty", tmp_path / "link"], tmp_path / "out")
    assert len(plan.jobs) == 3, "a folder may be given by a link to it"
    assert plan.jobs[0][1].is_relative_to(tmp_path / "out")
    assert plan.remarks == [
        f"{tmp_path / 'empty'}: holds no image",
        f"{tmp_path / 'link' / 'up'}: is a link to a folder, which is passed over; give it by itself to have it restored",
    ]


def test_what_macos_leaves_beside_photos_is_passed_over(holiday: Path, tmp_path: Path) -> None:
    (holiday / "._plain.png").write_bytes(b"\0\5\x16\7" + bytes(100))
    plan = planned([holiday], tmp_path / "out")
    assert len(plan.jobs) == 3
    assert plan.passed_over == 3


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the platform has no such names")
def test_a_name_of_any_bytes_is_as_good_as_another(holiday: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"lat\xff.png")
    shutil.copy(holiday / "plain.png", holiday / name)
    results = run(holiday, tmp_path / "out")
    assert {each.status for each in results.values()} == {"restored"}
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "out" / "plain.png").read_bytes()


def test_a_name_too_long_for_its_result_fails_alone(holiday: Path, tmp_path: Path) -> None:
    name = "x" * 246 + ".png"
    shutil.copy(holiday / "plain.png", holiday / name)
    results = run(holiday, None)
    assert [each for each, result in results.items() if result.status == "failed"] == [name]
    assert "too long" in (results[name].error or "")
    assert "-o" in (results[name].error or "")
    assert run(holiday, tmp_path / "out")[name].status == "restored"


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "Input/output error"),
        RecursionError("deep"),
        MemoryError(),
        UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"),
        KeyError("a"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["open_photo", "format_for", "save"])
def test_whatever_is_wrong_with_one_file_is_its_own(
    error: Exception, where: str, holiday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = getattr(image_files, where)

    def broken(photo: Any, *rest: Any) -> Any:
        if getattr(photo, "path", photo).name == "plain.png":
            raise error
        return usual(photo, *rest)

    monkeypatch.setattr(image_files, where, broken)
    results = run(holiday, tmp_path / "out")
    assert {name: each.status for name, each in results.items()} == {
        "plain.png": "failed",
        "camera.jpg": "restored",
        "deep.png": "restored",
    }
    assert "plain.png" in (results["plain.png"].error or "")
    assert set(files(tmp_path / "out")) == {"day 2 ☀/camera.jpg", "day 2 ☀/[Q=1]/deep.png"}


def test_a_folder_that_cannot_be_listed_fails_aloud(holiday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("☀"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    outcomes = run(holiday, tmp_path / "out")
    assert outcomes["plain.png"].status == "restored"
    assert "Permission denied" in (outcomes["day 2 ☀"].error or "")


def test_two_inputs_for_one_output_are_not_mixed_up(tmp_path: Path) -> None:
    for place in "ab":
        gallery.write(tmp_path / place, "plain.png")
    plan = planned([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    first, second = restore_all(plan, TINY, Settings(gate=False), lambda *_: None, lambda _: None)
    assert first.status == "restored"
    assert second.status == "failed"
    assert str(tmp_path / "a" / "plain.png") in (second.error or "")


@pytest.mark.parametrize("ignores", [True, False], ids=["one-name", "two-names"])
def test_names_that_differ_in_case_are_one_where_the_folder_says_so(ignores: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photo,) = gallery.write(tmp_path / "a", "plain.png")
    (tmp_path / "b").mkdir()
    shutil.copy(photo, tmp_path / "b" / "PLAIN.png")
    monkeypatch.setattr(batch, "_ignores_case", lambda _folder: ignores)
    plan = planned([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    first, second = restore_all(plan, TINY, Settings(gate=False), lambda *_: None, lambda _: None)
    assert first.status == "restored"
    assert second.status == ("failed" if ignores else "restored")
    assert not ignores or str(photo) in (second.error or "")


def test_whether_a_folder_ignores_case_is_tried_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "a").touch()
    assert batch._ignores_case(tmp_path / "new") == (tmp_path / "probe" / "A").exists()
    assert os.listdir(tmp_path / "new") == []


def test_a_photo_that_is_an_input_is_no_place_for_anothers_result(tmp_path: Path) -> None:
    for place in "ab":
        gallery.write(tmp_path / place, "plain.png")
    before = (tmp_path / "b" / "plain.png").read_bytes()
    plan = planned([tmp_path / "a" / "plain.png", tmp_path / "b" / "plain.png"], tmp_path / "b")
    first, second = restore_all(plan, TINY, Settings(gate=False, overwrite=True), lambda *_: None, lambda _: None)
    assert (first.status, second.status) == ("failed", "failed")
    assert "which is to be restored too" in (first.error or "")
    assert (tmp_path / "b" / "plain.png").read_bytes() == before


def test_progress_counts_pixels(holiday: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    restore_all(planned([holiday], tmp_path / "out"), TINY, Settings(gate=False), lambda *args: seen.append(args[:2]), lambda _: None)  # type: ignore[arg-type]
    pixels = 3 * gallery.SIDE[0] * gallery.SIDE[1]
    assert seen[-1] == (pixels, pixels)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_waits_is_told_from_what_was_opened(holiday: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        shutil.copy(holiday / "plain.png", holiday / name)
    (holiday / "broken.png").write_bytes((holiday / "plain.png").read_bytes()[:50])
    seen: list[tuple[int, int, str]] = []
    plan = planned([holiday], tmp_path / "out")
    restore_all(plan, TINY, Settings(gate=False), lambda done, total, note="": seen.append((done, total or 0, note)), lambda _: None, 1)
    side = gallery.SIDE[0] * gallery.SIDE[1]
    assert seen[0][1] > 2 * side, "files not opened yet count"
    assert seen[-1] == (5 * side, 5 * side, "0.1 megapixels, 6 of 6 photos")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.parametrize("when", [1, 3])
def test_an_interrupt_stops_all_and_leaves_no_part_of_a_file(holiday: Path, tmp_path: Path, when: int) -> None:
    told: list[RestoreResult] = []

    def tell(outcome: RestoreResult) -> None:
        told.append(outcome)
        if len(told) == when:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_all(planned([holiday], tmp_path / "out"), TINY, Settings(gate=False), lambda *_: None, tell)
    assert not [name for name in files(tmp_path / "out") if Path(name).name.startswith(".")]
    assert {each.status for each in run(holiday, tmp_path / "out").values()} <= {"restored", "skipped"}


def test_leftovers_of_the_killed_are_cleared(holiday: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with atomic(tmp_path / "out" / "mine.png") as temporary:
        (tmp_path / "out" / f"{temporary.name[:-4]}x.png").write_bytes(b"half")
        run(holiday, tmp_path / "out")
        assert temporary.exists(), "somebody is at work on it"
    assert "plain.png" in files(tmp_path / "out")
    assert not [name for name in files(tmp_path / "out") if "burnish" in name]
