"""A model's card in words: what it is for, how well and how fast it does it, what it learned from and on which terms, and its limits."""

from typing import Any

from burnish.degradation import OWN, Degradation
from burnish.model.card import Card
from burnish.wording import counted

NAMED = (("camera", "camera noise"), ("poisson", "photon noise"), ("jpeg", "JPEG's blocks"))  # stages, and what people call them


def summary(card: Card) -> str:
    """The card as the few lines a person chooses a model by."""
    lines = [f"{card.name}: {card.summary}"]
    lines += [f"  {title:11} {words}" for title, words in told(card)]
    return "\n".join(lines)


def told(card: Card) -> list[tuple[str, str]]:
    """What a person chooses a model by: titles such as "made for", and what stands behind each."""
    scores = [("how well", score_line(score)) for score in card.scores] or [("how well", "not scored yet")]
    return [
        ("made for", "|".join(dict.fromkeys(card.degradation.split("|")))),  # a chain may be there twice, to be drawn more often
        *scores,
        ("how fast", _speed(card)),
        ("size", f"{card.parameters:,} parameters ({card.parameters * 4 / 1024:,.2f} KB)"),
        ("learned", f"from {card.data.get('name', 'unknown images')}; terms: {card.data.get('terms', 'unknown')}"),
        ("limits", limits(card)),
        ("licence", card.licence),
    ]


def _speed(card: Card) -> str:
    if card.macs_per_pixel is not None:
        return f"{card.macs_per_pixel / 1000:,.1f} thousand multiply-adds a pixel"
    return f"{(card.macs_per_second or 0) / 1e6:,.1f} million multiply-adds a second of sound"


def score_line(score: dict[str, Any]) -> str:
    """A scoreboard in a line: the gain beside the do-nothing line it is measured from."""
    if "psnr" not in score:
        return _heard(score)
    if score.get("rival", "input") != "input":
        return _rebuilt(score)
    gain = score["psnr"]["model"] - score["psnr"]["input"]
    return (
        f"{gain:+.2f} dB, from {score['psnr']['input']:.2f} untouched to {score['psnr']['model']:.2f}, "
        f"on {counted(score['images'], 'image')} of {score.get('data', 'unknown')}, {_degraded(score)}"
        f"{'' if score['helps'] else ': does not help'}"
    )


def _rebuilt(score: dict[str, Any]) -> str:
    """A scoreboard of what gives back what it was given, in a line: beside PCA, where it could be learnt."""
    own, rival = score["psnr"]["model"], score["psnr"].get(score["rival"])
    where = f"on {counted(score['images'], 'image')} of {score.get('data', 'unknown')}"
    if rival is None:
        return f"{own:.2f} dB, {where}; PCA beside it was not applicable"
    told = f"{own - rival:+.2f} dB on PCA ({score['settings'][score['rival']]}), from its {rival:.2f} to {own:.2f}, {where}"
    return f"{told}{'' if score['helps'] else ': does not help'}"


def _degraded(score: dict[str, Any]) -> str:
    """How what was scored is degraded: in the degradation language, or of itself, where clean partners came with it."""
    return "as they came" if score["degradation"] == OWN else str(score["degradation"])


def _heard(score: dict[str, Any]) -> str:
    """A scoreboard of sound in a line."""
    names = (("si_sdr", "SI-SDR", 1), ("pesq", "PESQ-WB", 2), ("stoi", "STOI", 3))
    told = [
        f"{label} {score['scores'][key]['model']:.{digits}f} (untouched {score['scores'][key]['input']:.{digits}f})"
        for key, label, digits in names
        if key in score["scores"]
    ]
    where = f"on {counted(score['items'], 'recording')} of {score.get('data', 'unknown')}, {_degraded(score)}"
    return f"{', '.join(told)}, {where}{'' if score['helps'] else ': does not help'}"


def limits(card: Card) -> str:
    """What the model was not made for, as `burnish restore` will leave it unchanged or refuse it."""
    if card.kind == "audio":
        return "speech: what holds none, and speech that is clean, is left unchanged; any rate and number of channels"
    size = f"only {card.input_size[0]}×{card.input_size[1]} pixels" if card.input_size else "any size"
    colour = {1: "grey (colour channel by channel)", 3: "colour and grey"}.get(card.channels, f"{card.channels} channels")
    if card.takes_nothing:
        brought = f"{size}, to which burnish encode brings others" if card.input_size else size
        return f"restores nothing: for burnish encode and decode; {brought}; {colour}"
    trained = Degradation.parse(card.degradation, card.kind)
    blur, noise = trained.span("blur"), trained.span("noise")
    told = [f"blur of {_span(blur)} {'pixel' if blur == (1, 1) else 'pixels'}" if blur else "no blur"]
    told.append(f"noise of sigma {_span(noise)} of 255" if noise else "no noise of its own")
    told += [words for stage, words in NAMED if trained.span(stage)]
    told += sorted(trained.names - {"blur", "noise", "8bit", *(stage for stage, _ in NAMED)})
    if trained.is_own:
        told = ["what its pairs of images showed"]
    beyond = "" if trained.is_own else "; what lies beyond is left unchanged"
    return f"{', '.join(told)}; {size}; {colour}{beyond}"


def _span(span: tuple[float, float]) -> str:
    low, high = span
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def description(card: dict[str, Any]) -> str:
    """The layer table, then the card; `card` is a whole one as JSON, or a network's that lacks what only training brings."""
    lines = [f"{'layer':12} {'output shape':>16} {'parameters':>12}"]
    for layer in card["layers"]:
        shape = " × ".join(str(size) for size in layer["output_shape"])
        lines.append(f"{layer['name']:12} {shape:>16} {layer['parameters']:>12,}")
    lines.append(f"{'total':12} {'':16} {card['parameters']:>12,}   ({card['parameters'] * 4 / 1024:.2f} KB)")
    lines.append("")
    if "summary" in card:
        whole = Card(**card)
        lines.append(summary(whole))
        lines += [f"  {'check it':11} {score['command']}" for score in whole.scores if "command" in score]
    for key in ("network", "channels", "multiple_of", "halo", "macs_per_pixel", "macs_per_second", "version"):
        if key in card:
            lines.append(f"  {key.replace('_', ' '):11} {card[key]}")
    return "\n".join(lines)
