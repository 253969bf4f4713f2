"""The page people look at: one HTML file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from burnish.files import write_text
from burnish.model.card import Card
from burnish.scoreboard import charts
from burnish.scoreboard.board import ESTIMATED, Metric, Scoreboard, count, gain_cell, gain_head, shown, signed, titled, verdict, words
from burnish.wording import counted

STYLE = """
:root { --paper: #fff; --ink: #1d1d1f; --quiet: #6b6b70; --rule: #e3e3e6; --one: #2563a8; --two: #c2571a; --bad: #b3261e;
  --three: #2c7a4b; --four: #7a4fa3; --five: #8a6d00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16171a; --ink: #e8e8ea; --quiet: #a0a0a6; --rule: #333439; --one: #7fb2ea; --two: #f0a070; --bad: #f28b82;
    --three: #7ccb9a; --four: #c3a1ea; --five: #dcc25a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { margin-top: 3.5rem; border-top: 1px solid var(--rule); padding-top: 1.5rem; }
h3 { margin: 2rem 0 .5rem; font-size: 1rem; } .verdict { font-size: 1.15rem; } .bad { color: var(--bad); }
.quiet, figcaption { color: var(--quiet); font-size: .875rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
.scroll { overflow-x: auto; }
th, td { padding: .3rem 1rem .3rem 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top; }
.number { text-align: right; white-space: nowrap; } tr.own td { font-weight: 600; }
.samples { display: grid; grid-template-columns: repeat(3, minmax(0, max-content)); gap: .4rem .6rem; }
.samples figure { margin: 0; } .samples img { max-width: 100%; height: auto; image-rendering: pixelated; display: block; }
.samples p { grid-column: 1 / -1; margin: .8rem 0 0; }
@media (max-width: 40rem) { .samples:has(audio) { grid-template-columns: minmax(0, 1fr); } }
svg { width: 100%; max-width: 35rem; font: 12px system-ui, sans-serif; } svg text:not([fill]) { fill: var(--quiet); }
svg text.head { fill: var(--ink); font-weight: 600; } svg .rule { stroke: var(--rule); }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--rule); border-radius: 6px; font-size: .8125rem; }
"""


@dataclass(frozen=True)
class Story:
    """A model with all there is to tell of it. `history` holds a row an epoch, `recipe` its TOML; both may be empty."""

    board: Scoreboard
    card: Card
    history: list[dict[str, Any]]
    recipe: str


def write_report(path: Path, title: str, stories: Sequence[Story]) -> None:
    """Write the stories as one self-contained HTML page, whole or not at all. Raises InputError when it cannot be written."""
    summary = "".join(f"<li>{_verdict(story.board)}</li>" for story in stories)
    measured = dict.fromkeys(story.board.measured for story in stories if story.board.measured)
    how = "".join(f"<p>{escape(each)}</p>" for each in measured)
    method = f"<h2>How it was measured</h2>{how}" if how else ""
    write_text(path, page(title, f'<ul class="verdict">{summary}</ul>{"".join(_story(story) for story in stories)}{method}'))


def page(title: str, content: str) -> str:
    """An HTML page that needs nothing else, with `content` (HTML) under its title."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title><style>{STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1>{content}</body></html>\n"
    )


def _verdict(board: Scoreboard) -> str:
    if board.rival != "input":
        return escape(verdict(board)) if board.helps else f'<span class="bad">{escape(verdict(board))}</span>'
    name, metric = escape(board.model), board.headline
    low, high = (signed(end, metric) for end in board.gain_ci95)
    scores = board.scores[metric.name]
    gain = f"{signed(board.gain, metric)} {metric.unit or metric.label}"
    told = (
        f"{gain} (95 % interval {low} to {high}): {shown(metric, scores['model'])} {metric.unit} against "
        f"{shown(metric, scores['input'])} {metric.unit} untouched, on {count(board.items, board.kind)} of {escape(board.data)}"
    )
    return f"<b>{name} helps:</b> {told}." if board.helps else f'<b class="bad">{name} does not help:</b> {told}.'


def _story(story: Story) -> str:
    board = story.board
    scores, metric = board.scores[board.metric], board.headline
    against = "input" if board.led is None else board.rival
    gains = [(words(key), value - scores[against]) for key, value in scores.items() if key not in ("input", "model", against)]
    gains.append((board.model, scores["model"] - scores[against]))
    over = "the untouched input" if board.led is None else words(against)
    parts = [
        f"<h2>{escape(board.model)}</h2><p>{escape(story.card.summary)}</p>",
        _scores(board),
        charts.bars(f"Gain over {over}, {metric.unit or metric.label}", gains, "do nothing" if board.led is None else over),
    ]
    if board.samples:
        parts.append(f'<h3>Samples</h3><div class="samples">{"".join(sample.html() for sample in board.samples)}</div>')
    if story.history:
        parts.append("<h3>Training</h3>" + _curves(story))
    parts.append("<h3>The model</h3>" + _card(story.card))
    if story.recipe:
        parts.append(f"<h3>The recipe</h3><pre>{escape(story.recipe)}</pre>")
    return "".join(parts)


