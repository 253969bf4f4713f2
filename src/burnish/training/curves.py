"""What a run's curves say in words."""

from collections.abc import Sequence
from typing import Any

ROSE = 0.03  # share by which validation must have risen above its lowest


def overfitting(history: Sequence[dict[str, Any]]) -> str | None:
    """A sentence when the run learnt its images by heart: validation at the end over 3 % above its lowest while training went on falling.

    Both are means of three epochs, so that one bad epoch says nothing. None when the curves do not say so, or are too short to.
    """
    if len(history) < 6:
        return None
    training, validation = ([_mean(history, end, key) for end in range(3, len(history) + 1)] for key in ("loss", "val_loss"))
    best = validation.index(min(validation))
    if validation[-1] <= (1 + ROSE) * validation[best] or training[-1] >= training[best]:
        return None
    risen, fallen = validation[-1] / validation[best] - 1, 1 - training[-1] / training[best]
    return (
        f"It overfits: since epoch {history[best + 2]['epoch']} the validation loss rose by {100 * risen:.0f} % while the training loss "
        f"fell by {100 * fallen:.0f} %. More images help most; fewer epochs do too"
    )


def _mean(history: Sequence[dict[str, Any]], end: int, key: str) -> float:
    return float(sum(row[key] for row in history[end - 3 : end])) / 3
