"""Blocks' means are theirs, and the operator sees noise and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.image.blocks import block_means, noise_response


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.sampled_from([(), (1,), (3,)]), st.integers(0, 99))
def test_blocks_have_their_own_means(height: int, width: int, side: int, channels: tuple[int, ...], seed: int) -> None:
    image = np.random.default_rng(seed).random((height, width, *channels), np.float32)
    means = block_means(image, side)
    rows, columns = ([*range(0, max(1, length - side // 2), side), length] for length in (height, width))
    assert means.shape == (len(rows) - 1, len(columns) - 1, *channels)
    for y in range(len(rows) - 1):
        for x in range(len(columns) - 1):
            block = image[rows[y] : rows[y + 1], columns[x] : columns[x + 1]]
            np.testing.assert_allclose(means[y, x], block.astype(np.float64).mean(axis=(0, 1)), atol=1e-9)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_operator_keeps_the_variance_of_noise_and_nothing_of_a_plane(step: int) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:300, :400].astype(float)
    plane = (0.2 + 0.001 * y - 0.0005 * x)[..., None].repeat(3, 2)
    assert noise_response(plane, step).shape == (300 - 2 * step, 400 - 2 * step, 3)
    np.testing.assert_allclose(noise_response(plane, step), 0, atol=1e-12)
    noisy = plane + rng.normal(0, 0.1, plane.shape)
    assert noise_response(noisy, step).std() == pytest.approx(0.1, rel=0.02)
    assert noise_response(noisy.astype(np.float32), step).dtype == np.float32
