"""The seed network is Keras's, layer for layer; the residual one leaves an image alone until it is trained."""

import numpy as np
import pytest
import torch
from conftest import SHARED
from numpy.typing import NDArray
from torch import nn

from burnish.degradation import Degradation
from burnish.errors import RecipeError
from burnish.training.image.networks import Residual, SameTranspose, Seed, UNet, Unrolled, build, mirrored

REFERENCE = SHARED / "reference" / "keras_seed_network.npz"
LAYERS = ("conv1", "conv2", "deconv1", "deconv2", "conv_out")


def with_keras_weights(arrays: dict[str, NDArray[np.float32]]) -> Seed:
    """The seed with Keras's weights: H,W,I,O for convolutions and H,W,O,I for transposed ones, both put into torch's order."""
    network = Seed()
    state = {}
    for layer in LAYERS:
        state[f"{layer}.weight"] = torch.from_numpy(np.ascontiguousarray(arrays[f"{layer}/kernel"].transpose(3, 2, 0, 1)))
        state[f"{layer}.bias"] = torch.from_numpy(arrays[f"{layer}/bias"])
    network.load_state_dict(state)
    return network.eval()


@pytest.mark.skipif(not REFERENCE.exists(), reason="the Keras reference is not beside this checkout")
def test_seed_gives_what_keras_gives() -> None:
    with np.load(REFERENCE) as file:
        arrays = dict(file)
    blurred = torch.from_numpy(arrays["blurred"]).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        restored, latent = with_keras_weights(arrays)(blurred)
    np.testing.assert_allclose(restored.permute(0, 2, 3, 1).numpy(), arrays["restored"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(latent.permute(0, 2, 3, 1).numpy(), arrays["latent"], atol=1e-5, rtol=1e-5)


def test_seed_counts_and_start_are_keras_defaults() -> None:
    torch.manual_seed(0)
    network = Seed()
    counts = [sum(p.numel() for p in getattr(network, layer).parameters()) for layer in LAYERS]
    assert counts == [224, 1168, 2320, 2320, 435]
    assert sum(counts) == 6467
    for layer, fan in zip(LAYERS, (27 + 72, 72 + 144, 288, 288, 144 + 27), strict=True):
        weight = getattr(network, layer).weight
        limit = (6 / fan) ** 0.5  # Glorot and Bengio 2010, uniform
        assert 0.9 * limit < weight.abs().max() <= limit
        assert not getattr(network, layer).bias.any()


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_same_transpose_keeps_the_first_rows_of_the_full_output_forwards_and_backwards(size: int) -> None:
    torch.manual_seed(size)
    layer = SameTranspose(3, 5)
    image = torch.randn(2, 3, size, size + 1)
    expected = nn.functional.conv_transpose2d(image, layer.weight, layer.bias, stride=2)[..., : 2 * size, : 2 * size + 2]
    (wanted,) = torch.autograd.grad(expected.square().sum(), layer.weight)
    for quick in (layer, layer._by_phases):
        torch.testing.assert_close(quick(image), expected)
        (gradient,) = torch.autograd.grad(quick(image).square().sum(), layer.weight)
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-4)


def test_residual_starts_as_doing_nothing_within_the_seeds_budget() -> None:
    network = Residual()
    image = torch.rand(2, 3, 10, 6)
    assert torch.equal(network(image), image)
    assert sum(p.numel() for p in network.parameters()) == 5804


def test_build_refuses_what_it_cannot_build() -> None:
    assert build("residual", {"width": 4}).args == {"width": 4, "channels": 3}
    with pytest.raises(RecipeError, match="no network 'vnet'"):
        build("vnet", {})
    with pytest.raises(RecipeError, match="cannot be built"):
        build("residual", {"depth": 4})
    with pytest.raises(RecipeError, match="cannot be built"):
        build("residual", {"width": -1})


def test_unrolled_fits_the_seeds_budget_whatever_its_steps() -> None:
    for steps in (1, 2, 5):
        assert sum(p.numel() for p in Unrolled(steps=steps).parameters()) == 6173
    image = torch.rand(2, 3, 16, 8)
    torch.testing.assert_close(Unrolled()(image), image)  # until it is started and trained


def test_the_unet_leaves_the_image_alone_until_trained_and_scales_with_it() -> None:
    network = UNet(width=8, outer=1, inner=1, middle=2)
    image = torch.rand(2, 3, 16, 24)
    torch.testing.assert_close(network(image), image)
    torch.nn.init.normal_(network.leave.weight, std=0.1)
    restored = network(image)
    assert not torch.allclose(restored, image)
    torch.testing.assert_close(network(3 * image), 3 * restored)  # bias-free: homogeneous


def test_mirrored_edges_are_numpys_symmetric_ones() -> None:
    image = torch.rand(2, 3, 7, 6)
    wanted = np.pad(image.numpy(), ((0, 0), (0, 0), (6, 6), (6, 6)), mode="symmetric")
    np.testing.assert_array_equal(mirrored(image, 6).numpy(), wanted)


def test_the_solved_filter_undoes_a_blur_better_than_any_nearby_filter(small_pictures: NDArray[np.uint8]) -> None:
    degraded = torch.from_numpy(Degradation.parse("blur:1.0+8bit").apply_all(small_pictures)).permute(0, 3, 1, 2)
    clean = torch.from_numpy(small_pictures / np.float32(255)).permute(0, 3, 1, 2)
    network = Unrolled(steps=0)

    def loss() -> float:
        with torch.inference_mode():
            return (network(degraded) - clean).double().square().mean().item()

    untouched = loss()
    network.start(degraded, clean)
    solved = loss()
    assert solved < untouched / 2.5
    best = network.linear.weight.detach().clone()
    for seed in range(5):
        nudge = torch.randn(best.shape, generator=torch.Generator().manual_seed(seed))
        for size in (1e-2, -1e-2):
            network.linear.weight.data = best + size * nudge
            assert loss() > solved
