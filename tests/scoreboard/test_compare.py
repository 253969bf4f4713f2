"""Runs side by side: what differs, what came of it, and folders that are no runs."""

import json
import re
from pathlib import Path

import pytest

from burnish.errors import InputError
from burnish.scoreboard import compare

RECIPE = 'name = "{name}"\nnetwork = "seed"\nlearning_rate = {rate}\nnetwork_args = {{}}\n'
HISTORY = "epoch,seconds,accuracy,loss,val_accuracy,val_loss,resumed_at\n"


def made(folder: Path, name: str, rate: float, losses: list[float], gain: float | None = None) -> Path:
    run = folder / name
    run.mkdir()
    (run / "recipe.toml").write_text(RECIPE.format(name=name, rate=rate))
    if losses:
        lines = [f"{epoch},30,0.5,{loss / 2},0.5,{loss},\n" for epoch, loss in enumerate(losses, 1)]
        (run / "history.csv").write_text(HISTORY + "".join(lines))
    if gain is not None:
        (run / "scores.json").write_text(json.dumps({"gain_db": gain, "gain_db_ci95": [gain - 0.1, gain + 0.1], "parameters": 6467}))
    return run


@pytest.fixture
def runs(tmp_path: Path) -> list[compare.Compared]:
    return [
        compare.read(made(tmp_path, "one", 0.001, [0.5, 0.2, 0.3, 0.4], gain=1.25)),
        compare.read(made(tmp_path, "two", 0.01, [0.4, 0.3])),
    ]


def test_only_what_differs_is_told_of_the_recipes(runs: list[compare.Compared]) -> None:
    assert compare.differences(runs) == {"name": ["one", "two"], "learning_rate": [0.001, 0.01]}
    assert compare.differences(runs[:1]) == {}


def test_the_results_are_the_histories_and_the_scoreboards(runs: list[compare.Compared]) -> None:
    one, two = compare.to_json(runs)
    assert one["differs"] == {"name": "one", "learning_rate": 0.001}
    assert (one["epochs"], one["best_val_loss"], one["best_epoch"], one["last_val_loss"], one["minutes"]) == (4, 0.2, 2, 0.4, 2.0)
    assert (one["gain_db"], one["gain_db_ci95"], one["parameters"]) == (1.25, [1.15, 1.35], 6467)
    assert (two["best_val_loss"], two["gain_db"], two["parameters"]) == (0.3, None, None)


def test_the_table_has_a_run_a_column(runs: list[compare.Compared]) -> None:
    lines = compare.table(runs).splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines]
    assert ["learning_rate", "0.001", "0.01"] in cells
    assert ["best validation loss", "0.2", "0.3"] in cells
    assert ["95 % interval", "+1.15 to +1.35", "—"] in cells
    assert ["parameters", "6,467", "—"] in cells
    assert ["of which is estimated", "no", "—"] in cells


def test_gains_that_nobody_could_measure_are_marked(tmp_path: Path) -> None:
    run = made(tmp_path, "noisy", 0.1, [0.2], gain=3.0)
    (run / "scores.json").write_text((run / "scores.json").read_text().replace("{", '{"estimated": true, ', 1))
    (read,) = compare.to_json([compare.read(run)])
    assert read["estimated"] is True


def test_a_run_that_has_only_begun_is_laid_beside(tmp_path: Path, runs: list[compare.Compared]) -> None:
    begun = compare.read(made(tmp_path, "begun", 0.1, []))
    assert begun.results["epochs"] == 0
    assert begun.results["best_val_loss"] is None
    assert len(compare.table([*runs, begun]).splitlines()) == len(compare.table(runs).splitlines())


def test_the_page_stands_alone_with_every_runs_curve(tmp_path: Path, runs: list[compare.Compared]) -> None:
    page = tmp_path / "page.html"
    compare.write_report(page, [*runs, compare.read(made(tmp_path, "<b>", 0.1, [0.9]))])
    text = page.read_text("utf-8")
    assert text.count("<polyline") == 2 * 3
    assert "&lt;b&gt;" in text
    assert not re.search(r"src=|href=|<script|url\(|<b>", text)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("recipe.toml", None, "no run's folder"),
        ("recipe.toml", b"name = ", "not a recipe"),
        ("recipe.toml", b"\xff", "not a recipe"),
        ("history.csv", b"epoch,loss\n1,2\n", "cannot be read"),
        ("history.csv", b"epoch,seconds,loss,val_loss\n1,2\n", "cannot be read"),
        ("scores.json", b"{", "cannot be read"),
        ("scores.json", b"[]", "holds no scoreboard"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, file: str, content: bytes | None, message: str) -> None:
    run = made(tmp_path, "one", 0.001, [0.5], gain=1.0)
    if content is None:
        (run / file).unlink()
    else:
        (run / file).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        compare.read(run)
    assert str(run) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_of_another_metric_and_runs_from_before_there_was_one_lie_side_by_side(tmp_path: Path) -> None:
    old, new = made(tmp_path, "old", 0.1, [0.2], gain=1.25), made(tmp_path, "new", 0.1, [0.3], gain=2.0)
    (new / "scores.json").write_text(json.dumps({"metric": "pesq", "gain": 0.5, "gain_ci95": [0.4, 0.6], "parameters": 7}))
    first, second = compare.to_json([compare.read(old), compare.read(new)])
    assert (first["metric"], first["gain"], first["gain_ci95"], first["gain_db"]) == ("psnr", 1.25, [1.15, 1.35], 1.25)
    assert (second["metric"], second["gain"], second["gain_ci95"], second["gain_db"]) == ("pesq", 0.5, [0.4, 0.6], None)
    cells = [re.split(r"\s{2,}", line.strip()) for line in compare.table([compare.read(old), compare.read(new)]).splitlines()]
    assert ["scored by", "psnr", "pesq"] in cells
    assert ["gain", "1.25", "0.5"] in cells
