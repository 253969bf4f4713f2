"""The shipped model."""

import pytest

from burnish.audio.model import Model, load


@pytest.fixture(scope="session")
def model() -> Model:
    """The shipped model, on one thread."""
    return load("speech", 1)
