"""Export: the model file gives what the network gives, describes it truly, and turns back into it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import burnish
from burnish.errors import ModelError
from burnish.files import write_bytes
from burnish.model import file as model_file
from burnish.model.card import Card
from burnish.training import export, recipe
from burnish.training.image import networks
from burnish.training.network import restored


def written(network: nn.Module, path: Path) -> Card:
    return export.export(network, path, name="a", summary="b", degradation="8bit", recipe={}, data={"name": "none"})


def noisy(network: nn.Module) -> nn.Module:
    """The network with no weight at its start, where the last layer of some is zero."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


NETWORKS = {
    "seed": lambda: networks.Seed(),
    "residual": lambda: networks.Residual(),
    "residual of 8": lambda: networks.Residual(8),
    "unrolled": lambda: networks.Unrolled(),
    "unet": lambda: networks.UNet(width=8, outer=1, inner=2, middle=1),
    "grid": lambda: networks.Bottleneck(numbers=6, size=0, patch=8, width=4),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Any:
    return noisy(NETWORKS[request.param]())


def test_the_model_gives_what_the_network_gives_at_any_size(tmp_path: Path, network: Any) -> None:
    written(network, tmp_path / "a.onnx")
    loaded = burnish.load(tmp_path / "a.onnx")
    for n, h, w in ((1, 1, 1), (2, 3, 7), (5, 10, 4)):
        batch = torch.rand(n, 3, h * network.multiple_of, w * network.multiple_of)
        with torch.inference_mode():
            wanted = restored(network(batch)).numpy()
        np.testing.assert_allclose(loaded.run(batch.numpy()), wanted, atol=1e-5)


def test_model_file_to_network_to_model_file_gives_the_same_weights(tmp_path: Path, network: Any) -> None:
    written(network, tmp_path / "a.onnx")
    back = export.to_network(tmp_path / "a.onnx")
    assert type(back) is type(network)
    for name, value in network.state_dict().items():
        assert torch.equal(back.state_dict()[name], value), name
    assert written(back, tmp_path / "b.onnx") == burnish.load(tmp_path / "a.onnx").card
    again = export.to_network(tmp_path / "b.onnx")
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_untrained_zeros_keep_their_names(tmp_path: Path) -> None:
    written(networks.Residual(), tmp_path / "a.onnx")  # its last layer is all zeros
    assert export.to_network(tmp_path / "a.onnx").state_dict().keys() == networks.Residual().state_dict().keys()


def test_the_card_tells_the_seeds_own_counts(tmp_path: Path) -> None:
    card = written(noisy(networks.Seed()), tmp_path / "a.onnx")
    assert [layer["parameters"] for layer in card.layers] == [224, 0, 1168, 0, 2320, 2320, 435]
    assert [layer["output_shape"] for layer in card.layers][3] == [8, 8, 16]
    assert card.parameters == 6467
    assert (card.multiple_of, card.channels, card.input_size) == (4, 3, None)
    # by hand: 3·8·9 at 32², 8·16·9 at 16², 16·16·9 at 8² and at 16², 16·3·9 at 32²
    assert card.macs_per_pixel == 216 + 1152 / 4 + 2304 / 16 + 2304 / 4 + 432
    assert model_file.load("seed").card.layers == card.layers


@pytest.mark.parametrize("name", NETWORKS)
def test_the_halo_is_the_reach(name: str) -> None:
    """Beyond the halo nothing changes; at it something does, for weights that hide nothing."""
    network: Any = NETWORKS[name]().double()
    export._make_transparent(network)
    halo, period = export.halo(NETWORKS[name]()), network.multiple_of
    side = 2 * (halo // period + 3) * period
    image = torch.zeros(1, 3, side, side, dtype=torch.double)
    with torch.inference_mode():
        before = restored(network(image))
        reached = 0
        for y in range(side // 2, side // 2 + period):
            for x in range(side // 2, side // 2 + period):
                touched = image.clone()
                touched[0, :, y, x] = 1
                changed = ((restored(network(touched)) - before)[0].abs().sum(0) > 1e-12).nonzero()
                reached = max(reached, int((changed - torch.tensor([y, x])).abs().max()))
    assert reached == halo


def test_weights_that_are_not_finite_are_not_exported(tmp_path: Path) -> None:
    network = networks.Residual()
    nn.init.constant_(network.conv1.weight, float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        written(network, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_differs_from_its_network_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "a.onnx", b"what was there")
    graph = export._graph(noisy(networks.Residual()))
    monkeypatch.setattr(export, "_graph", lambda _network: graph)
    with pytest.raises(ModelError, match="differs from its network by"):
        written(networks.Residual(), tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == b"what was there"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_network_whose_values_go_far_beyond_is_held_to_what_single_precision_can_tell(tmp_path: Path) -> None:
    network = networks.Unrolled()  # as a training that was stopped in its first steps may leave it
    torch.nn.init.normal_(network.linear.weight, std=30, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(network.leave.weight, generator=torch.Generator().manual_seed(1))
    written(network, tmp_path / "a.onnx")


def test_a_model_of_another_network_does_not_turn_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(networks.Residual(8), tmp_path / "a.onnx")
    monkeypatch.setattr(networks, "build", lambda _name, _args: networks.Residual(16))
    with pytest.raises(ModelError, match="does not hold the weights of its network 'residual'"):
        export.to_network(tmp_path / "a.onnx")


def test_the_shipped_seed_turns_back_into_a_network() -> None:
    network = export.to_network("seed").eval()
    batch = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        wanted = restored(network(batch)).numpy()
    np.testing.assert_allclose(burnish.load("seed").run(batch.numpy()), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("recipe_name", "measure", "most"),
    [
        ("seed-quick", "parameters", 6467),
        ("tiny-deblur", "parameters", 6467),
        ("tiny-blind", "parameters", 6467),
        ("photo-fast", "macs_per_pixel", 12_000),
        ("photo", "macs_per_pixel", 35_000),
        ("deblur", "macs_per_pixel", 35_000),
    ],
)
def test_what_the_recipes_make_fits_its_budget(recipe_name: str, measure: str, most: int) -> None:
    plan = recipe.load(recipe_name)
    assert 0.5 * most < export.describe(networks.build(plan.network, plan.network_args))[measure] <= most
