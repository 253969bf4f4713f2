"""The degradation language: what degrades an item (an image, a recording), as text. It knows no medium.

Stages are joined by `+` and applied left to right; `a-b` is drawn per item, uniformly; `|` between whole chains picks one per item:

    blur:1.0+8bit                      two stages
    noise:5-50                         a value drawn from 5 to 50
    noise:0-55|camera:0.2-3+8bit       one of two chains

Which stages there are, and what each does, a medium says in the table STAGES of its module `stages`: burnish.image.stages for images.
A new stage is added there, and nowhere else. What is drawn for an item depends on the seed and on the item's own content, not on its place
in a list.
"""

import difflib
import hashlib
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import to_unit
from burnish.errors import DegradationError

Item = NDArray[np.float32]

SLAB = 4096  # items of a batch worked on at a time, so that memory stays low
NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"
OWN = "own"  # in every medium: whatever degraded somebody's own pairs; a model learnt it from them, it cannot be made


@dataclass(frozen=True)
class Kind:
    """A kind of stage: one row of a medium's table."""

    example: str
    """A right way to write it, which error messages show: `blur:1.0`."""
    apply: "Callable[[Item, Stage], Item]"
    """The item after the stage. It must not change the item that it is given, and take all its chance from `Stage.seed`."""
    low: float = 0.0
    """The least value that it may have."""
    high: float | None = None
    """The greatest; None: the stage takes no value, such as `8bit`."""
    whole: bool = False
    """Whether only whole numbers make sense, such as JPEG's quality."""
    is_random: bool = True
    """Whether chance is in it even at a definite value."""
    takes_grey: bool = False
    """Whether its value may end in `g`, such as `noise:25g`: the same in all channels."""
    takes_batches: bool = False
    """Whether `apply` takes many items in one array too, one more axis in front."""
    gives_eight_bit: bool = False
    """Whether its results lie on the 256 levels of 8 bit."""
    pair: "Callable[[Item, Stage], tuple[Item, Item]] | None" = None
    """Of a stage that does more than harm: what `apply` gives, and the truth that it is compared with (`camera`: the same development of
    the image without noise). None: the item before the stage is the truth."""


@dataclass(frozen=True)
class Stage:
    """One stage with its value drawn. `seed` feeds the noise or angle of this stage on this item."""

    name: str
    value: float | None
    grey: bool = False
    seed: int = 0
    kind: Kind = field(kw_only=True, repr=False, compare=False)

    def apply(self, item: Item) -> Item:
        """The item after this stage."""
        return self.kind.apply(item, self)


@dataclass(frozen=True)
class Chain:
    """What was drawn for one item: stages with definite values."""

    stages: tuple[Stage, ...]

    @property
    def is_grey(self) -> bool:
        """Whether some of its noise is the same in all channels."""
        return any(stage.grey for stage in self.stages)

    def apply(self, item: NDArray[Any]) -> Item:
        """The degraded item as float32, not clipped unless a stage does; `item` is uint8, uint16 (put on 0–1) or float."""
        result = to_unit(item)
        for stage in self.stages:
            result = stage.apply(result)
        return result

    def pair(self, item: NDArray[Any]) -> tuple[Item, Item]:
        """What `apply` gives, and the truth that a restored item is compared with, float32 both.

        The truth is the item itself for all stages but those that have one of their own (Kind.pair). Such a stage is applied with the same
        draws to the item as the stages before it left it, and to the truth so far; what comes after is applied to the degraded one only.
        """
        degraded = truth = to_unit(item)
        for stage in self.stages:
            if stage.kind.pair is None:
                degraded = stage.apply(degraded)
            elif degraded is truth:
                degraded, truth = stage.kind.pair(degraded, stage)
            else:
                degraded, truth = stage.kind.pair(degraded, stage)[0], stage.kind.pair(truth, stage)[1]
        return degraded, truth


@dataclass(frozen=True)
class _Span:
    """A stage as written: its values are drawn from low–high."""

    name: str
    low: float | None
    high: float | None
    grey: bool
    kind: Kind = field(repr=False, compare=False)

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return self.name
        value = _number(self.low) if self.low == self.high else f"{_number(self.low)}-{_number(self.high)}"
        return f"{self.name}:{value}{'g' if self.grey else ''}"

    @property
    def is_definite(self) -> bool:
        return not self.kind.is_random and self.low == self.high

    def draw(self, rng: np.random.Generator) -> Stage:
        value = self.low
        if self.low is not None and self.high is not None and self.low != self.high:
            value = (
                float(rng.integers(round(self.low), round(self.high) + 1)) if self.kind.whole else float(rng.uniform(self.low, self.high))
            )
        return Stage(self.name, value, self.grey, int(rng.integers(2**63)), kind=self.kind)


