"""The scoreboard: known answers from models whose effect is known, and words that match the numbers."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError, ModelError
from burnish.image import metrics
from burnish.image.datasets import PictureSet
from burnish.scoreboard.board import Scoreboard, bootstrap_interval, evaluate, table


def pictures_of(name, images, names, **more):
    return PictureSet(name, images, names, "", **more)


@dataclass
class Card:
    name: str
    channels: int = 3
    input_size: list | None = None
    multiple_of: int = 4
    parameters: int = 17


@dataclass
class StandIn:
    """A model that applies a function to H×W×3 pictures, and remembers how it was called."""

    function: object
    card: Card
    path: str = "there.onnx"
    calls: list = field(default_factory=list)

    def run(self, batch):
        self.calls.append(("run", batch.shape))
        return np.stack([self.function(picture.transpose(1, 2, 0)).transpose(2, 0, 1) for picture in batch])

    def restore(self, array):
        self.calls.append(("restore", array.shape))
        return self.function(array)


def model(function, name="stand-in", **card):
    return StandIn(function, Card(name, **card))


CHELSEA, COFFEE = photographs.chelsea(), photographs.coffee()
PAIR = pictures_of("photos", [CHELSEA[:75, :90], COFFEE[100:180, 200:260]], ["chelsea", "coffee"])
BLUR = Degradation.parse("blur:1.0+8bit")
CIFAR_LIKE = pictures_of("cifar10", np.stack([CHELSEA[i : i + 32, i : i + 32] for i in range(0, 200, 5)]), [f"test/{i}" for i in range(40)])


def identity(picture):
    return picture


def oracle(pictures, degradation=BLUR):
    """A model that knows every original by its degraded picture."""
    known = {degradation.apply(image).tobytes(): (image / np.iinfo(image.dtype).max).astype(np.float32) for image in pictures.images}
    return lambda picture: known[np.ascontiguousarray(picture).tobytes()]


def score(function, pictures=PAIR, degradation=BLUR, **options):
    return evaluate([model(function)], pictures, degradation, tuning=None, **options)[0]


# --- Known answers ---


def test_doing_nothing_gains_nothing_and_does_not_help():
    board = score(identity)
    assert board.gain_db == 0
    assert board.gain_db_ci95 == (0, 0)
    assert board.helps is False
    assert board.psnr["model"] == board.psnr["input"]
    assert "does not help: exactly as far" in table([board])


def test_an_oracle_helps_and_is_capped_at_100_db():
    board = score(oracle(PAIR))
    assert board.helps is True
    assert board.psnr["model"] == 100
    assert board.ssim["model"] == pytest.approx(1)
    assert board.channel_accuracy["model"] == 1
    assert board.gain_db == pytest.approx(100 - board.psnr["input"])


def test_the_untouched_input_is_scored_as_the_metrics_say():
    board = score(identity)
    pairs = [(BLUR.apply(image), image / 255) for image in PAIR.images]
    for key, metric in (("psnr", metrics.psnr), ("ssim", metrics.ssim), ("channel_accuracy", metrics.channel_accuracy)):
        assert getattr(board, key)["input"] == pytest.approx(np.mean([metric(metrics.quantise(a), metrics.quantise(b)) for a, b in pairs]))


def test_a_harmful_model_is_called_so():
    board = score(lambda picture: picture * 0.9)
    assert board.helps is False
    assert board.gain_db < 0
    assert "stand-in does not help: " in table([board])
    assert "further from the originals than the untouched input (95 % interval −" in table([board])


def test_a_gain_that_may_be_chance_is_no_help():
    mixed = oracle(PAIR)
    board = score(lambda picture: mixed(picture) if picture.shape[0] == 75 else 1 - picture)
    assert board.gain_db > 0
    assert board.gain_db_ci95[0] < 0 < board.gain_db_ci95[1]
    assert board.helps is False
    assert "does not help beyond doubt" in table([board])


def test_the_model_is_fed_exact_unclipped_values_and_scored_clipped():
    seen = []
    noisy = Degradation.parse("noise:50")
    board = score(lambda picture: seen.append(picture.copy()) or picture, degradation=noisy)
    assert min(picture.min() for picture in seen) < 0
    assert any(np.array_equal(seen[0], noisy.apply(image)) for image in PAIR.images)
    clipped = np.mean([metrics.psnr(metrics.quantise(noisy.apply(image)), metrics.quantise(image / 255)) for image in PAIR.images])
    assert board.psnr["input"] == pytest.approx(clipped)


def test_16_bit_originals_are_scored_on_16_bit():
    deep = pictures_of("deep", [CHELSEA[:40, :40].astype(np.uint16) * 257], ["chelsea"])
    nudge = Degradation.parse("noise:0.05")  # below half a step of 8 bit: rounding to 8 bit would call it perfect
    board = score(identity, deep, nudge)
    assert 70 < board.psnr["input"] < 90


def test_one_picture_has_the_point_for_an_interval():
    one = pictures_of("one", PAIR.images[:1], PAIR.names[:1])
    board = score(oracle(PAIR), one)
    assert board.gain_db_ci95 == (board.gain_db, board.gain_db)
    assert "1 image: no interval" in table([board])
    assert [sample.kind for sample in board.samples] == ["worst"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=60), st.integers(0, 9))
def test_the_interval_holds_the_mean_and_lies_within_the_data(gains, seed):
    gains = np.array(gains)
    low, high = bootstrap_interval(gains, seed)
    assert gains.min() - 1e-9 <= low <= gains.mean() + 1e-9
    assert gains.mean() - 1e-9 <= high <= gains.max() + 1e-9
    assert (low, high) == bootstrap_interval(gains, seed)


def test_the_interval_is_the_normal_one_for_many_pictures():
    gains = np.random.default_rng(1).normal(2, 3, 10_000)
    low, high = bootstrap_interval(gains, 0)
    assert (high - low) / 2 == pytest.approx(1.96 * 3 / 100, rel=0.05)


# --- How models are run ---


def test_small_pictures_of_one_size_go_in_batches_to_the_same_scores():
    batched, single = model(identity), model(identity, multiple_of=5)
    evaluate([batched, single], CIFAR_LIKE, BLUR, tuning=None)
    assert ("run", (16, 3, 32, 32)) in batched.calls
    assert {name for name, _ in single.calls} == {"restore"}  # 32 is no multiple of 5: padding is the model's own business
    boards = evaluate([model(lambda p: p * 0.95), model(lambda p: p * 0.95, multiple_of=5)], CIFAR_LIKE, BLUR, tuning=None)
    assert boards[0].psnr == boards[1].psnr


def test_models_that_cannot_take_the_pictures_say_so():
    with pytest.raises(ModelError, match=r"only pictures of 32×32 .* 75×90|only pictures of 32×32 .* 80×60"):
        evaluate([model(identity, input_size=[32, 32])], PAIR, BLUR, tuning=None)
    with pytest.raises(ModelError, match=r"1 channel"):
        evaluate([model(identity, channels=1)], PAIR, BLUR, tuning=None)
    with pytest.raises(ModelError, match="came back as"):
        score(lambda picture: picture[::2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_never_scored(bad):
    with pytest.raises(ModelError, match=r"stand-in: gives values that are not numbers on (chelsea|coffee)"):
        score(lambda picture: np.full_like(picture, bad))


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(InputError, match="no model"):
        evaluate([], PAIR, BLUR, tuning=None)
    with pytest.raises(InputError, match="no picture to evaluate on"):
        score(identity, pictures_of("empty", [], []))


def test_models_of_one_name_are_told_apart_by_their_files():
    models = [model(identity, "seed"), model(identity, "seed")]
    models[1].path = "other.onnx"
    boards = evaluate(models, PAIR, BLUR, tuning=None)
    assert [board.model for board in boards] == ["seed (there.onnx)", "seed (other.onnx)"]


# --- Baselines on the scoreboard ---


@pytest.fixture(scope="module")
def with_baselines():
    tuning = pictures_of("photos", [photographs.astronaut()[:64, 180:244], CHELSEA[:75, :90]], ["astronaut", "chelsea again"])
    seen = []
    models = [model(identity, "nothing"), model(oracle(PAIR), "oracle")]
    pictures = pictures_of(PAIR.name, PAIR.images, PAIR.names, skipped=(("broken.png", "truncated"),))
    boards = evaluate(models, pictures, BLUR, tuning=tuning, progress=lambda done, total, note="": seen.append((done, total, note)))
    return boards, seen


def test_baselines_stand_on_every_board_with_their_settings(with_baselines):
    boards, seen = with_baselines
    names = {"unsharp", "wiener_oracle", "richardson_lucy", "total_variation", "non_local_means"}
    for board in boards:
        assert set(board.settings) == names
        assert set(board.psnr) == set(board.ssim) == names | {"input", "model"}
        assert min(board.psnr["wiener_oracle"], board.psnr["unsharp"], board.psnr["richardson_lucy"]) > board.psnr["input"] + 1
    assert seen[-1] == (2, 2, "scoring")
    assert any(note.startswith("tuning") for _, _, note in seen)


def test_the_json_holds_the_promised_keys_in_plain_types(with_baselines):
    for board in with_baselines[0]:
        line = json.loads(json.dumps(board.to_json(), allow_nan=False))
        assert line == board.to_json()
        promised = {"model", "images", "degradation", "parameters", "helps", "gain_db", "gain_db_ci95", "psnr", "ssim", "channel_accuracy"}
        assert promised | {"data", "not_applicable", "settings", "skipped"} == set(line)
        assert line["skipped"] == [{"name": "broken.png", "why": "truncated"}]
        assert line["images"] == 2


def test_the_table_shows_everything_once(with_baselines):
    text = table(with_baselines[0])
    assert text.count("untouched input  ") == 1
    rows = [
        "untouched input",
        "wiener oracle (told",
        "unsharp (radius",
        "nothing  ",
        "oracle  ",
        "channel accuracy: untouched input",
        "nothing does not",
    ]
    places = [text.index(row) for row in rows]
    assert places == sorted(places)
    assert "oracle helps: " in text
    assert "1 image skipped:\n  broken.png: truncated" in text


def test_where_the_oracle_does_not_apply_the_table_says_so():
    board = Scoreboard("m", 2, "jpeg:40", "d", 1, False, -1.0, (-2.0, -0.5), {"input": 30.0, "model": 29.0}, {"input": 0.9, "model": 0.8},
                       {"input": 0.9, "model": 0.8}, {"wiener_oracle": "jpeg has no transfer function"}, {}, (), ())  # fmt: skip
    assert "wiener oracle: not applicable, jpeg has no transfer function" in table([board])
    assert (
        "m does not help: 1.00 dB further from the originals than the untouched input (95 % interval −2.00 to −0.50, 2 images)."
        in table([board])
    )


def test_a_scored_picture_is_never_tuned_on():
    with pytest.raises(InputError, match="also scored"):
        evaluate([model(identity)], PAIR, BLUR, tuning=PAIR)


# --- Samples ---


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12, 13, 40])
def test_samples_are_the_extremes_and_the_middle_none_twice(count):
    pictures = pictures_of("cifar10", CIFAR_LIKE.images[:count], CIFAR_LIKE.names[:count])
    board = score(oracle(pictures), pictures)
    by_kind = {kind: [s for s in board.samples if s.kind == kind] for kind in ("worst", "middle", "best")}
    names = [sample.name for sample in board.samples]
    assert len(names) == len(set(names)) == min(12, len(names))
    assert len(names) == min(count, 12) or count < 12
    gains = {kind: [s.psnr_model - s.psnr_input for s in samples] for kind, samples in by_kind.items()}
    if count >= 3:
        assert max(gains["worst"]) <= min(gains["best"])
    for sample in board.samples:
        assert sample.restored.dtype == np.uint8
        assert np.array_equal(sample.restored, sample.original)  # the oracle's
        assert np.array_equal(sample.original, pictures.images[pictures.names.index(sample.name)])


def test_a_camera_picture_is_scored_against_its_development_without_noise() -> None:
    photograph = COFFEE[50:114, 100:164]
    degradation = Degradation.parse("camera:1")
    given, truth = degradation.pair(photograph, 5)
    scored = score(identity, pictures_of("coffee", [photograph], ["coffee"]), degradation, seed=5)
    assert scored.psnr["input"] == metrics.psnr(metrics.quantise(given), metrics.quantise(truth))
