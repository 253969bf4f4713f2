"""Numbers in the lines that people read."""


def counted(number: float, noun: str, plural: str = "") -> str:
    """A number with what it counts: `1 image`, `1,024 images`, `0.5 minutes`; `plural` for nouns whose plural takes more than an s."""
    told = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{told} {noun if number == 1 else plural or noun + 's'}"
