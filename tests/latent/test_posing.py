import numpy as np
import pytest
from numpy.typing import NDArray

from burnish.latent.posing import Frame, middle, pose


def bolt(angle: float, y: float = 100, x: float = 110, side: int = 200) -> NDArray[np.float32]:
    """A dark bolt on a light ground: a shaft of 80 by 12 pixels with a head of 12 by 36 at its end."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    along = np.cos(angle) * (columns - x) + np.sin(angle) * (rows - y)
    across = -np.sin(angle) * (columns - x) + np.cos(angle) * (rows - y)
    inside = ((np.abs(along) < 40) & (np.abs(across) < 6)) | ((np.abs(along + 40) < 6) & (np.abs(across) < 18))
    noise = 0.01 * np.random.default_rng(int(1000 * angle) % 2**31).standard_normal(rows.shape)
    return np.clip(np.where(inside, 0.3, 0.8) + noise, 0, 1).astype(np.float32)[..., None]


@pytest.mark.parametrize("angle", np.linspace(-3, 3, 9))
def test_the_direction_is_told_head_from_tail(angle: float) -> None:
    found = pose(bolt(angle))
    assert found is not None
    assert abs(np.exp(1j * found.angle) - np.exp(1j * angle)) < 0.03
    assert found.elongation > 2


def test_turned_objects_look_alike() -> None:
    frame = Frame.learnt([bolt(angle) for angle in np.linspace(0, 6, 20)])
    assert frame is not None
    assert frame.share < 0.4
    images = [bolt(0.3), bolt(2.0, 90, 95)]
    poses = [pose(image) for image in images]
    seen = [frame.posed(image, each) for image, each in zip(images, poses, strict=True) if each]
    assert seen[0].shape == seen[1].shape
    assert np.abs(seen[0] - seen[1]).mean() < 0.03


def test_heat_returns_to_where_it_came_from() -> None:
    frame = Frame.learnt([bolt(angle) for angle in np.linspace(0, 6, 20)])
    assert frame is not None
    image = bolt(1.1)
    where = pose(image)
    assert where is not None
    seen = frame.posed(image, where)[..., 0]
    heat = 0.8 - seen[: seen.shape[0] // 4 * 4, : seen.shape[1] // 4 * 4][::4, ::4]
    back = frame.returned(heat, image.shape, where, 4)
    assert back.shape == (50, 50)
    inside = image[::4, ::4, 0] < 0.5
    assert back[inside].mean() > 0.4
    assert back[~inside].mean() < 0.05


def test_surfaces_and_aligned_objects_are_left_as_they_are() -> None:
    rng = np.random.default_rng(0)
    assert Frame.learnt([rng.random((100, 100, 1)).astype(np.float32) for _ in range(20)]) is None
    assert Frame.learnt([bolt(0.02 * place) for place in range(10)]) is None
    assert pose(np.full((80, 80, 1), 0.5, np.float32)) is None
    assert middle(np.zeros((81, 101, 1), np.float32)).x == 50
