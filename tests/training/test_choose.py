"""What is chosen by looking at the images."""

import dataclasses

import numpy as np
import pytest
from conftest import crops as scenes

from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training import choose, recipe, speed
from burnish.training.image import sources


def pictures(count: int = 20, side: int = 100, channels: int = 3, dtype: type = np.uint8) -> PictureSet:
    images = [image[..., :channels].astype(dtype) * (257 if dtype is np.uint16 else 1) for image in scenes(count, side)]
    return PictureSet("mine", images, [f"{i}.png" for i in range(count)], "")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which a step takes 50 ms and a crop 1 ms."""
    monkeypatch.setattr(speed, "step_seconds", lambda *_: 0.05)
    monkeypatch.setattr(speed, "settled", lambda plan, *_, **__: dataclasses.replace(plan, precision="fp32", threads=2))
    monkeypatch.setattr(choose, "_crop_seconds", lambda *_: 0.001)


@pytest.mark.parametrize("minutes", [10 / 60, 1, 15, 240])
@pytest.mark.usefixtures("quick")
def test_the_schedule_ends_within_the_time(minutes: float) -> None:
    chosen = choose.planned(recipe.load("photo-fast"), pictures(), minutes, "cpu", ())
    plan = chosen.recipe
    assert plan.schedule == "one-cycle"
    seconds = plan.epochs * -(-plan.crops // plan.batch) * (0.05 + plan.batch * 0.001)
    assert 0.7 * 60 * minutes < seconds < 0.9 * 60 * minutes
    assert plan.crops * plan.crop**2 <= choose.EPOCH_PIXELS
    assert chosen.seconds == pytest.approx(0.05 + plan.batch * 0.001)
    assert len(chosen.lines) == 3
    assert "(fp32, 2 threads)" in chosen.lines[2]


@pytest.mark.usefixtures("quick")
def test_patch_and_channels_follow_the_pictures() -> None:
    chosen = choose.planned(recipe.load("photo-fast"), pictures(side=45, channels=1, dtype=np.uint16), 15, "cpu", ())
    plan, (first, second, _) = chosen.recipe, chosen.lines
    assert (plan.crop, plan.network_args["channels"]) == (40, 1)
    assert first == "Images: 20, grey, 16 bits, 45×45 in the middle"
    assert "patches of 40 pixels" in second
    with pytest.raises(InputError, match="most images are under 16 pixels a side"):
        choose.planned(recipe.load("photo-fast"), pictures(side=12), 15, "cpu", ())
    mixed = PictureSet("mine", [*pictures(18).images, *pictures(2, 20).images], [str(i) for i in range(20)], "")
    chosen = choose.planned(recipe.load("photo-fast"), mixed, 15, "cpu", ())
    assert chosen.recipe.crop == 64
    assert chosen.lines[0].endswith("; 2 are smaller than a patch and left out")


@pytest.mark.usefixtures("quick")
def test_what_was_set_stays() -> None:
    plan = choose.planned(recipe.load("photo-fast", {"epochs": 7, "crop": 32}), pictures(), 15, "cpu", ("epochs", "crop")).recipe
    assert (plan.epochs, plan.crop) == (7, 32)


def test_steps_and_crops_are_timed() -> None:
    plan = recipe.load("photo-fast", {"network": "residual", "network_args": {"width": 4}, "crop": 16, "batch": 2, "optimizer": "adam"})
    found = pictures(4, 40)
    view = sources.view(found, plan)
    plan = choose.settled(plan, found, "cpu", alone=True)
    assert plan.precision in ("fp32", "bf16")
    assert plan.threads >= 1
    assert choose.settled(plan, found, "cpu", alone=True) is plan
    assert 0 < speed.step_seconds(plan, (16, 16), "cpu", view.seen) < 60
    assert 0 < choose._crop_seconds(plan, found, view) < 60


def test_noisy_pictures_get_the_noise_they_have_as_degradation() -> None:
    rng = np.random.default_rng(0)
    noisy = [np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8) for image in scenes(6, 200)]
    plan = recipe.load("photo-fast", {"noisy_only": True, "loss": "mse"})
    found = choose.completed(plan, PictureSet("mine", noisy, [f"{i}.png" for i in range(6)], "")).degradation
    low, high = (float(each) for each in (found.removeprefix("noise:") + "-" + found.removeprefix("noise:")).split("-")[:2])
    assert 17 < low <= high < 23
