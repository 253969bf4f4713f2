"""PCA as the rival of a model with a bottleneck: it is what numpy's own decomposition gives, and the boards say who leads."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from burnish.degradation import Degradation
from burnish.image import components
from burnish.image.datasets import PictureSet
from burnish.image.evaluate import Task
from burnish.image.score import scored
from burnish.scoreboard.board import table

RNG = np.random.default_rng(0)
EIGHT_BIT = Degradation.parse("8bit")


@dataclass
class Card:
    name: str = "small"
    degradation: str = "8bit"
    channels: int = 3
    input_size: list | None = None
    multiple_of: int = 4
    parameters: int = 17


class Rebuilder:
    """A model that gives back what it got with an error of `error`, and says that it has so many numbers."""

    path = "there.onnx"

    def __init__(self, numbers, error, **card):
        self.numbers, self.error, self.card = numbers, error, Card(**card)
        self.only_rebuilds = Degradation.parse(self.card.degradation).takes_nothing

    def encode(self, array):
        side = self.card.multiple_of
        grid = () if self.card.input_size else (array.shape[0] // side, array.shape[1] // side)
        return np.zeros((self.numbers, *grid), np.float32)

    def run(self, batch):
        return batch + np.float32(self.error)

    def restore(self, array):
        return array + np.float32(self.error)


def smooth(count, height=8, width=8):
    """Images that a few numbers describe: gradients of drawn slopes and colours, and a little noise."""
    y, x = np.mgrid[0:height, 0:width] / 8
    slopes = RNG.normal(0, 20, (count, 2, 1, 1, 3))
    noise = RNG.normal(0, 4, (count, height, width, 3))
    return (128 + slopes[:, 0] * y[..., None] + slopes[:, 1] * x[..., None] + noise).clip(0, 255).astype(np.uint8)


def pictures(images):
    return PictureSet("gradients", images, [str(i) for i in range(len(images))], "")


def test_it_is_what_a_whole_decomposition_gives():
    images = smooth(200)
    found = components.fitted(Rebuilder(6, 0, input_size=[8, 8]), pictures(images))
    flat = images.reshape(200, -1).astype(np.float32) / 255
    mean = flat.mean(0)
    _, _, right = np.linalg.svd(flat - mean, full_matrices=False)
    wanted = (flat - mean) @ right[:6].T @ right[:6] + mean
    np.testing.assert_allclose(found.restore(images.astype(np.float32) / 255, []), wanted.reshape(images.shape), atol=1e-3)
    assert found.setting == "6 numbers for an image, learnt from 200 images"


def test_a_grid_has_components_of_its_patches_and_any_size():
    found = components.fitted(Rebuilder(48, 0), pictures(list(smooth(3, 17, 22))))
    assert found.setting == "48 numbers for each 4×4 pixels, learnt from 60 patches of 3 images"
    image = smooth(1, 19, 14).astype(np.float32) / 255
    assert found.restore(image, []).shape == image.shape
    np.testing.assert_allclose(found.restore(image, []), image, atol=1e-4)  # as many numbers as values


@pytest.mark.parametrize(("size", "told"), [([8, 8], "6 images to learn from, here are 5"), (None, "6 patches to learn from, here are 5")])
def test_too_few_images_are_told(size, told):
    images = smooth(5) if size else smooth(5, 4, 7)
    assert components.fitted(Rebuilder(6, 0, input_size=size), pictures(images)) == f"PCA needs more than {told}"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("8bit", True),
        ("noise:0", True),
        ("noise:0+8bit", True),
        ("8bit|noise:0-5", False),
        ("blur:1.0+8bit", False),
        ("own", False),
        ("jpeg:50", False),
    ],
)
def test_what_takes_nothing_away(spec, told):
    assert Degradation.parse(spec).takes_nothing is told


@pytest.mark.parametrize(("error", "helps"), [(0.002, True), (0.2, False)])
def test_the_verdict_is_about_pca(error, helps):
    images = smooth(60)
    (board,) = Task(pictures(images), EIGHT_BIT, (), (), True, (pictures(smooth(80)),)).score([Rebuilder(6, error, input_size=[8, 8])])
    line = json.loads(json.dumps(board.to_json()))
    assert (board.helps, line["helps"], line["rival"]) == (helps, helps, "pca")
    assert set(line["scores"]["psnr"]) == {"input", "model", "pca"}
    assert line["gain"] == pytest.approx(line["scores"]["psnr"]["model"] - line["scores"]["psnr"]["input"])
    assert line["lead"] == pytest.approx(line["scores"]["psnr"]["model"] - line["scores"]["psnr"]["pca"])
    assert line["lead_ci95"][0] <= line["lead"] <= line["lead_ci95"][1]
    text = table([board])
    assert "PCA (6 numbers for an image, learnt from 80 images)" in text
    assert "over PCA dB" in text
    assert [caption.split(",")[0] for caption, _ in board.samples[0].captioned()] == ["Original", "Given back"]
    assert "gain" not in board.samples[0].html()
    assert ("small helps: " in text, "than PCA with as many numbers" in text) == (helps, True)


def test_each_half_is_rebuilt_by_what_the_other_half_taught():
    halves = pictures(smooth(40)), pictures(smooth(30))
    (board,) = scored([Rebuilder(6, 0.002, input_size=[8, 8])], pictures(smooth(20)), EIGHT_BIT, tuning=halves)
    assert board.settings == {"pca": "6 numbers for an image, learnt from 40 images or 6 numbers for an image, learnt from 30 images"}
    assert board.helps


@pytest.mark.parametrize("learnt", [(), (pictures(smooth(3)),)])
def test_without_pca_nothing_is_judged(learnt):
    (board,) = Task(pictures(smooth(5)), EIGHT_BIT, (), (), True, learnt).score([Rebuilder(6, 0.002, input_size=[8, 8])])
    assert not board.helps
    assert "lead" not in board.to_json()
    text = table([board])
    assert "small is not judged" in text
    assert ("PCA: not applicable, PCA needs more than 6 images" in text) == bool(learnt)


def test_what_restores_is_judged_as_before():
    images = smooth(12)
    for model, degradation in (
        (Rebuilder(6, 0.002, input_size=[8, 8], degradation="blur:1.0+8bit"), EIGHT_BIT),
        (Rebuilder(6, 0.002, input_size=[8, 8]), Degradation.parse("noise:25")),
    ):
        (board,) = Task(pictures(images), degradation, (), (), True, (pictures(images),)).score([model])
        assert board.rival == "input"
        assert "rival" not in board.to_json()
        assert "pca" not in board.psnr


def test_models_of_both_kinds_stand_side_by_side_in_their_order():
    models = [
        Rebuilder(6, 0.002, input_size=[8, 8]),
        Rebuilder(6, 0.01, name="restores", degradation="blur:1.0", input_size=[8, 8]),
        Rebuilder(4, 0.002, input_size=[8, 8], name="smaller"),
    ]
    boards = Task(pictures(smooth(12)), EIGHT_BIT, (), (), True, (pictures(smooth(40)),)).score(models)
    assert [board.model for board in boards] == ["small", "restores", "smaller"]
    assert [board.rival for board in boards] == ["pca", "input", "pca"]
    assert boards[0].psnr["pca"] > boards[2].psnr["pca"]
