"""Every network declares what the rest of the house asks of it, truly."""

import pytest
import torch

from burnish.training.image.networks import NETWORKS, build
from burnish.training.network import Network, placed, restored


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_what_it_declares(name: str) -> None:
    network = build(name, {})
    assert isinstance(network, Network)
    assert network.name == name
    period = network.multiple_of
    batch = torch.rand(2, network.channels, *(network.input_size or (2 * period, 3 * period)))
    output = network(batch)
    assert isinstance(output, tuple) == network.has_latent
    assert restored(output).shape == batch.shape
    again = build(network.name, network.args)
    assert again.args == network.args
    assert [each.shape for each in again.parameters()] == [each.shape for each in network.parameters()]


def test_a_network_is_placed_in_memory_without_changing_what_it_gives() -> None:
    network = build("unet", {"width": 8})
    batch = torch.rand(1, 3, 16, 16)
    before = restored(network(batch))
    assert placed(network, "cpu", torch.channels_last) is network
    weights = [each for each in network.parameters() if min(each.shape[1:]) > 1]
    assert weights
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in weights)
    torch.testing.assert_close(restored(network(batch)), before)
