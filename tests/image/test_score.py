"""How images are scored: known answers from models whose effect is known, and words that match the numbers."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError, ModelError
from burnish.image import metrics
from burnish.image.baselines import Baseline
from burnish.image.datasets import PictureSet
from burnish.image.folder import Entry, Files
from burnish.image.score import scored
from burnish.scoreboard.board import table


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
    """A model that applies a function to H×W×3 images, and remembers how it was called."""

    function: object
    card: Card
    path: str = "there.onnx"
    only_rebuilds: bool = False
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
    """A model that knows every original by its degraded image."""
    known = {degradation.apply(image).tobytes(): (image / np.iinfo(image.dtype).max).astype(np.float32) for image in pictures.images}
    return lambda picture: known[np.ascontiguousarray(picture).tobytes()]


def score(function, pictures=PAIR, degradation=BLUR, **options):
    return scored([model(function)], pictures, degradation, **options)[0]


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


# --- How models are run ---


def test_small_pictures_of_one_size_go_in_batches_to_the_same_scores():
    batched, single = model(identity), model(identity, multiple_of=5)
    scored([batched, single], CIFAR_LIKE, BLUR)
    assert ("run", (16, 3, 32, 32)) in batched.calls
    assert {name for name, _ in single.calls} == {"restore"}  # 32 is no multiple of 5: padding is the model's own business
    boards = scored([model(lambda p: p * 0.95), model(lambda p: p * 0.95, multiple_of=5)], CIFAR_LIKE, BLUR)
    assert boards[0].psnr == boards[1].psnr


def test_models_that_cannot_take_the_pictures_say_so():
    with pytest.raises(ModelError, match=r"only images of 32×32 .* (75×90|80×60)"):
        scored([model(identity, input_size=[32, 32])], PAIR, BLUR)
    with pytest.raises(ModelError, match=r"1 channel"):
        scored([model(identity, channels=1)], PAIR, BLUR)
    with pytest.raises(ModelError, match="came back as"):
        score(lambda picture: picture[::2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_never_scored(bad):
    with pytest.raises(ModelError, match=r"stand-in: gives values that are not numbers on (chelsea|coffee)"):
        score(lambda picture: np.full_like(picture, bad))


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(InputError, match="no model"):
        scored([], PAIR, BLUR)
    with pytest.raises(InputError, match="no image to evaluate on"):
        score(identity, pictures_of("empty", [], []))


def test_models_of_one_name_are_told_apart_by_their_files():
    models = [model(identity, "seed"), model(identity, "seed")]
    models[1].path = "other.onnx"
    boards = scored(models, PAIR, BLUR)
    assert [board.model for board in boards] == ["seed (there.onnx)", "seed (other.onnx)"]


# --- Baselines on the scoreboard ---


@pytest.fixture(scope="module")
def with_baselines():
    tuning = pictures_of("photos", [photographs.astronaut()[:64, 180:244], CHELSEA[:75, :90]], ["astronaut", "chelsea again"])
    seen = []
    models = [model(identity, "nothing"), model(oracle(PAIR), "oracle")]
    pictures = pictures_of(PAIR.name, PAIR.images, PAIR.names, skipped=(("broken.png", "truncated"),))
    boards = scored(models, pictures, BLUR, tuning=[tuning], progress=lambda done, total, note="": seen.append((done, total, note)))
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
        promised = {"model", "kind", "items", "degradation", "parameters", "helps", "metric", "gain", "gain_ci95", "scores"}
        of_the_first_stage = {"images", "gain_db", "gain_db_ci95", "psnr", "ssim", "channel_accuracy"}
        assert promised | of_the_first_stage | {"data", "not_applicable", "settings", "skipped", "notes"} == set(line)
        assert (line["kind"], line["metric"], line["items"]) == ("image", "psnr", line["images"])
        assert (line["gain"], line["gain_ci95"]) == (line["gain_db"], line["gain_db_ci95"])
        assert line["scores"] == {key: line[key] for key in ("psnr", "ssim", "channel_accuracy")}
        assert {"input", "model", "unsharp", "wiener_oracle"} <= line["scores"]["psnr"].keys()
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


def test_a_scored_picture_is_never_tuned_on():
    with pytest.raises(InputError, match="also scored"):
        scored([model(identity)], PAIR, BLUR, tuning=[PAIR])


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


def test_of_large_images_the_middle_is_shown_and_all_is_scored():
    large = pictures_of("large", [np.tile(CHELSEA, (2, 2, 1))], ["a"])
    (sample,) = score(identity, large).samples
    assert (sample.original.shape, sample.size) == ((512, 512, 3), (600, 902))
    assert np.array_equal(sample.original, large.images[0][44:556, 195:707])


# --- The truth ---


def test_what_a_camera_makes_is_compared_with_its_development_without_noise():
    camera = Degradation.parse("camera:1")
    seen = []
    developed = {}
    for image in PAIR.images:
        degraded, truth = camera.pair(image)
        developed[degraded.tobytes()] = truth
    board = score(lambda picture: seen.append(picture) or developed[np.ascontiguousarray(picture).tobytes()], degradation=camera)
    assert board.psnr["model"] == 100
    assert board.psnr["input"] < 45
    for sample in board.samples:
        image = PAIR.images[PAIR.names.index(sample.name)]
        assert np.array_equal(sample.original, np.rint(metrics.quantise(camera.pair(image)[1]) * 255))
        assert not np.array_equal(sample.original, image)


# --- Pairs ---


def test_pairs_are_scored_as_they_came():
    pairs = pictures_of("own", [CHELSEA[:50, :60]] * 2, ["a", "b"], degraded=[CHELSEA[:50, :60] // 2, CHELSEA[:50, :60]])
    board = score(identity, pairs, Degradation.parse("own"))
    halved = metrics.psnr(metrics.quantise(CHELSEA[:50, :60] // 2 / 255), CHELSEA[:50, :60] / 255)
    assert board.psnr["input"] == pytest.approx((halved + 100) / 2)


def test_each_half_of_pairs_gets_the_settings_chosen_on_the_other(monkeypatch):
    tuned, used = [], []

    def restored(name, batch):
        used.append((name, batch[0, 0, 0].tolist()))
        return batch

    def tune(tuning, *_):
        tuned.append(list(tuning.names))
        name = "".join(tuning.names)
        return [Baseline("mean", name, lambda batch, _chains: restored(name, batch))], {}

    monkeypatch.setattr("burnish.image.score.baselines.tune", tune)
    images = [np.full((9, 9, 3), level, np.uint8) for level in (0, 51, 102, 153)]
    pairs = pictures_of("own", images, list("abcd"), degraded=images)
    board = score(identity, pairs, Degradation.parse("own"), tuning=[pairs.chosen([1, 3]), pairs.chosen([0, 2])])
    assert tuned == [["b", "d"], ["a", "c"]]
    assert sorted((name, round(value[0] * 5)) for name, value in used) == [("ac", 1), ("ac", 3), ("bd", 0), ("bd", 2)]
    assert board.settings == {"mean": "bd or ac"}
    assert set(board.psnr) == {"input", "model", "mean"}


# --- Decoding ---


class Counted(Files):
    """Images of a folder that count how often each is decoded, and of which one is broken."""

    def __init__(self, count, broken=None):
        entry = [Entry(f"{index}.png", Path(f"{index}.png"), 0, (40, 50, 3), False, 1) for index in range(count)]
        super().__init__(entry, 3)
        self.decoded, self.broken = [], broken

    def __getitem__(self, index):
        name = self.entries[index].name
        self.decoded.append(name)
        if name == self.broken:
            raise InputError(f"{name}: is cut off")
        return CHELSEA[:40, int(name[0]) : int(name[0]) + 50]

    def chosen(self, indices):
        chosen = Counted(0, self.broken)
        chosen.entries, chosen.decoded = [self.entries[i] for i in indices], self.decoded
        return chosen


def test_each_image_is_decoded_once_for_all_methods_and_again_only_to_be_shown():
    images = Counted(9)
    tuning = pictures_of("photos", [photographs.astronaut()[:64, 180:244]], ["astronaut"])
    many = pictures_of("many", images, [f"{i}.png" for i in range(9)])
    boards = scored([model(identity), model(identity, "other")], many, BLUR, tuning=[tuning])
    assert sorted(images.decoded[:9]) == many.names
    assert len(images.decoded) == 9 + sum(len(board.samples) for board in boards)


def test_what_breaks_when_its_turn_comes_is_named_and_the_others_are_scored():
    images = Counted(5, broken="2.png")
    board = score(identity, pictures_of("many", images, [f"{i}.png" for i in range(5)], skipped=(("x.png", "no image"),)))
    assert board.items == 4
    assert board.skipped == (("2.png", "2.png: is cut off"), ("x.png", "no image"))
    assert "2.png" not in [sample.name for sample in board.samples]
    with pytest.raises(InputError, match="none of its images can be read"):
        score(identity, pictures_of("one", Counted(1, broken="0.png"), ["0.png"]))


def test_large_images_are_scored_one_at_a_time(monkeypatch):
    import threading

    monkeypatch.setattr("burnish.image.score.IN_FLIGHT", 40 * 50)
    running, most = [], []

    def slow(picture):
        running.append(threading.get_ident())
        most.append(len(running))
        running.pop()
        return picture

    score(slow, pictures_of("many", Counted(6), [f"{i}.png" for i in range(6)]))
    assert max(most) == 1
