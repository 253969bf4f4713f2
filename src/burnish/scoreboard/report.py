"""The page people look at: one HTML file that needs nothing else, and one picture."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import MissingExtraError
from burnish.files import atomic, write_text
from burnish.model.card import Card
from burnish.scoreboard import charts
from burnish.scoreboard.board import ESTIMATED, Sample, Scoreboard

CROP = 256  # pixels a side shown of a larger photograph
TINY = 128  # a picture under this is shown enlarged

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
.pictures { display: grid; grid-template-columns: repeat(3, minmax(0, max-content)); gap: .4rem .6rem; }
.pictures figure { margin: 0; } .pictures img { max-width: 100%; height: auto; image-rendering: pixelated; display: block; }
.pictures p { grid-column: 1 / -1; margin: .8rem 0 0; }
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
    write_text(path, page(title, f'<ul class="verdict">{summary}</ul>{"".join(_story(story) for story in stories)}{_METHOD}'))


def page(title: str, content: str) -> str:
    """An HTML page that needs nothing else, with `content` (HTML) under its title."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title><style>{STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1>{content}</body></html>\n"
    )


def write_picture(path: Path, stories: Sequence[Story], each: int = 2) -> None:
    """Write a PNG with rows Original / Degraded / Restored, up to `each` pictures a model. Raises InputError or MissingExtraError."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("the picture needs matplotlib: pip install 'burnish[evaluate]'") from error
    rows = [
        (story.board, sample) for story in stories for sample in sorted(_spread(story.board.samples, each), key=lambda sample: sample.name)
    ]
    figure = Figure(figsize=(10, 3.5 * len(rows)), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, (board, sample) in zip(axes, rows, strict=True):
        labels = ("Original", f"Degraded  {sample.psnr_input:.2f} dB", f"Restored by {board.model}  {sample.psnr_model:.2f} dB")
        for axis, label, image in zip(line, labels, (sample.original, sample.degraded, sample.restored), strict=True):
            if image is None:
                axis.remove()
                continue
            axis.imshow(_shown(image), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(label.replace("$", r"\$"), fontsize=10)
            axis.set_axis_off()
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png")


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """The best and worst first: an honest pair where only two are shown."""
    ordered = sorted(samples, key=lambda sample: sample.psnr_model - sample.psnr_input)
    return [ordered[i] for i in sorted({round(i * (len(ordered) - 1) / max(1, count - 1)) for i in range(count)})] if ordered else []


def _verdict(board: Scoreboard) -> str:
    low, high = board.gain_db_ci95
    name, psnr = escape(board.model), board.psnr
    told = f"{psnr['model']:.2f} dB against {psnr['input']:.2f} dB untouched, on {board.images:,} pictures of {escape(board.data)}"
    if board.helps:
        return f"<b>{name} helps:</b> {board.gain_db:+.2f} dB (95 % interval {low:+.2f} to {high:+.2f}): {told}."
    return f'<b class="bad">{name} does not help:</b> {board.gain_db:+.2f} dB (95 % interval {low:+.2f} to {high:+.2f}): {told}.'


def _story(story: Story) -> str:
    board = story.board
    gains = [(_words(key), value - board.psnr["input"]) for key, value in board.psnr.items() if key not in ("input", "model")]
    parts = [
        f"<h2>{escape(board.model)}</h2><p>{escape(story.card.summary)}</p>",
        _scores(board),
        charts.bars("Gain over the untouched input, dB", [*gains, (board.model, board.gain_db)]),
        "<h3>Pictures</h3>",
        _pictures(board.samples),
    ]
    if story.history:
        parts.append("<h3>Training</h3>" + _curves(story))
    parts.append("<h3>The model</h3>" + _card(story.card))
    if story.recipe:
        parts.append(f"<h3>The recipe</h3><pre>{escape(story.recipe)}</pre>")
    return "".join(parts)


def _scores(board: Scoreboard) -> str:
    rows = [
        ("untouched input", "", "input"),
        *((_words(key), setting, key) for key, setting in board.settings.items()),
        (board.model, "", "model"),
    ]
    body = "".join(
        f"<tr{' class=own' if key == 'model' else ''}><td>{escape(name)}<br><span class=quiet>{escape(setting)}</span></td>"
        f'<td class="number">{board.psnr[key]:.2f}</td><td class="number">{board.psnr[key] - board.psnr["input"]:+.2f}</td>'
        f'<td class="number">{f"{board.ssim[key]:.4f}" if key in board.ssim else ""}</td></tr>'
        for name, setting, key in rows
    )
    body += "".join(
        f'<tr><td>{escape(_words(key))}</td><td colspan="3" class="quiet">not applicable: {escape(why)}</td></tr>'
        for key, why in board.not_applicable.items()
    )
    accuracy = board.channel_accuracy
    coloured = any(value < 1 for value in accuracy.values())  # grey pictures have no brightest channel
    skipped = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in board.skipped)
    return (
        f"<p class=quiet>{escape(board.data)}, {board.images:,} pictures, degraded by <code>{escape(board.degradation)}</code></p>"
        + (f"<p><b>{escape(ESTIMATED)}</b></p>" if board.estimated else "")
        + f'<div class="scroll"><table><thead><tr><th scope="col">method</th><th scope="col" class="number">PSNR dB</th>'
        f'<th scope="col" class="number">gain dB</th><th scope="col" class="number">SSIM</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        + (f"<p>Channel accuracy {accuracy['model']:.4f}; the untouched input has {accuracy['input']:.4f}.</p>" if coloured else "")
        + (f"<p>Skipped:</p><ul>{skipped}</ul>" if skipped else "")
    )


def _pictures(samples: Sequence[Sample]) -> str:
    parts = []
    for sample in samples:
        height, width = sample.degraded.shape[:2]
        zoom = max(1, TINY // max(height, width))
        told = f", shown {zoom} times" if zoom > 1 else (f", its central {CROP} pixels" if max(height, width) > CROP else "")
        parts.append(
            f"<p><b>{sample.kind}</b> {escape(sample.name)} <span class=quiet>{width}×{height}{told}; "
            f"gain {sample.psnr_model - sample.psnr_input:+.2f} dB</span></p>"
        )
        captions = ("Original", f"Degraded, {sample.psnr_input:.2f} dB", f"Restored, {sample.psnr_model:.2f} dB")
        for caption, image in zip(captions, (sample.original, sample.degraded, sample.restored), strict=True):
            if image is None:
                continue
            cut = _shown(image)
            size = f'width="{cut.shape[1] * zoom}" height="{cut.shape[0] * zoom}"'
            alt = escape(f"{sample.name}: {caption}")
            parts.append(
                f'<figure><img src="data:image/png;base64,{_png(cut)}" {size} alt="{alt}"><figcaption>{caption}</figcaption></figure>'
            )
    return f'<div class="pictures">{"".join(parts)}</div>'


def _curves(story: Story) -> str:
    def column(key: str) -> list[float | None]:
        return [row.get(key) for row in story.history]

    losses = charts.curves("Loss", [("training", column("loss")), ("validation", column("val_loss"))], log=True)
    if story.card.channels == 1 or story.board.estimated:  # one channel is always the brightest; a noisy target's says nothing
        return losses
    nothing = [story.board.channel_accuracy["input"]] * len(story.history)
    accuracies: list[charts.Series] = [("training", column("accuracy")), ("validation", column("val_accuracy"))]
    accuracies.append(("do nothing (test)", nothing))
    return losses + charts.curves("Channel accuracy", accuracies)


def _card(card: Card) -> str:
    facts = {
        "parameters": f"{card.parameters:,} ({card.parameters * 4 / 1024:.2f} KB)",
        "multiply-adds a pixel": f"{card.macs_per_pixel:,.0f}",
        "halo": f"{card.halo} pixels",
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
    return (
        f'<div class="scroll"><table><tbody>{rows}</tbody></table></div><h3>Layers, for a 32×32 picture</h3>'
        f'<div class="scroll"><table><thead>'
        f'<tr><th scope="col">layer</th><th scope="col" class="number">output</th><th scope="col" class="number">parameters</th>'
        f"</tr></thead>"
        f"<tbody>{layers}</tbody></table></div>"
    )


_METHOD = """<h2>How it was measured</h2><p>PSNR and SSIM are computed on values clipped to range and rounded to 8 bit (16 bit for 16-bit
sources), for the untouched input too, picture by picture, then averaged. The interval is a bootstrap over pictures. The classical filters
run at their best setting chosen on other pictures; the Wiener oracle is told the true blur and noise. Channel accuracy is the share of
pixels whose brightest channel is the original's: what Keras calls accuracy here.</p>"""


def _words(key: str) -> str:
    return key.replace("_", " ")


def _shown(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, (length - CROP) // 2) for length in image.shape[:2])
    return image[top : top + CROP, left : left + CROP]


def _png(image: NDArray[np.uint8]) -> str:
    import pyvips

    encoded: bytes = pyvips.Image.new_from_array(np.ascontiguousarray(image)).pngsave_buffer()
    return base64.b64encode(encoded).decode()
