"""Real images small enough for tests, and where the shared data stands, if it does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data, io

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("untimed")


def crops(count: int, side: int) -> NDArray[np.uint8]:
    """`count` different side×side crops of real photographs, N×H×W×3."""
    photographs = [data.astronaut(), data.coffee(), data.rocket()]
    rng = np.random.default_rng(0)
    made = np.empty((count, side, side, 3), np.uint8)
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        y, x = (rng.integers(length - side) for length in photograph.shape[:2])
        made[index] = photograph[y : y + side, x : x + side]
    return made


@pytest.fixture(scope="session")
def small_pictures() -> NDArray[np.uint8]:
    """64 crops of 32×32."""
    return crops(64, 32)


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 PNG images of 32×32."""
    folder = tmp_path_factory.mktemp("pictures")
    for index, picture in enumerate(crops(24, 32)):
        io.imsave(folder / f"{index:02d}.png", picture, check_contrast=False)
    return folder


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Any]:
    """Playwright, for every test of a process that needs a browser: it refuses to be started a second time beside itself."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs signals, links, limits or pipes as POSIX has them")
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs what Linux tells of a process")

SHARED = Path(__file__).parents[2] / "shared"
STANDIN = SHARED / "data" / "cifar-10-standin-python.tar.gz"
needs_standin = pytest.mark.skipif(not STANDIN.exists(), reason="needs the CIFAR-10 stand-in beside the checkout")
