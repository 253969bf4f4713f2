"""A recipe: everything that defines a training run, one TOML file, checked before anything starts.

A recipe may extend another: `extends = "photo"`, or a file beside it, gives all the keys that it does not set itself. That is resolved
when it is loaded, so that the recipe in a run's folder is complete.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from burnish.degradation import Degradation
from burnish.errors import DegradationError, RecipeError

FOLDER = Path(__file__).parent / "recipes"
WRITTEN = "recipe.toml"  # in a run's folder
LATER = {"threads", "kind", "noises", "seconds", "kept"}  # keys that older runs' recipes lack
LONG = 30.0  # minutes of training from which the larger of the photo networks pays


@dataclass(frozen=True)
class Recipe:
    """What a run learns from, which network, and how. A key left out of the TOML has the default given here.

    A run that starts from a model has that model's network; `start_fingerprint` is added once the model has been read.
    """

    name: str
    summary: str
    network: str
    degradation: str
    kind: Literal["image", "audio"] = "image"  # the medium of what it learns from
    data: str = "cifar10"
    clean: str = ""  # the folder that holds the clean partners of the images in `data`; empty: those are clean themselves
    noisy_only: bool = False  # the images are noisy, and there are no clean ones to learn from
    noises: str = ""  # of sound: the folder that noise is drawn from; empty: it is made
    network_args: dict[str, int] = field(default_factory=dict)
    start: str = ""  # the model whose weights training begins with, a shipped one's name or a file; "": fresh ones
    start_fingerprint: str = ""  # which model that was
    copies: float = 0.0  # share of augmented copies added to the training images, 0–1
    validation: float = 0.2  # share of images kept out of training, 0–0.9
    crop: int = 0  # side of the square crops in pixels; 0: whole images, all of one size
    crops: int = 0  # crops an epoch; of sound, stretches
    seconds: float = 2.4  # of sound: how long a stretch is
    kept: float = 0.1  # of sound: the share of the untouched recording in the result, which makes speech easier to understand
    symmetries: bool = False  # each batch turned and mirrored into one of the square's eight
    # geometric: the mean over images of log(mse), as mean PSNR has it; root: of mse^(1/4), so that a nearly clean image counts for more
    # than under l1 and for less than under geometric
    loss: Literal["mse", "l1", "geometric", "root"] = "mse"
    optimizer: Literal["adam", "muon"] = "adam"
    learning_rate: float = 1e-3
    epsilon: float = 1e-7  # Adam's
    schedule: Literal["constant", "one-cycle"] = "constant"
    warm_up: float = 0.2  # share of a one-cycle schedule spent rising
    batch: int = 512
    epochs: int = 100
    patience: int = 0  # stop after that many epochs without a lower validation loss, and keep the best epoch; 0: train to the end
    # "auto" and 0 become, as a run begins, what this machine is measured to be faster with; the run's recipe.toml says what that was.
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int = 0  # of the CPU, at most; sums are the same to the bit only with the same number
    seed: int = 0

    def __post_init__(self) -> None:
        for item in fields(self):
            object.__setattr__(self, item.name, _checked(item.name, getattr(self, item.name), item.type))
        for key, (low, high) in RANGES.items():
            value = getattr(self, key)
            if not low <= value <= high:
                raise RecipeError(f"recipe {self.name!r}: {key} = {value} is out of range; it goes from {low:g} to {high:g}")
        if self.crop and not self.crops:
            raise RecipeError(f"recipe {self.name!r}: crop = {self.crop} needs crops, the number of crops an epoch; try crops = 4096")
        if self.crop and self.copies:
            raise RecipeError(f"recipe {self.name!r}: copies are made of whole images; leave out either copies or crop")
        if self.noisy_only and (self.clean or self.loss != "mse" or not self.crop):
            raise RecipeError(f'recipe {self.name!r}: noisy_only needs crop, loss = "mse" and no clean images')
        try:
            Degradation.parse(self.degradation, self.kind)
        except DegradationError as error:
            raise RecipeError(f"recipe {self.name!r}: degradation: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON types."""
        return asdict(self)

    def to_toml(self) -> str:
        """The recipe as TOML text that `load` reads back to an equal recipe."""
        return "".join(f"{key} = {_toml(value)}\n" for key, value in self.to_dict().items())


RANGES: dict[str, tuple[float, float]] = {
    "copies": (0, 1),
    "validation": (0, 0.9),
    "crop": (0, 4096),
    "crops": (0, 10_000_000),
    "seconds": (0.2, 60),
    "kept": (0, 0.9),
    "learning_rate": (1e-9, 100),
    "epsilon": (1e-12, 1),
    "warm_up": (0, 0.9),
    "batch": (1, 65_536),
    "epochs": (1, 100_000),
    "patience": (0, 100_000),
    "threads": (0, 4096),
    "seed": (0, 2**31 - 1),
}

NO_CHANGES: Mapping[str, Any] = MappingProxyType({})


