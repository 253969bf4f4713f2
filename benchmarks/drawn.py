"""Clean drawn images with a seed: text, flat art, pixel art, gradients and fine patterns. Whole scenes are drawn in drawn_scenes.py.

A painter takes a hand (random numbers, fonts), a width and a height and returns an RGB image of that size. `mosaic` splits an image
into panels and lets a painter fill each anew, so that one image holds many small things in many styles.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage

Colour = tuple[int, int, int]
Picture = Image.Image
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi", "xo", "yl", "za"]
SYLLABLES += ["str", "ent", "ing", "ion", "er", "th", "ch", "ll", "ä", "é", "ö", "ß", "ñ", "fi", "W", "M"]
SIGNS = [*"0123456789@#&%+=/*(){}[]<>.,;:!?-_'\"", "12.50", "2026", "€", "3×4", "No.", "v2.1", "→", "a_b", "0xFF", "100%"]
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16


@dataclass(frozen=True)
class Hand:
    """What a painter draws with: random numbers, the font files it may use, and photographs for the kinds that show some."""

    rng: np.random.Generator
    fonts: Sequence[Path]
    photographs: Sequence[Path] = ()

    def chance(self, share: float) -> bool:
        """True in this share of all calls."""
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, max(low, high) + 1))

    def between(self, low: float, high: float) -> float:
        """A number from low to high."""
        return float(self.rng.uniform(low, high))

    def pick(self, options: Sequence[Any]) -> Any:
        """One of them."""
        return options[int(self.rng.integers(len(options)))]

    def colour(self) -> Colour:
        """Black, white, a grey, a strong colour or any, each often."""
        style = self.rng.random()
        if style < 0.2:
            return self.pick([(0, 0, 0), (255, 255, 255)])  # type: ignore[no-any-return]
        if style < 0.35:
            level = self.whole(0, 255)
            return level, level, level
        if style < 0.6:
            return tuple(self.pick([0, 0, 64, 128, 192, 255, 255]) for _ in range(3))
        red, green, blue = self.rng.integers(0, 256, 3).tolist()
        return red, green, blue

    def ink(self, ground: Colour, contrast: float = 70) -> Colour:
        """A colour that can be told from the ground, by at least this difference of luma in nearly all cases."""
        for _ in range(20):
            colour = self.pick([(0, 0, 0), (20, 20, 20), (255, 255, 255)]) if self.chance(0.3) else self.colour()
            if abs(luma(colour) - luma(ground)) > contrast:
                return colour
        return (0, 0, 0) if luma(ground) > 127 else (255, 255, 255)

    def ground(self) -> Colour:
        """A page's colour: white or nearly so most often, else dark, else any."""
        tint = self.whole(225, 255)
        pages: list[Colour] = [(255, 255, 255), (255, 255, 255), (tint, tint, tint - 12), (tint, tint, tint), (24, 26, 31), (0, 0, 0)]
        return self.pick([*pages, self.colour(), self.colour(), self.colour()])  # type: ignore[no-any-return]

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        """Any of the fonts at this height in pixels."""
        return ImageFont.truetype(str(self.pick(self.fonts)), max(6, round(size)))

    def word(self) -> str:
        """A made-up word, number or sign."""
        if self.chance(0.15):
            return str(self.pick(SIGNS))
        text = "".join(self.pick(SYLLABLES) for _ in range(self.whole(1, 4)))
        return text.upper() if self.chance(0.06) else text.capitalize() if self.chance(0.2) else text

    def words(self, count: int) -> str:
        """So many words with spaces between."""
        return " ".join(self.word() for _ in range(count))


Painter = Callable[[Hand, int, int], Picture]


