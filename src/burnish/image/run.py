"""A photo through a model: all of it as a stream of rows, or first a part of it, to judge what comes of it."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from burnish.image import gate
from burnish.image.channels import Layout
from burnish.image.model import Model
from burnish.image.survey import SAMPLE_SIDE, Rows, Survey
from burnish.image.taken import Look
from burnish.image.tiling import streamed, tiled

STRIP = 1 << 24  # bytes of the rows that are held at once, as far as the model's halo allows
TRIED = 16  # a large photo is tried on a sixteenth of its pixels,
FEWEST, MOST = 4, 8  # but at least on so many of its samples and at most on so many


@dataclass(frozen=True)
class Trial:
    """The verdict on what a model makes of a photo; and, of a small photo, the whole of it, restored at full strength."""

    verdict: gate.Verdict
    whole: Rows | None


def tried(survey: Survey, model: Model, tile: int | None, advance: Callable[[int], None]) -> Trial:
    """What the model makes of the photo at full strength, judged: of all of it where it is held in memory, else of some samples.

    `advance` is told the pixels that need not be restored again at that strength.
    """
    finding = gate.examine(survey.shown())
    whole = None
    if survey.pixels is not None:
        watch, look = gate.Comparison(finding, survey.photo.pixels), Look(survey.photo.pixels)
        rows = list(restored_rows(survey, model, 1.0, tile, watch, advance, look))
        whole = rows[0] if len(rows) == 1 else np.concatenate(rows)
    else:
        chosen = _chosen(survey) if model.card.input_size is None else []
        watch, look = gate.Comparison(finding, survey.photo.pixels), Look(sum(each.shape[0] * each.shape[1] for each in chosen))
        run, margin = model.runner(survey.layout, *survey.span), model.halo(survey.layout)
        for before in chosen:
            advance(0)
            sides = model.tile(survey.layout, *before.shape[:2])
            planes = tiled(run, survey.layout.planes(before), sides, margin, model.card.multiple_of)
            _compare(survey, before, survey.layout.picture(planes, before), watch, look)
    return Trial(gate.judge(finding, watch.residual(), look.taken(), model.card), whole)


def _chosen(survey: Survey) -> list[Rows]:
    """The samples that a large photo is tried on."""
    count = max(FEWEST, min(MOST, survey.photo.pixels // TRIED // SAMPLE_SIDE**2))
    return survey.samples[:: -(-len(survey.samples) // count)]


def restored_rows(
    survey: Survey,
    model: Model,
    strength: float,
    tile: int | None,
    watch: gate.Comparison | None,
    advance: Callable[[int], None],
    look: Look | None = None,
) -> Iterator[Rows]:
    """The photo's rows restored, page by page, each page an image of its own, and shown to `watch` and `look`.

    `advance` is told their pixels.
    """
    photo, layout = survey.photo, survey.layout
    run = model.runner(layout, *survey.span, strength)
    most = STRIP // (photo.width * photo.bands * photo.dtype.itemsize)
    sides = (tile, tile) if tile else model.tile(layout, photo.height, photo.width, most)
    read = _Rows(survey.rows())
    for _page in range(photo.pages):
        pending: deque[Rows] = deque()
        bands = _noted(read, photo.height, layout, pending)
        waiting = _Rows(pending.popleft() for _ in repeat(None))
        for planes in streamed(run, bands, photo.height, sides, model.halo(layout), model.card.multiple_of):
            for top in range(0, planes.shape[1], gate.PATCH):
                band = planes[:, top : top + gate.PATCH]
                before = waiting.take(band.shape[1])
                after = layout.picture(band, before)
                _compare(survey, before, after, watch, look)
                advance(len(after) * photo.width)
                yield after


def _compare(survey: Survey, before: Rows, after: Rows, watch: gate.Comparison | None, look: Look | None) -> None:
    """Show rows of the photo and of the result to those who are there to see them."""
    for top in range(0, len(before), gate.PATCH):
        if watch:
            rows = slice(top, top + gate.PATCH, watch.every)
            watch.add(*(survey.unit(each[rows, :: watch.every]) for each in (before, after)))
        if look:
            for columns in look.windows(before.shape[1]):
                look.add(*survey.visible(before[top : top + gate.PATCH, columns], after[top : top + gate.PATCH, columns]))


def _noted(read: "_Rows", height: int, layout: Layout, pending: deque[Rows]) -> Iterator[Rows]:
    """One page's rows as planes; the rows themselves go into `pending`."""
    while height:
        rows = read.up_to(height)
        height -= len(rows)
        pending.append(rows)
        yield layout.planes(rows)


class _Rows:
    """Rows that come in portions of their own, taken in portions of ours."""

    def __init__(self, source: Iterator[Rows]) -> None:
        self._source = source
        self._rest: Rows | None = None

    def up_to(self, count: int) -> Rows:
        """The next rows, `count` at most, as they lie."""
        rows = next(self._source) if self._rest is None else self._rest
        self._rest = rows[count:] if len(rows) > count else None
        return rows[:count]

    def take(self, count: int) -> Rows:
        """The next `count` rows."""
        parts = [self.up_to(count)]
        while (missing := count - sum(map(len, parts))) > 0:
            parts.append(self.up_to(missing))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