def shipped() -> list[str]:
    """The names of the recipes that come with Burnish."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def suited(minutes: float) -> str:
    """The name of the shipped recipe that gives the best photographs after so many minutes of training."""
    return "photo" if minutes >= LONG else "photo-fast"


def load(recipe: str | Path, changes: Mapping[str, Any] = NO_CHANGES) -> Recipe:
    """The recipe with a shipped name or in a TOML file, with the values of `changes`, by key, in place of its own.

    Raises RecipeError for a recipe that is not there, no TOML, one that extends itself, an unknown key (the nearest is suggested), a wrong
    type or a value out of range.
    """
    path = _path(recipe)
    return from_mapping(_resolved(path, ()) | dict(changes), path.name)


def of_run(folder: Path) -> Recipe | None:
    """The recipe that stands in a run's folder, or None. It has every key; RecipeError is raised where one is missing, as it is damaged."""
    path = folder / WRITTEN
    if not path.exists():
        return None
    values = _read(path)
    missing = [item.name for item in fields(Recipe) if item.name not in values and item.name not in LATER]
    if missing:
        raise RecipeError(f"{path}: is damaged, it holds no {missing[0]}; begin anew with another --out")
    return from_mapping(values, str(path))


def begun_otherwise(key: str, before: Any, now: Any) -> str:
    """What is said of a run that was begun with another value than is asked for now."""
    return f"was begun with {key} = {before!r}, not {now!r}; resume with the same recipe, or choose another --out"


def parsed(changes: Sequence[str]) -> dict[str, Any]:
    """`key=value` texts, as `--set` takes them, as values by key. Raises RecipeError for one that is not written so."""
    values = {}
    for change in changes:
        key, equals, text = (part.strip() for part in change.partition("="))
        if not equals:
            raise RecipeError(f"--set {change}: write key=value, such as --set batch=256")
        values[key] = _value(key, text)
    return values


def _path(recipe: str | Path) -> Path:
    return FOLDER / f"{recipe}.toml" if str(recipe) in shipped() else Path(recipe)


def _resolved(path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """The keys in the TOML file, and under them those of the recipe it extends. `extended_by` holds the files that led here."""
    if path.resolve() in extended_by:
        chain = " extends ".join(each.name for each in (*extended_by, path))
        raise RecipeError(f"{path}: extends itself ({chain}); take one of these lines out")
    values = _read(path)
    base = values.pop("extends", None)
    _refuse_unknown(values, path.name)
    if base is None:
        return values
    if not isinstance(base, str) or not base:
        raise RecipeError(f'{path}: extends = {base!r} must be a recipe\'s name or file in quotes, such as extends = "photo"')
    found = _path(base)
    below = _resolved(found if found.is_absolute() else path.parent / found, (*extended_by, path.resolve()))
    return below | {"name": path.stem} | values  # a recipe of one's own has a name of its own


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        close = difflib.get_close_matches(path.stem, shipped(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"name one of {', '.join(shipped())}, or a TOML file"
        raise RecipeError(f"{path}: no such recipe; {hint}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not a TOML file ({error})") from error


def from_mapping(values: Mapping[str, Any], where: str) -> Recipe:
    """The recipe with these values; `where` stands in the errors. Raises RecipeError."""
    _refuse_unknown(values, where)
    if values.get("start"):
        values = {"network": ""} | dict(values)  # the model says which
    missing = [key for key in ("name", "summary", "network", "degradation") if key not in values]
    if missing:
        raise RecipeError(f'{where}: {missing[0]} is missing; add a line such as {missing[0]} = "…"')
    return Recipe(**values)


def _refuse_unknown(values: Mapping[str, Any], where: str) -> None:
    known = [item.name for item in fields(Recipe)]
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(sorted(known))}"
            raise RecipeError(f"{where}: unknown key {key!r}; {hint}")


def _value(key: str, text: str) -> Any:
    """`text` as TOML where it is one (5, 0.1, {width = 8}), as a string elsewhere (blur:1.0)."""
    types = {item.name: item.type for item in fields(Recipe)}
    if types.get(key) is str or get_origin(types.get(key)) is Literal:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _checked(key: str, value: Any, expected: Any) -> Any:
    """`value` if it is of the `expected` type (an integer will do for a float), else RecipeError."""
    if get_origin(expected) is Literal:
        choices = get_args(expected)
        if value not in choices:
            raise RecipeError(f"recipe: {key} = {value!r} is not known; choose one of {', '.join(choices)}")
    elif get_origin(expected) is dict:
        if not isinstance(value, dict) or not all(isinstance(k, str) and type(v) is int for k, v in value.items()):
            raise RecipeError(f"recipe: {key} = {value!r} must be a table of whole numbers, such as {{ width = 16 }}")
    elif expected is float and type(value) is int:
        return float(value)
    elif type(value) is not expected:
        raise RecipeError(f"recipe: {key} = {value!r} must be {_KINDS[expected]}")
    return value


_KINDS = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
    return str(value).lower() if isinstance(value, bool) else repr(value)
