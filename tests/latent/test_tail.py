import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.latent.tail import Tail

KINDS = {"normal": lambda rng, n: rng.normal(size=n), "exponential": lambda rng, n: rng.exponential(size=n)}


@pytest.mark.parametrize("kind", KINDS)
def test_one_in_a_hundred_is_one_in_a_hundred(kind: str) -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        tail = Tail.fitted(KINDS[kind](rng, 80))
        shares.append(float((tail.rarity(KINDS[kind](rng, 2000)) >= 2).mean()))
    assert 0.003 <= np.mean(shares) <= 0.03


@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=60), st.floats(0, 1e4), st.floats(1e-3, 1e4))
def test_it_ranks_beyond_the_last_normal(scores: list[float], beyond: float, more: float) -> None:
    tail = Tail.fitted(np.array(scores))
    low, high = tail.rarity(np.array([max(scores) + beyond, max(scores) + beyond + more]))
    assert np.isfinite([low, high]).all()
    assert high > low >= 0


def test_it_never_falls() -> None:
    rng = np.random.default_rng(1)
    for fit in (Tail.fitted, Tail.robust):
        rarities = fit(rng.gamma(2, size=50)).rarity(np.linspace(-1, 30, 500))
        assert (np.diff(rarities) >= 0).all()


def test_what_scores_between_two_normals_is_ranked_between_them() -> None:
    normals = np.sort(np.random.default_rng(4).normal(size=40))
    tail = Tail.fitted(normals)
    dense = tail.rarity(np.linspace(normals[0], normals[-1], 997))
    assert (np.diff(dense) > 0).all()
    assert dense[0] == 0
    at = tail.rarity(normals[:30])
    np.testing.assert_allclose(at, [np.log10(41 / (41 - place)) for place in range(30)])


def test_a_fifth_of_anomalies_does_not_move_the_robust_tail_far() -> None:
    rng = np.random.default_rng(2)
    clean = rng.exponential(size=160)
    spoilt = np.concatenate([clean, 50 + rng.exponential(size=20)])
    assert Tail.robust(spoilt).rarity(50.0)[0] > 5
    assert Tail.fitted(spoilt).rarity(50.0)[0] < 2


def test_scores_that_are_all_the_same_give_finite_rarities() -> None:
    tail = Tail.fitted(np.full(20, 3.0))
    assert np.isfinite(tail.rarity(np.array([2.0, 3.0, 4.0]))).all()