@dataclass(frozen=True)
class Degradation:
    """A degradation, parsed. `spec` is its text, which parses back to the same, and so is `str` of it."""

    spec: str
    chains: tuple[tuple[_Span, ...], ...]

    @staticmethod
    def parse(spec: str, medium: str = "image") -> "Degradation":
        """The degradation of a medium's items that `spec` describes: images, unless `medium` names another one.

        Raises DegradationError naming the stage that is wrong and showing a right one.
        """
        table: Mapping[str, Kind] = importlib.import_module(f"burnish.{medium}.stages").STAGES
        chains = tuple(tuple(_parse_stage(stage, table) for stage in chain.split("+")) for chain in spec.split("|"))
        return Degradation("|".join("+".join(map(str, chain)) for chain in chains), chains)

    def __str__(self) -> str:
        return self.spec

    @property
    def names(self) -> set[str]:
        """The names of its stages, such as {"blur", "noise"}."""
        return {span.name for chain in self.chains for span in chain}

    @property
    def is_own(self) -> bool:
        """Whether it stands for what somebody's own pairs show."""
        return OWN in self.names

    @property
    def is_random(self) -> bool:
        """Whether two seeds may give two results."""
        return len(self.chains) > 1 or not all(span.is_definite for span in self.chains[0])

    @property
    def is_eight_bit(self) -> bool:
        """Whether every result lies on the 256 levels of 8 bit."""
        return all(chain[-1].kind.gives_eight_bit for chain in self.chains)

    @property
    def takes_nothing(self) -> bool:
        """Whether what is degraded so is what it was, but for rounding to 8 bit: `8bit`, `noise:0`."""
        spans = [span for chain in self.chains for span in chain]
        return all(span.kind.gives_eight_bit if span.high is None else span.high == 0 and span.kind.pair is None for span in spans)

    @property
    def has_own_truth(self) -> bool:
        """Whether what a result is compared with may be another than the item itself: see Chain.pair."""
        return any(span.kind.pair is not None for chain in self.chains for span in chain)

    def span(self, name: str) -> tuple[float, float] | None:
        """The smallest and the largest value that stage `name` may have, 0 where a chain goes without it; None when all do."""
        values = [[(stage.low or 0.0, stage.high or 0.0) for stage in chain if stage.name == name] or [(0.0, 0.0)] for chain in self.chains]
        if not any(stage.name == name for chain in self.chains for stage in chain):
            return None
        return min(low for each in values for low, _ in each), max(high for each in values for _, high in each)

    def draw(self, item: NDArray[Any], seed: int = 0) -> Chain:
        """The chain for this item: every value that is a range drawn, from the seed and the item's content."""
        rng = np.random.default_rng(_content_seed(item, seed))
        chain = self.chains[int(rng.integers(len(self.chains)))]
        return Chain(tuple(span.draw(rng) for span in chain))

    def apply(self, item: NDArray[Any], seed: int = 0) -> Item:
        """The degraded item (uint8, uint16, put on 0–1, or float) as float32, not clipped unless a stage does."""
        return self.draw(item, seed).apply(item)

    def pair(self, item: NDArray[Any], seed: int = 0) -> tuple[Item, Item]:
        """What `apply` gives, and the truth that it is compared with: see Chain.pair."""
        return self.draw(item, seed).pair(item)

    def apply_all(self, items: NDArray[Any], seed: int = 0) -> Item:
        """Every item of an array of N degraded: what `apply` gives for each, faster where nothing is drawn."""
        result = np.empty(items.shape, np.float32)
        in_slabs = not self.is_random and all(span.kind.takes_batches for span in self.chains[0])
        step = SLAB if in_slabs else 1
        for start in range(0, len(items), step):
            part = items[start : start + step]
            result[start : start + step] = self.draw(part[0], seed).apply(part if in_slabs else part[0])
        return result


# --- Reading the language ---


def _parse_stage(text: str, table: Mapping[str, Kind]) -> _Span:
    name, colon, value = text.strip().partition(":")
    name = name.strip()
    if name not in table:
        close = difflib.get_close_matches(name, table, n=1)
        hint = (
            f"did you mean {table[close[0]].example}?" if close else f"write stages such as {', '.join(k.example for k in table.values())}"
        )
        raise DegradationError(f"{text.strip() or 'an empty stage'}: no such stage; {hint}")
    kind = table[name]
    if kind.high is None:
        if colon:
            raise DegradationError(f"{text.strip()}: {name} takes no value; write {kind.example}")
        return _Span(name, None, None, False, kind)
    grey = kind.takes_grey and value.strip().endswith("g")
    numbers = value.strip().removesuffix("g") if grey else value.strip()
    match = re.fullmatch(rf"({NUMBER})(?:\s*-\s*({NUMBER}))?", numbers)
    if not match:
        raise DegradationError(f"{text.strip()}: {numbers!r} is no number or range; write {kind.example}")
    low = float(match[1])
    high = float(match[2]) if match[2] else low
    if not kind.low <= low <= high <= kind.high:
        why = "runs backwards" if low > high else f"is outside {_number(kind.low)} to {_number(kind.high)}"
        raise DegradationError(f"{text.strip()}: {numbers} {why}; write {kind.example}")
    if kind.whole and not (low.is_integer() and high.is_integer()):
        raise DegradationError(f"{text.strip()}: {numbers} must be whole; write {kind.example}")
    return _Span(name, low, high, grey, kind)


def _number(value: float) -> str:
    """A number as the language has it, without an exponent: the fewest digits that read back as the same."""
    return np.format_float_positional(value, trim="-")


def _content_seed(item: NDArray[Any], seed: int) -> int:
    """A seed from the item's values on the 8- or 16-bit or float scale they come in, and `seed`."""
    digest = hashlib.blake2b(np.ascontiguousarray(item).tobytes(), digest_size=16, salt=(seed % 2**64).to_bytes(8, "little"))
    digest.update(str((item.shape, item.dtype.str)).encode())
    return int.from_bytes(digest.digest(), "little")
