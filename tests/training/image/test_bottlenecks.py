from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import burnish
from burnish.errors import ModelError, RecipeError
from burnish.training import export, recipe
from burnish.training.image.bottlenecks import Bottleneck
from burnish.training.image.networks import build


def batch_of(pictures: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def noisy(network: nn.Module) -> Any:
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.02)
    return network


def test_it_begins_as_principal_components(small_pictures: NDArray[np.uint8]) -> None:
    torch.manual_seed(0)
    network = Bottleneck(numbers=8)
    images = batch_of(small_pictures)
    network.start(images, images)
    with torch.inference_mode():
        restored, latent = network(images)
    flat = small_pictures.transpose(0, 3, 1, 2).reshape(len(small_pictures), -1) / 255
    centred = flat - flat.mean(0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    best = (left[:, :8] * values[:8]) @ right[:8] + flat.mean(0)
    error = float((restored.flatten(1) - images.flatten(1)).square().mean())
    assert latent.shape == (len(small_pictures), 8)
    assert error == pytest.approx(float(np.square(best - flat).mean()), rel=0.1)  # it sees no fine waves


def test_a_step_of_training_leaves_the_linear_path_and_moves_the_rest(small_pictures: NDArray[np.uint8]) -> None:
    network = Bottleneck(numbers=8, width=8)
    images = batch_of(small_pictures)
    network.start(images, images)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(30):
        loss = (network(images)[0] - images).square().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    after = network.state_dict()
    assert torch.equal(before["linear.weight"], after["linear.weight"])
    assert not torch.equal(before["enter4.weight"], after["enter4.weight"])
    assert not torch.equal(before["leave7.weight"], after["leave7.weight"])


@pytest.mark.parametrize("size", [32, 16])
def test_the_model_takes_one_size_and_its_decoder_runs_alone(tmp_path: Path, size: int) -> None:
    network = noisy(Bottleneck(numbers=12, size=size, width=8))
    card = export.export(network, tmp_path / "a.onnx", name="a", summary="b", degradation="8bit", recipe={}, data={"name": "none"})
    assert card.input_size == [size, size]
    assert card.halo == 0
    model = burnish.load(tmp_path / "a.onnx")
    pictures = np.random.default_rng(0).random((5, size, size, 3), dtype=np.float32)
    latent = model.encode(pictures)
    assert latent.shape == (5, 12)
    with torch.inference_mode():
        wanted = network.eval()(torch.from_numpy(pictures.transpose(0, 3, 1, 2)))[0].numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(model.decode(latent), wanted.clip(0, 1), atol=1e-5)
    np.testing.assert_allclose(model.decode(latent[3]), wanted[3].clip(0, 1), atol=1e-5)
    with pytest.raises(ModelError, match=f"only images of {size}×{size}"):
        model.encode(np.zeros((size, 2 * size, 3), np.uint8))


def test_a_grid_takes_images_of_any_size(tmp_path: Path) -> None:
    network = noisy(Bottleneck(numbers=6, size=0, patch=8, width=8))
    export.export(network, tmp_path / "a.onnx", name="a", summary="b", degradation="8bit", recipe={}, data={"name": "none"})
    model = burnish.load(tmp_path / "a.onnx")
    latent = model.encode(np.zeros((40, 27, 3), np.uint8))
    assert latent.shape == (6, 5, 4)
    assert model.decode(latent).shape == (40, 32, 3)


@pytest.mark.parametrize(
    "args", [{"numbers": 1}, {"numbers": 600}, {"size": 30}, {"size": 0}, {"size": 32, "patch": 8}, {"size": 8, "numbers": 200}]
)
def test_what_cannot_be_built_is_told(args: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match="cannot be built"):
        build("bottleneck", args)


def test_the_recipe_trains_and_exports(small_pictures: NDArray[np.uint8], tmp_path: Path) -> None:
    from burnish.image.datasets import write_png
    from burnish.training import run

    for index, picture in enumerate(small_pictures):
        write_png(tmp_path / "in" / f"{index:02d}.png", picture / np.float32(255), np.dtype(np.uint8))
    changes = {"network_args": {"numbers": 4, "width": 4}, "epochs": 1, "batch": 8, "validation": 0.25, "precision": "fp32", "threads": 1}
    plan = replace(recipe.load("latent", changes), data=str(tmp_path / "in"))
    made = run.fit(plan, tmp_path / "run")
    assert burnish.load(made.model).encode(small_pictures[:2]).shape == (2, 4)