def luma(colour: Sequence[int]) -> float:
    """ITU-R BT.601, 0–255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def shade(colour: Colour, step: int) -> Colour:
    """The colour lighter or darker by this step of each channel."""
    red, green, blue = (min(255, max(0, band + step)) for band in colour)
    return red, green, blue


def mosaic(hand: Hand, width: int, height: int, painter: Painter, smallest: int) -> Picture:
    """The image split at random into panels no narrower than `smallest` pixels, each filled by the painter."""
    if max(width, height) < 2 * smallest or (max(width, height) < 4 * smallest and hand.chance(0.4)):
        return painter(hand, width, height)
    picture = Image.new("RGB", (width, height))
    if width >= height:
        cut = hand.whole(smallest, width - smallest)
        picture.paste(mosaic(hand, cut, height, painter, smallest), (0, 0))
        picture.paste(mosaic(hand, width - cut, height, painter, smallest), (cut, 0))
    else:
        cut = hand.whole(smallest, height - smallest)
        picture.paste(mosaic(hand, width, cut, painter, smallest), (0, 0))
        picture.paste(mosaic(hand, width, height - cut, painter, smallest), (0, cut))
    return picture


def smooth(hand: Hand, ground: Picture, paint: Callable[[ImageDraw.ImageDraw, int], None], aliased: float = 0.2) -> Picture:
    """What `paint(draw, k)` draws at k times the size over the ground, shrunk by k: anti-aliased; in a share of cases k = 1, aliased."""
    k = 1 if hand.chance(aliased) else hand.pick([3, 4])
    large = ground.resize((ground.width * k, ground.height * k), Image.Resampling.NEAREST)
    paint(ImageDraw.Draw(large), k)
    return large.reduce(k) if k > 1 else large


def noise_field(hand: Hand, width: int, height: int, scale: float) -> Floats:
    """A smooth random field on 0–1: white noise under a Gaussian of `scale` pixels."""
    coarse = max(1, int(scale / 4))
    field = ndimage.gaussian_filter(hand.rng.standard_normal((height // coarse + 2, width // coarse + 2)), scale / coarse)
    field = ndimage.zoom(field, coarse, order=1)[:height, :width]
    field -= field.min()
    scaled: Floats = field / max(float(field.max()), 1e-9)
    return scaled


def write(hand: Hand, picture: Picture, place: tuple[float, float], text: str, font: ImageFont.FreeTypeFont, ink: Colour, way: str) -> None:
    """Text in one of the ways that screens show it: "grey" anti-aliasing, "rgb" sub-pixels, "bit" (none), or "outline"."""
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "1" if way == "bit" else "L"
    if way == "outline":
        width = max(1, round(font.size / hand.between(8, 22)))
        draw.text(place, text, fill=ink, font=font, stroke_width=width, stroke_fill=hand.ink(ink, 40))
    elif way == "rgb":
        write_subpixels(picture, place, text, font, ink)
    else:
        draw.text(place, text, fill=ink, font=font)


def write_subpixels(picture: Picture, place: tuple[float, float], text: str, font: ImageFont.FreeTypeFont, ink: Colour) -> None:
    """Text with a third of a pixel per colour channel: drawn three times as large, a five-tap low-pass (1 2 3 2 1)/9 over the thirds."""
    large = font.font_variant(size=font.size * 3)
    width, height = (math.ceil(length / 3) + 3 for length in large.getbbox(text)[2:])
    mask = Image.new("L", (width * 3, height * 3))
    ImageDraw.Draw(mask).text((3, 0), text, fill=255, font=large)
    thirds = np.asarray(mask, dtype=float).reshape(height, 3, width * 3).mean(axis=1) / 255
    cover = ndimage.convolve1d(thirds, np.array([1, 2, 3, 2, 1]) / 9, axis=1).reshape(height, width, 3)
    box = (round(place[0]), round(place[1]), round(place[0]) + width, round(place[1]) + height)
    under = np.asarray(picture.crop(box), dtype=float)
    picture.paste(Image.fromarray(np.rint(under * (1 - cover) + np.array(ink) * cover).astype(np.uint8)), box[:2])


def text_page(hand: Hand, width: int, height: int) -> Picture:
    """Lines of text, of one font or mixed, plain, in colours, as headings, ruled, in columns; now and then turned."""
    ground = hand.ground()
    picture = Image.new("RGB", (width, height), ground)
    way = hand.pick(["grey", "grey", "grey", "rgb", "rgb", "bit", "outline"])
    size = float(np.exp(hand.rng.normal(2.75, 0.4))) * (1.8 if way == "outline" else 1)
    font, ink = hand.font(size), hand.ink(ground)
    accents = [hand.ink(ground) for _ in range(3)]
    left, y, leading, wild = hand.between(2, 24), hand.between(0, 16), hand.between(1.1, 1.8), hand.chance(0.3)
    while y < height:
        if wild and hand.chance(0.5):
            font, ink = hand.font(size * hand.between(0.7, 2.2)), hand.pick([ink, *accents])
        x = left + (hand.between(0, 40) if hand.chance(0.15) else 0)
        stop = width * (hand.between(0.3, 0.9) if hand.chance(0.2) else 1)
        while x < stop:
            text = hand.word() + " "
            colour = hand.pick(accents) if hand.chance(0.08) else ink
            write(hand, picture, (x, y), text, font, colour, way)
            if hand.chance(0.03):
                ImageDraw.Draw(picture).line([x, y + font.size * 1.15, x + font.getlength(text), y + font.size * 1.15], colour)
            x += font.getlength(text)
        y += font.size * leading
    if hand.chance(0.12):
        picture = picture.rotate(hand.between(-25, 25), Image.Resampling.BICUBIC, fillcolor=ground)
    return picture


def shape(
    hand: Hand, draw: ImageDraw.ImageDraw, x: float, y: float, size: float, fill: Colour | None, outline: Colour | None, line: float
) -> None:
    """One geometric shape round (x, y): disc, box, rounded box, polygon, star, ring, arc, pie, cross, drop, wave."""
    r, turn = size / 2, hand.between(0, 2 * math.pi)
    box, stroke = (x - r, y - r, x + r, y + r), max(1, round(line))
    kind = hand.whole(0, 9)
    if kind == 0:
        draw.ellipse(box, fill, outline, stroke)
    elif kind == 1 or (kind == 2 and size < 9):
        draw.rectangle(box, fill, outline, stroke)
    elif kind == 2:
        draw.rounded_rectangle(box, size * hand.between(0.08, 0.42), fill, outline, stroke)
    elif kind == 3:
        draw.arc(box, math.degrees(turn), math.degrees(turn) + hand.between(60, 300), fill or outline, max(stroke, round(size / 9)))
    elif kind == 4:
        draw.pieslice(box, math.degrees(turn), math.degrees(turn) + hand.between(40, 320), fill, outline, stroke)
    elif kind == 5:
        points = [(x + r * (i / 6 - 1), y + r * 0.7 * math.sin(turn + i * hand.between(0.3, 0.9))) for i in range(13)]
        draw.line(points, fill or outline, max(stroke, round(size / 12)), joint="curve")
    else:
        corners = hand.whole(3, 9)
        dent = 1.0 if hand.chance(0.5) else hand.between(0.3, 0.8)
        reach = [r * (dent if i % 2 else 1) for i in range(2 * corners)]
        angles = [turn + math.pi * i / corners for i in range(2 * corners)]
        points = [(x + far * math.cos(angle), y + far * math.sin(angle)) for far, angle in zip(reach, angles, strict=True)]
        draw.polygon(points, fill, outline, stroke)


def flat_art(hand: Hand, width: int, height: int) -> Picture:
    """Icons in rows, or one large emblem: flat shapes over each other, filled or outlined, some with a letter in them."""
    ground = hand.ground()
    cell = hand.pick([18, 24, 32, 32, 48, 64, 96, 160, max(width, height)])
    palette = [hand.ink(ground, 30) for _ in range(hand.whole(2, 6))]
    line, outlined = hand.between(1, 1 + cell / 14), hand.chance(0.5)

    def paint(draw: ImageDraw.ImageDraw, k: int) -> None:
        for y in np.arange(cell / 2, height + cell / 2, cell):
            for x in np.arange(cell / 2, width + cell / 2, cell):
                for _ in range(hand.whole(1, 5)):
                    size = cell * hand.between(0.2, 0.85)
                    dx, dy = (hand.between(-0.2, 0.2) * cell for _ in range(2))
                    fill = None if outlined and hand.chance(0.5) else hand.pick(palette)
                    outline = hand.pick(palette) if outlined else None
                    shape(hand, draw, (x + dx) * k, (y + dy) * k, size * k, fill, outline, line * k)
                if hand.chance(0.25):
                    at = (x * k, y * k)
                    draw.text(at, hand.word()[:2], hand.pick(palette), hand.font(cell * k * hand.between(0.3, 0.7)), anchor="mm")

    return smooth(hand, Image.new("RGB", (width, height), ground), paint)


def sprite(hand: Hand, side: int, palette: Pixels) -> Pixels:
    """A small figure of few colours, mirrored, with an outline: the palette's first is the ground, its second the outline."""
    field = noise_field(hand, side, side, hand.between(0.8, 2.2))
    axis = np.abs(np.linspace(-1, 1, side))
    body = field - 0.45 * np.hypot(axis[:, None], axis[None, :]) > hand.between(0.0, 0.25)
    body |= body[:, ::-1]
    index = np.where(body, 2 + (noise_field(hand, side, side, 1.2) * (len(palette) - 2.01)).astype(int), 0)
    index = np.where(body, np.maximum(index, index[:, ::-1]), 0)
    index[ndimage.binary_dilation(body) & ~body] = 1
    coloured: Pixels = palette[index]
    return coloured


