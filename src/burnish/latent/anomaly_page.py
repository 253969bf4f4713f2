"""The page of `burnish anomalies`: the images in order of how odd they are, with where they are."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.files import write_text
from burnish.latent.anomalies import Verdict, missed
from burnish.latent.detector import Detector, stretched
from burnish.latent.planes import Floats
from burnish.scoreboard.report import page
from burnish.wording import counted

SHOWN = 60  # images, the oddest
SIDE = 280  # pixels, the longer side of a picture on the page
COOL, HOT = 1.5, 5.0  # rarities between which the heat goes from nothing to full
STYLE = """<style>
.odd { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.5rem 1rem; padding: 0; list-style: none; }
.odd li { border-top: 3px solid var(--rule); padding-top: .4rem; } .odd li.yes { border-color: var(--bad); }
.odd .two { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; } .odd img { width: 100%; display: block; }
.odd b { font-variant-numeric: tabular-nums; }
</style>"""


@dataclass(frozen=True)
class Card:
    """An image on the page: the verdict, the image and the image with its heat, as JPEG files."""

    verdict: Verdict
    plain: bytes
    heated: bytes


class Oddest:
    """The cards of the oddest images so far, never more than SHOWN."""

    def __init__(self) -> None:
        self.cards: list[Card] = []

    def add(self, verdict: Verdict, picture: NDArray[Any]) -> None:
        """Keep the image if it belongs to the oddest."""
        if verdict.finding is None:
            return
        score = verdict.finding.score
        if len(self.cards) == SHOWN and score <= _score(self.cards[-1]):
            return
        small = _small(picture)
        self.cards.append(Card(verdict.without_heat(), _jpeg(small), _jpeg(_heated(small, verdict.finding.heat))))
        self.cards.sort(key=lambda card: -_score(card))
        del self.cards[SHOWN:]


def _score(card: Card) -> float:
    return card.verdict.finding.score if card.verdict.finding else 0.0


def write(path: Path, verdicts: Sequence[Verdict], cards: Sequence[Card], detector: Detector, name: str, lines: Sequence[str]) -> None:
    """Write the page, whole or not at all. Raises InputError when it cannot be written."""
    scored = [each for each in verdicts if each.finding]
    odd = sum(each.anomalous for each in scored)
    threshold = verdicts[0].threshold if verdicts else 2.0
    rare = 10**-threshold
    pca = sum(each.finding.rival >= threshold for each in scored if each.finding)
    images = counted(int(detector.facts.get("images", 0)), "normal image")
    parts = [
        STYLE,
        f'<p class="verdict">{counted(odd, "image")} of {len(scored):,} found odd; PCA on patches of 16×16 finds {pca:,}.</p>',
        "<p>A score of 2 means that one normal image in a hundred scores as high, 3 one in a thousand. Odd is what scores "
        f"{threshold:.2f} or more: of normal images, about {100 * rare:.3g} % do. Learnt from {images} "
        f"of {escape(str(detector.facts.get('name', '')))}. Scores beyond {_counted_to(detector):.1f} are extrapolated.</p>",
        *(f"<p>{escape(line)}</p>" for line in lines),
        _missed(detector, threshold),
        "<h2>The oddest first</h2>",
        f'<ol class="odd">{"".join(_card(card) for card in cards)}</ol>',
        "<h2>All scores</h2>",
        _table(verdicts),
    ]
    write_text(path, page(f"Odd ones in {name}", "".join(parts)))


def _counted_to(detector: Detector) -> float:
    """The score that the oddest of the normals has by counting alone."""
    return float(np.log10(len(detector.tail.sorted) + 1))


def _missed(detector: Detector, threshold: float) -> str:
    rows = "".join(
        f'<tr><td>{strength:g} × the image\'s contrast</td><td class="number">{100 * ours:.0f} %</td>'
        f'<td class="number">{100 * pca:.0f} %</td></tr>'
        for strength, ours, pca in missed(detector.facts.get("found", []), threshold)
    )
    return (
        "<h3>What the threshold misses</h3><p>Scratches, spots, stains and missing parts were drawn on normal images. Of those, this "
        f'threshold finds:</p><table><thead><tr><th scope="col">how strong</th><th scope="col" class="number">found</th>'
        f'<th scope="col" class="number">by PCA</th></tr></thead><tbody>{rows}</tbody></table>'
        '<p class="quiet">Real defects may be easier or harder than drawn ones; look at some images below the threshold too.</p>'
    )


def _card(card: Card) -> str:
    verdict = card.verdict
    word = "odd" if verdict.anomalous else "normal"
    return (
        f'<li class="{"yes" if verdict.anomalous else "no"}"><div class="two">{_img(card.plain, verdict.name)}'
        f"{_img(card.heated, f'{verdict.name}, where it is odd')}</div>"
        f"<b>{_score(card):.2f}</b> {word} · {escape(verdict.name)}</li>"
    )


def _img(data: bytes, words: str) -> str:
    return f'<img loading="lazy" alt="{escape(words)}" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'


def _table(verdicts: Sequence[Verdict]) -> str:
    ranked = sorted(verdicts, key=lambda each: -(each.finding.score if each.finding else float("inf")))
    rows = "".join(
        f'<tr><td>{escape(each.name)}</td><td class="number">{each.finding.score:.3f}</td><td>{"odd" if each.anomalous else ""}</td>'
        f'<td class="number">{each.finding.rival:.3f}</td></tr>'
        if each.finding
        else f'<tr><td>{escape(each.name)}</td><td colspan="3" class="bad">{escape(each.error)}</td></tr>'
        for each in ranked
    )
    heads = (
        '<th scope="col">image</th><th scope="col" class="number">score</th><th scope="col"></th><th scope="col" class="number">PCA</th>'
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


# --- Pictures ---


def _small(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """An H×W×C picture as RGB of 8 bits, its longer side SIDE pixels at most."""
    import pyvips

    eight = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
    colours = np.ascontiguousarray(np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight)
    scale = min(1.0, SIDE / max(colours.shape[:2]))
    small: NDArray[np.uint8] = pyvips.Image.new_from_array(colours, interpretation="srgb").resize(scale).numpy()
    return small


def _heated(picture: NDArray[np.uint8], heat: Floats) -> NDArray[np.uint8]:
    """The picture in grey, with the odd places in colour: from yellow (rare) to red (rarer than any normal)."""
    share = np.clip((stretched(heat, *picture.shape[:2]) - COOL) / (HOT - COOL), 0, 1)[..., None]
    grey = picture.mean(2, keepdims=True) * 0.7
    colour = np.concatenate([np.full_like(share, 255), 220 * (1 - share), np.full_like(share, 30)], axis=2)
    cover = 0.75 * np.sqrt(share)
    return np.asarray((grey * (1 - cover) + colour * cover).round(), np.uint8)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    import pyvips

    data: bytes = pyvips.Image.new_from_array(np.ascontiguousarray(picture), interpretation="srgb").jpegsave_buffer(Q=82)
    return data


def write_heat(path: Path, heat: Floats, shape: tuple[int, ...]) -> None:
    """Write the heat for every pixel of an image of that shape as a TIFF of 32-bit floats, whole or not at all."""
    import pyvips

    from burnish.files import write_bytes

    plane = stretched(heat, shape[0], shape[1])
    write_bytes(path, pyvips.Image.new_from_array(np.ascontiguousarray(plane)).tiffsave_buffer(compression="deflate"))
