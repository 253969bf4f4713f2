"""What the curves say in words."""

from burnish.training.curves import overfitting


def history(training: list[float], validation: list[float]) -> list[dict[str, float]]:
    return [{"epoch": i + 1, "loss": a, "val_loss": b} for i, (a, b) in enumerate(zip(training, validation, strict=True))]


FALLING = [1.0, 0.8, 0.6, 0.5, 0.45, 0.4, 0.36, 0.33, 0.3, 0.28]


def test_validation_that_rises_while_training_falls_is_overfitting() -> None:
    rising = [1.0, 0.8, 0.7, 0.65, 0.64, 0.66, 0.7, 0.75, 0.8, 0.85]
    told = overfitting(history(FALLING, rising))
    assert told is not None
    assert told.startswith("It overfits: since epoch 6 the validation loss rose by 23 %")


def test_no_other_curve_is() -> None:
    assert overfitting(history(FALLING, FALLING)) is None
    assert overfitting(history(FALLING, [0.5, 0.51] * 5)) is None  # wavers
    assert overfitting(history(FALLING[::-1], FALLING[::-1])) is None  # both rise: it diverges, it does not overfit
    assert overfitting(history(FALLING[:4], [1, 2, 3, 4])) is None  # too short to tell