def _scores(board: Scoreboard) -> str:
    columns = [metric for metric in board.metrics if metric.of_baselines and metric.name in board.scores]
    told = "".join(f"<p><b>{escape(note)}</b></p>" for note in ([ESTIMATED] if board.estimated else []) + list(board.notes))
    heads = "".join(f'<th scope="col" class="number">{escape(titled(metric))}</th>' for metric in columns)
    missing = "".join(
        f'<tr><td>{escape(words(key))}</td><td colspan="{len(columns) + 1}" class="quiet">not applicable: {escape(why)}</td></tr>'
        for key, why in board.not_applicable.items()
    )
    skipped = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in board.skipped)
    return (
        f"<p class=quiet>{escape(board.data)}, {count(board.items, board.kind)}, degraded by <code>{escape(board.degradation)}</code></p>"
        f'{told}<div class="scroll"><table><thead><tr><th scope="col">method</th>{heads}'
        f'<th scope="col" class="number">{escape(gain_head(board))}</th></tr></thead>'
        f"<tbody>{_rows(board, columns)}{missing}</tbody></table></div>{_beside(board)}"
        + (f"<p>Skipped:</p><ul>{skipped}</ul>" if skipped else "")
    )


def _rows(board: Scoreboard, columns: Sequence[Metric]) -> str:
    """A row for doing nothing, for each baseline and for the model."""
    lines = [("untouched input", "", "input"), *((words(key), setting, key) for key, setting in board.settings.items())]
    parts = []
    for name, setting, method in [*lines, (board.model, "", "model")]:
        values = [shown(metric, board.scores[metric.name].get(method)) for metric in columns]
        values.append(gain_cell(board, method))
        cells = "".join(f'<td class="number">{value}</td>' for value in values)
        own = " class=own" if method == "model" else ""
        parts.append(f"<tr{own}><td>{escape(name)}<br><span class=quiet>{escape(setting)}</span></td>{cells}</tr>")
    return "".join(parts)


def _beside(board: Scoreboard) -> str:
    """The metrics that baselines are not measured by, where they tell anything."""
    parts = []
    for metric in board.metrics:
        values = board.scores.get(metric.name, {})
        if not metric.of_baselines and values and values["model"] != values["input"]:
            model, nothing = (shown(metric, values[method]) for method in ("model", "input"))
            label = metric.label[:1].upper() + metric.label[1:]
            parts.append(f"<p>{escape(label)} {model}; the untouched input has {nothing}.</p>")
    return "".join(parts)


def _curves(story: Story) -> str:
    def column(key: str) -> list[float | None]:
        return [row.get(key) for row in story.history]

    losses = charts.curves("Loss", [("training", column("loss")), ("validation", column("val_loss"))], log=True)
    accuracy = story.board.scores.get("channel_accuracy")
    if accuracy is None or story.card.channels == 1:  # one channel is always the brightest
        return losses
    nothing = [accuracy["input"]] * len(story.history)
    accuracies: list[charts.Series] = [("training", column("accuracy")), ("validation", column("val_accuracy"))]
    accuracies.append(("do nothing (test)", nothing))
    return losses + charts.curves("Channel accuracy", accuracies)


def _card(card: Card) -> str:
    facts = {
        "parameters": f"{card.parameters:,} ({card.parameters * 4 / 1024:.2f} KB)",
        **_work(card),
        "halo": counted(card.halo, "pixel" if card.kind == "image" else "sample"),
        "trained for": card.degradation,
        "data": f"{card.data.get('name')} ({card.data.get('fingerprint')}): {card.data.get('terms')}",
        "licence": card.licence,
        "made by": f"Burnish {card.version}",
    }
    rows = "".join(f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>' for key, value in facts.items())
    layers = "".join(
        f'<tr><td>{escape(str(layer["name"]))}</td><td class="number">{" × ".join(map(str, layer["output_shape"]))}</td>'
        f'<td class="number">{layer["parameters"]:,}</td></tr>'
        for layer in card.layers
    )
    item = "a 32×32 image" if card.kind == "image" else "a frame"
    return (
        f'<div class="scroll"><table><tbody>{rows}</tbody></table></div><h3>Layers, for {item}</h3>'
        f'<div class="scroll"><table><thead>'
        f'<tr><th scope="col">layer</th><th scope="col" class="number">output</th><th scope="col" class="number">parameters</th>'
        f"</tr></thead>"
        f"<tbody>{layers}</tbody></table></div>"
    )


def _work(card: Card) -> dict[str, str]:
    if card.macs_per_pixel is not None:
        return {"multiply-adds a pixel": f"{card.macs_per_pixel:,.0f}"}
    return {"multiply-adds a second": f"{card.macs_per_second or 0:,.0f}"}