def pixel_art(hand: Hand, width: int, height: int) -> Picture:
    """Sprites, tiles, dithered skies or scattered pixels of few colours, each pixel enlarged 1 to 12 times."""
    k = hand.pick([1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12])
    w, h = -(-width // k), -(-height // k)
    palette = np.array([hand.colour() for _ in range(hand.whole(3, 12))], np.uint8)
    style = hand.whole(0, 3)
    if style == 0:
        side = hand.pick([8, 12, 16, 16, 24, 32])
        small = np.tile(palette[0], (h + side, w + side, 1))
        for y in range(0, h, side):
            for x in range(0, w, side):
                small[y : y + side, x : x + side] = sprite(hand, side, palette)
    elif style == 1:
        tiles = [palette[hand.rng.choice(len(palette), (8, 8), p=hand.rng.dirichlet(np.full(len(palette), 0.4)))] for _ in range(5)]
        small = np.vstack([np.hstack([hand.pick(tiles) for _ in range(w // 8 + 1)]) for _ in range(h // 8 + 1)])
    elif style == 2:
        level = noise_field(hand, w, h, hand.between(4, 30)) * (len(palette) - 1)
        threshold = np.tile(BAYER, (h // 4 + 1, w // 4 + 1))[:h, :w] if hand.chance(0.7) else 0.5
        small = palette[np.clip((level + threshold).astype(int), 0, len(palette) - 1)]
    else:
        field = noise_field(hand, w, h, hand.between(1, 8))
        small = palette[(field * (len(palette) - 0.01)).astype(int)]
    return Image.fromarray(small[:h, :w].repeat(k, 0).repeat(k, 1)[:height, :width])


def gradient(hand: Hand, width: int, height: int) -> Picture:
    """A flat colour, or a gradient of two to five along a line, a radius, an angle or a field; smooth or banded; soft-edged shapes."""
    if hand.chance(0.15):
        return Image.new("RGB", (width, height), hand.colour())
    ys, xs = np.mgrid[0:height, 0:width] / max(width, height)
    cx, cy, turn = hand.between(0, 1), hand.between(0, 1), hand.between(0, 2 * math.pi)
    way = hand.whole(0, 3)
    if way == 0:
        t = xs * math.cos(turn) + ys * math.sin(turn)
    elif way == 1:
        t = np.hypot(xs - cx, (ys - cy) * hand.between(0.5, 2))
    elif way == 2:
        t = np.abs(np.arctan2(ys - cy, xs - cx))
    else:
        t = noise_field(hand, width, height, hand.between(20, 90))
    t = (t - t.min()) / max(float(np.ptp(t)), 1e-9)
    if hand.chance(0.3):
        bands = hand.whole(3, 40)
        t = np.floor(t * bands) / bands
    first = np.array(hand.colour(), float)
    near = hand.chance(0.4)  # gradients between like colours, as behind windows, are the commonest of all
    stops = [first, *(first + hand.rng.uniform(-40, 40, 3) if near else hand.colour() for _ in range(hand.whole(1, 4)))]
    where = np.linspace(0, 1, len(stops))
    made = np.stack([np.interp(t, where, [stop[band] for stop in stops]) for band in range(3)], axis=-1)
    picture = Image.fromarray(np.rint(np.clip(made, 0, 255)).astype(np.uint8))
    for _ in range(hand.whole(0, 5)):
        mask = Image.new("L", picture.size)
        shape(hand, ImageDraw.Draw(mask), cx * width, hand.between(0, height), hand.between(20, height), (255,), None, 1)  # type: ignore[arg-type]
        picture.paste(hand.colour(), (hand.whole(-30, 30), 0), mask.filter(ImageFilter.GaussianBlur(hand.pick([1, 3, 8, 20]))))
    return picture


def screened(hand: Hand, level: Floats) -> NDArray[np.bool_]:
    """A level on 0–1 as ink or none: round dots on a turned grid, lines, Bayer's matrix, or Floyd and Steinberg's error diffusion."""
    height, width = level.shape
    style = hand.whole(0, 3)
    if style == 3:
        return np.asarray(Image.fromarray((level * 255).astype(np.uint8)).convert("1"), bool)
    if style == 2:
        k = hand.pick([1, 1, 2])
        threshold = np.tile(BAYER.repeat(k, 0).repeat(k, 1), (height // (4 * k) + 1, width // (4 * k) + 1))[:height, :width]
        matrix: NDArray[np.bool_] = level > threshold + 1 / 32
        return matrix
    ys, xs = np.mgrid[0:height, 0:width].astype(float)
    turn, pitch = hand.between(0, math.pi), hand.between(3, 14)
    u, v = (xs * math.cos(turn) + ys * math.sin(turn)) / pitch, (ys * math.cos(turn) - xs * math.sin(turn)) / pitch
    wave = np.cos(2 * math.pi * u) if style == 1 else (np.cos(2 * math.pi * u) + np.cos(2 * math.pi * v)) / 2
    dots: NDArray[np.bool_] = level > 0.5 + wave / 2.05
    return dots


def codes(hand: Hand, width: int, height: int) -> NDArray[np.bool_]:
    """The squares of a two-dimensional code with its three finders, or the bars of a bar code."""
    if hand.chance(0.4):
        bars = np.repeat(hand.rng.random(width) < 0.5, hand.rng.integers(1, 5, width))[:width]
        return np.tile(np.repeat(bars, hand.whole(1, 3))[:width], (height, 1))
    k = hand.whole(2, 9)
    side = max(21, min(width, height) // k)
    bits = hand.rng.random((side, side)) < 0.5
    finder = np.ones((7, 7), bool)
    finder[1:6, 1:6] = False
    finder[2:5, 2:5] = True
    bits[:7, :7], bits[:7, -7:], bits[-7:, :7] = finder, finder, finder
    large = bits.repeat(k, 0).repeat(k, 1)
    full = np.tile(large, (-(-height // large.shape[0]), -(-width // large.shape[1])))
    return full[:height, :width]


def pattern(hand: Hand, width: int, height: int) -> Picture:
    """Fine patterns of two or a few colours: checks, lines of 1 to 3 pixels, hatching, rings, codes, screens as print has them."""
    ys, xs = np.mgrid[0:height, 0:width]
    style, k, gap = hand.whole(0, 8), hand.pick([1, 1, 2, 3, 4, 8]), hand.whole(2, 12)
    if style == 0:
        bits = (xs // k + ys // k) % 2 == 0
    elif style == 1:
        bits = hand.pick([xs, ys]) % gap < hand.whole(1, min(3, gap - 1))
    elif style == 2:
        bits = (xs * hand.whole(-3, 3) + ys * hand.whole(1, 3)) % (gap + 2) < hand.whole(1, 3)
    elif style == 3:
        bits = (xs % gap == 0) | (ys % gap == 0)
    elif style == 4:
        bits = np.hypot(xs - width * hand.between(0, 1), ys - height / 2) % gap < gap / 2
    elif style == 5:
        bits = codes(hand, width, height)
    else:
        bits = screened(hand, picture_level(hand, width, height))
    ground = hand.ground()
    colours = np.array([ground, hand.ink(ground)], np.uint8)
    made = colours[bits.astype(int)]
    if style > 6 and hand.chance(0.5):  # as print: three inks, a screen each
        inks = np.stack([screened(hand, picture_level(hand, width, height)) for _ in range(3)], axis=-1)
        made = np.where(inks, 255, np.array([hand.whole(0, 60) for _ in range(3)])).astype(np.uint8)
    picture = Image.fromarray(made)
    if hand.chance(0.25):  # as scanned or as drawn at another size: its edges become grey
        k = hand.pick([2, 3])
        picture = picture.resize((width * k, height * k), Image.Resampling.NEAREST).rotate(hand.between(0, 30)).resize((width, height))
    return picture


def picture_level(hand: Hand, width: int, height: int) -> Floats:
    """What a screen shows: a photograph's luma on 0–1 where there are photographs, else a smooth field."""
    if hand.photographs and hand.chance(0.6):
        grey = Image.open(hand.pick(hand.photographs)).convert("L").resize((width, height), Image.Resampling.LANCZOS)
        return np.asarray(grey, dtype=float) / 255
    return noise_field(hand, width, height, hand.between(10, 60))
