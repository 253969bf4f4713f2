"""Everything Burnish refuses to do, as one family of exceptions.

A message is one line that names the file or value, says what is wrong with it and what to do about it.
"""


def one_line(text: str) -> str:
    r"""Text that holds file names or other programs' words as one line of letters: line breaks and terminal codes become spaces, and the
    bytes of a name that is no UTF-8, which Python holds as lone surrogates, are written as `\xff`."""
    return "".join(c if c.isprintable() else f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else " " for c in text)


class BurnishError(Exception):
    """The family: catch this to catch every refusal."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class InputError(BurnishError):
    """A file, folder or value that cannot be used, or a place that cannot be written to."""


class TakenError(InputError):
    """A place where a file stands already that is not to be replaced."""


class StoreError(InputError):
    """A store or a disk that does not do now what it is asked to: the same may be asked again later."""


class DegradationError(BurnishError):
    """A degradation that is not written in the language."""


class ModelError(BurnishError):
    """A file that is no model, or a model that cannot do what is asked of it."""


class UnknownModelError(ModelError):
    """A model that is not there: none that comes with Burnish has this name, and no file is called so."""


class RecipeError(BurnishError):
    """A recipe with an unknown key or a value out of range."""


class DivergedError(BurnishError):
    """A training whose loss left every sensible range."""


class MissingExtraError(BurnishError):
    """Something that needs packages which are not installed."""
