"""The history as TensorBoard shows it: event files in the run's folder."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from burnish.errors import MissingExtraError

CURVES = {"loss": "loss/training", "val_loss": "loss/validation", "accuracy": "accuracy/training", "val_accuracy": "accuracy/validation"}


@contextlib.contextmanager
def log(folder: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield what writes a row of the history into `folder`, by epoch. Raises MissingExtraError without tensorboardX.

    Epochs that are trained again after a resumption take the place of those that were logged before.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("--tensorboard needs tensorboardX: pip install 'burnish[tensorboard]'") from error
    writer: Any = None

    def write(row: dict[str, Any]) -> None:
        nonlocal writer
        writer = writer or SummaryWriter(str(folder), purge_step=row["epoch"])
        for key, tag in CURVES.items():
            writer.add_scalar(tag, row[key], row["epoch"])
        writer.add_scalar("seconds", row["seconds"], row["epoch"])
        writer.flush()

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()
