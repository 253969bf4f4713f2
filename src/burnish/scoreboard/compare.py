"""Runs side by side: what differs in their recipes, and what came of it."""

import csv
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from burnish.errors import InputError
from burnish.files import write_text
from burnish.scoreboard import charts

NAME = 18  # letters of a run's name over the curves
RESULTS = {
    "epochs": "epochs",
    "best_val_loss": "best validation loss",
    "best_epoch": "in epoch",
    "last_val_loss": "last validation loss",
    "metric": "scored by",
    "gain": "gain",
    "gain_ci95": "95 % interval",
    "estimated": "of which is estimated",
    "parameters": "parameters",
    "minutes": "minutes",
}


@dataclass(frozen=True)
class Compared:
    """A run's folder as it was found: its whole recipe, its history (a row an epoch) and its scoreboard, None before its end."""

    name: str
    recipe: dict[str, Any]
    history: list[dict[str, float]]
    scores: dict[str, Any] | None

    @property
    def results(self) -> dict[str, Any]:
        """What came of the run, by the keys of RESULTS: losses, the gain by a metric, minutes; None for what there is not yet.

        Runs of images have their gain in dB of PSNR under `gain_db` and `gain_db_ci95` too; older ones have it there alone.
        """
        best = min(self.history, key=lambda row: row["val_loss"], default=None)
        scores = self.scores or {}
        gain, interval = scores.get("gain_db"), scores.get("gain_db_ci95")
        return {
            "epochs": len(self.history),
            "best_val_loss": best["val_loss"] if best else None,
            "best_epoch": int(best["epoch"]) if best else None,
            "last_val_loss": self.history[-1]["val_loss"] if self.history else None,
            "metric": scores.get("metric", "psnr") if scores else None,
            "gain": scores.get("gain", gain),
            "gain_ci95": scores.get("gain_ci95", interval),
            "gain_db": gain,
            "gain_db_ci95": interval,
            "estimated": bool(scores.get("estimated")) if scores else None,
            "parameters": scores.get("parameters"),
            "minutes": sum(row["seconds"] for row in self.history) / 60,
        }


def read(folder: Path) -> Compared:
    """The run in `folder`, finished or not. Raises InputError when it is no run's folder or a file in it is damaged."""
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{folder}: no run's folder (recipe.toml: {error.strerror}); name one that burnish train made") from error
    except ValueError as error:
        raise InputError(f"{folder / 'recipe.toml'}: not a recipe ({error}); train again in another folder") from error
    try:
        history, scores = folder / "history.csv", folder / "scores.json"
        found = json.loads(scores.read_text("utf-8")) if scores.exists() else None
        if not isinstance(found, dict | None):
            raise ValueError(f"{scores.name} holds no scoreboard")
        return Compared(str(folder), recipe, _rows(history.read_text("utf-8")) if history.exists() else [], found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: its history or scores cannot be read ({error}); burnish train --resume writes them again") from error


def _rows(text: str) -> list[dict[str, float]]:
    kept = ("epoch", "seconds", "loss", "val_loss")
    return [{key: float(row[key]) for key in kept} for row in csv.DictReader(text.splitlines())]


def differences(runs: Sequence[Compared]) -> dict[str, list[Any]]:
    """The recipes' keys that are not the same in all runs, each with its value in every run (None: the recipe has no such key)."""
    keys = dict.fromkeys(key for run in runs for key in run.recipe)
    values = {key: [run.recipe.get(key) for run in runs] for key in keys}
    return {key: each for key, each in values.items() if any(value != each[0] for value in each)}


def to_json(runs: Sequence[Compared]) -> list[dict[str, Any]]:
    """An object a run: its folder, what is its own in its recipe, and its results."""
    differing = differences(runs)
    return [
        {"run": run.name, "differs": {key: values[index] for key, values in differing.items()}, **run.results}
        for index, run in enumerate(runs)
    ]


def rows(runs: Sequence[Compared]) -> list[list[str]]:
    """A table of texts, a run a column: the runs' names, what differs in their recipes, and their results."""
    results = [run.results for run in runs]
    return [
        ["", *(run.name for run in runs)],
        *([key, *map(_shown, values)] for key, values in differences(runs).items()),
        *([label, *(_shown(each[key]) for each in results)] for key, label in RESULTS.items()),
    ]


def table(runs: Sequence[Compared]) -> str:
    """The rows as aligned text."""
    columns: list[list[str]] = []
    for column in zip(*rows(runs), strict=True):
        width = max(map(len, column))
        columns.append([cell.rjust(width) if columns else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(line) for line in zip(*columns, strict=True))


def write_report(path: Path, runs: Sequence[Compared]) -> None:
    """Write the table and the runs' curves, laid over each other, as one self-contained HTML page. Raises InputError when it cannot."""
    from burnish.scoreboard import report

    head, *body = rows(runs)
    header = "".join(f'<th scope="col" class="number">{escape(cell)}</th>' for cell in head[1:])
    lines = "".join(
        f'<tr><th scope="row">{escape(label)}</th>' + "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells) + "</tr>"
        for label, *cells in body
    )
    drawn = "".join(
        charts.curves(title, [(run.name[-NAME:], [row[key] for row in run.history]) for run in runs], log=True)
        for key, title in (("val_loss", "Validation loss"), ("loss", "Training loss"))
    )
    content = f'<div class="scroll"><table><thead><tr><td></td>{header}</tr></thead><tbody>{lines}</tbody></table></div>{drawn}'
    write_text(path, report.page(f"{len(runs)} runs", content))


def _shown(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " to ".join(f"{each:+.2f}" for each in value)
    return f"{value:,}" if type(value) is int else str(value)
