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
    watch = gate.Comparison(finding, survey.photo.pixels)
    whole = None
    if survey.pixels is not None:
        rows = list(restored_rows(survey, model, 1.0, tile, watch, advance))
        whole = rows[0] if len(rows) == 1 else np.concatenate(rows)
    elif model.card.input_size is None:
        run, margin = model.runner(survey.layout, *survey.span), model.halo(survey.layout)
        count = max(FEWEST, min(MOST, survey.photo.pixels // TRIED // SAMPLE_SIDE**2))
        for before in survey.samples[:: -(-len(survey.samples) // count)]:
            advance(0)
            sides = model.tile(survey.layout, *before.shape[:2])
            planes = tiled(run, survey.layout.planes(before), sides, margin, model.card.multiple_of)
            _compare(survey, watch, before, survey.layout.picture(planes, before))
    return Trial(gate.judge(finding, watch.residual(), model.card), whole)


def restored_rows(
    survey: Survey,
    model: Model,
    strength: float,
    tile: int | None,
    watch: gate.Comparison | None,
    advance: Callable[[int], None],
) -> Iterator[Rows]:
    """The photo's rows restored, page by page, each page an image of its own, and shown to `watch`; `advance` is told their pixels."""
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
                if watch:
                    _compare(survey, watch, before, after)
                advance(len(after) * photo.width)
                yield after


def _compare(survey: Survey, watch: gate.Comparison, before: Rows, after: Rows) -> None:
    for top in range(0, len(before), gate.PATCH):
        rows = slice(top, top + gate.PATCH, watch.every)
        watch.add(*(survey.unit(each[rows, :: watch.every]) for each in (before, after)))


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
