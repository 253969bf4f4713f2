"""Clean drawn scenes with a seed: charts, maps, comics, photographs with things drawn over them; and all kinds by name (KINDS)."""

import io
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from drawn import (
    Hand,
    Painter,
    Picture,
    flat_art,
    gradient,
    mosaic,
    noise_field,
    pattern,
    picture_level,
    pixel_art,
    screened,
    shade,
    shape,
    smooth,
    text_page,
    write,
)
from drawn_interfaces import interface
from matplotlib.figure import Figure
from PIL import Image, ImageDraw


def chart(hand: Hand, width: int, height: int) -> Picture:
    """One or more of matplotlib's charts: lines, bars, scatter, areas, heat maps, pies, contours, steps; some of it aliased."""
    ground = hand.ground()
    ink, rng = hand.ink(ground, 90), hand.rng
    css = partial("#{:02x}{:02x}{:02x}".format)
    colours = [css(*hand.ink(ground, 30)) for _ in range(6)]
    dpi = hand.pick([60, 72, 100, 100, 140])
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, facecolor=css(*ground), layout="constrained")
    rows, columns = (hand.whole(1, max(1, min(3, length // 180))) for length in (height, width))
    for axes in np.ravel(figure.subplots(rows, columns)):
        axes.set_facecolor(css(*ground))
        kind, x = hand.whole(0, 8), np.arange(hand.whole(5, 120))
        y = np.cumsum(rng.standard_normal((4, len(x))), axis=1)
        if kind <= 1:
            for i in range(hand.whole(1, 4)):
                style = hand.pick(["-", "-", "--", ":", "o-", ".-", "s", "^-"])
                axes.plot(x, y[i], style, color=colours[i], lw=hand.between(0.5, 3), antialiased=hand.chance(0.8))
        elif kind == 2:
            axes.bar(x[:20], np.abs(y[0][:20]), color=colours[: hand.whole(1, 5)], edgecolor=css(*ink), lw=hand.pick([0, 0.5, 1]))
        elif kind == 3:
            axes.scatter(y[0], y[1], s=hand.between(2, 80), c=colours[0], marker=hand.pick(list("ox+s^*D")), antialiased=hand.chance(0.8))
        elif kind == 4:
            axes.stackplot(x, np.abs(y), colors=colours)
        elif kind == 5:
            cells = rng.random((hand.whole(4, 30), hand.whole(4, 30)))
            axes.imshow(cells, cmap=hand.pick(["viridis", "gray", "coolwarm", "jet"]), aspect="auto")
        elif kind == 6:
            shares, names = rng.uniform(0.2, 1, 6), [hand.word().replace("$", "") for _ in range(6)]
            axes.pie(shares, colors=colours, labels=names, textprops={"color": css(*ink)})
        elif kind == 7:
            axes.contour(noise_field(hand, 60, 60, 8), hand.whole(4, 16), cmap=hand.pick(["viridis", "plasma", "tab10"]))
        else:
            axes.hist(rng.standard_normal(400), hand.whole(5, 60), color=colours[1], histtype=hand.pick(["bar", "step", "stepfilled"]))
        axes.tick_params(colors=css(*ink), labelsize=hand.between(6, 11))
        axes.set_title(hand.words(3).replace("$", ""), color=css(*ink), fontsize=hand.between(7, 14), font=hand.pick(hand.fonts))
        if hand.chance(0.5):
            axes.grid(color=css(*ink), alpha=hand.between(0.1, 0.6), ls=hand.pick(["-", ":", "--"]))
        for spine in axes.spines.values():
            spine.set_color(css(*ink))
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=css(*ground))
    return Image.open(file).convert("RGB").crop((0, 0, width, height))


def winding(hand: Hand, width: int, height: int, steps: int) -> list[tuple[float, float]]:
    """A way through the image that bends gently, as roads and rivers do."""
    heading, turn = hand.between(0, 2 * math.pi), 0.0
    x, y = hand.between(0, width), hand.between(0, height)
    points = []
    for _ in range(steps):
        turn = 0.8 * turn + hand.between(-0.12, 0.12)
        heading += turn
        x, y = x + 9 * math.cos(heading), y + 9 * math.sin(heading)
        points.append((x, y))
    return points


def map_sheet(hand: Hand, width: int, height: int) -> Picture:
    """Land in flat tints with contour lines, rivers, roads with edges, blocks of houses, railways, signs and names."""
    bands, field = hand.whole(2, 9), noise_field(hand, width * 2, height * 2, hand.between(40, 160))
    level = (field * (bands - 0.01)).astype(int)
    first = np.array(hand.pick([(170, 211, 223), (242, 239, 233), hand.colour()]), float)
    tints = np.clip(np.cumsum([first, *hand.rng.uniform(-40, 40, (bands - 1, 3))], axis=0), 0, 255)
    land = tints[level]
    if hand.chance(0.6):
        edge = (level[1:, 1:] != level[:-1, 1:]) | (level[1:, 1:] != level[1:, :-1])
        land[1:, 1:][edge] = hand.colour()
    base = Image.fromarray(land.astype(np.uint8)).reduce(2)
    ink = hand.ink((200, 200, 200))

    def paint(draw: ImageDraw.ImageDraw, k: int) -> None:
        for _ in range(hand.whole(0, 60) if hand.chance(0.6) else 0):
            x, y, w, h = hand.between(0, width), hand.between(0, height), hand.between(4, 22), hand.between(4, 22)
            draw.rectangle((x * k, y * k, (x + w) * k, (y + h) * k), hand.pick([(217, 208, 201), (190, 180, 170)]), (150, 140, 130), 1)
        for _ in range(hand.whole(4, 26)):
            way = [(x * k, y * k) for x, y in winding(hand, width, height, hand.whole(20, 120))]
            wide, road = (
                hand.pick([1, 1, 2, 3, 5, 8, 12]),
                hand.pick([(255, 255, 255), (247, 250, 191), (232, 146, 162), (170, 211, 223), hand.colour()]),
            )
            draw.line(way, shade(road, -90), (wide + 2) * k, joint="curve")
            draw.line(way, road, wide * k, joint="curve")
            if hand.chance(0.2):
                for i in range(0, len(way) - 1, 2):
                    draw.line(way[i : i + 2], ink, k)
        for _ in range(hand.whole(3, 30)):
            shape(hand, draw, hand.between(0, width) * k, hand.between(0, height) * k, hand.between(5, 16) * k, hand.colour(), ink, k)

    picture = smooth(hand, base, paint, aliased=0.15)
    for _ in range(hand.whole(5, 30)):
        place, font = (hand.between(0, width), hand.between(0, height)), hand.font(hand.between(8, 22))
        write(hand, picture, place, hand.words(hand.whole(1, 2)), font, ink, hand.pick(["grey", "outline"]))
    return picture


def comic(hand: Hand, width: int, height: int) -> Picture:
    """A drawn panel: flat or screened ground, figures with thick outlines and one step of shade, speed lines, a balloon with words."""
    base = Image.new("RGB", (width, height), hand.colour()) if hand.chance(0.5) else gradient(hand, width, height)
    if hand.chance(0.4):
        dots = screened(hand, picture_level(hand, width, height) if hand.chance(0.3) else noise_field(hand, width, height, 50))
        base = Image.composite(base, Image.new("RGB", (width, height), hand.colour()), Image.fromarray(dots))
    line, outline = hand.between(1, 5), hand.pick([(0, 0, 0), (0, 0, 0), (40, 20, 30)])
    small = min(width, height)

    def figure(draw: ImageDraw.ImageDraw, k: int) -> None:
        x, y, r, skin = hand.between(0, width) * k, hand.between(0.3, 1) * height * k, small * k * hand.between(0.08, 0.25), hand.colour()
        stroke, light = max(1, round(line * k)), shade(skin, 50)
        for dx, dy, w, h in [(0, 1.9, 0.9, 1.3), (-0.8, 1.5, 0.3, 0.7), (0.8, 1.5, 0.3, 0.7), (0, 0, 1, hand.between(0.8, 1.2))]:
            colour = skin if dy == 0 else hand.colour()
            draw.ellipse((x + (dx - w) * r, y + (dy - h) * r, x + (dx + w) * r, y + (dy + h) * r), colour, outline, stroke)
        draw.ellipse((x - 0.7 * r, y - 0.7 * r, x + 0.2 * r, y + 0.1 * r), light)
        for side in (-0.35, 0.35):
            draw.ellipse((x + (side - 0.2) * r, y - 0.3 * r, x + (side + 0.2) * r, y + 0.1 * r), (255, 255, 255), outline, stroke)
            draw.ellipse((x + (side - 0.08) * r, y - 0.15 * r, x + (side + 0.08) * r, y + 0.05 * r), outline)
        draw.arc((x - 0.5 * r, y, x + 0.5 * r, y + 0.7 * r), hand.between(0, 30), 170, outline, stroke)
        angles = enumerate(np.linspace(math.pi, 2 * math.pi, hand.whole(5, 15)))
        hair = [(x + r * math.cos(angle) * (1 + i % 2 / 2), y + r * math.sin(angle) * (1 + i % 2 / 2)) for i, angle in angles]
        draw.polygon(hair, hand.colour(), outline, stroke)

    def paint(draw: ImageDraw.ImageDraw, k: int) -> None:
        if hand.chance(0.3):
            for angle in np.linspace(0, 2 * math.pi, hand.whole(20, 90)):
                far, near = max(width, height) * k, small * k * hand.between(0.2, 0.5)
                x, y = width * k / 2, height * k / 2
                draw.line(
                    (x + near * math.cos(angle), y + near * math.sin(angle), x + far * math.cos(angle), y + far * math.sin(angle)),
                    outline,
                    k,
                )
        for _ in range(hand.whole(1, 9)):
            shape(
                hand,
                draw,
                hand.between(0, width) * k,
                hand.between(0, height) * k,
                small * k * hand.between(0.1, 0.6),
                hand.colour(),
                outline,
                line * k,
            )
        for _ in range(hand.whole(1, 3)):
            figure(draw, k)
        balloon = (4 * k, 4 * k, round(width * k * hand.between(0.4, 0.8)), round(small * k * hand.between(0.15, 0.3)))
        draw.rounded_rectangle(balloon, balloon[3] / 2, (255, 255, 255), outline, max(1, round(line * k)))
        words = hand.font(balloon[3] / hand.between(2.5, 5))
        draw.text(((balloon[0] + balloon[2]) / 2, (balloon[1] + balloon[3]) / 2), hand.words(3), (0, 0, 0), words, anchor="mm")
        draw.rectangle((0, 0, width * k - 1, height * k - 1), None, outline, max(1, round(line * k * 1.5)))

    return smooth(hand, base, paint, aliased=0.1)


def captioned(hand: Hand, width: int, height: int) -> Picture:
    """A part of a photograph with captions, stickers, boxes, arrows, a watermark or a frame drawn over it."""
    photograph = Image.open(hand.pick(hand.photographs)).convert("RGB")
    scale = max(width / photograph.width, height / photograph.height, hand.between(0.5, 1))
    photograph = photograph.resize((round(photograph.width * scale), round(photograph.height * scale)), Image.Resampling.LANCZOS)
    x, y = hand.whole(0, photograph.width - width), hand.whole(0, photograph.height - height)
    picture = photograph.crop((x, y, x + width, y + height))

    def paint(draw: ImageDraw.ImageDraw, k: int) -> None:
        for _ in range(hand.whole(0, 7)):
            size, fill = hand.between(10, height / 4), hand.colour() if hand.chance(0.7) else None
            shape(
                hand, draw, hand.between(0, width) * k, hand.between(0, height) * k, size * k, fill, hand.colour(), hand.between(1, 5) * k
            )

    picture = smooth(hand, picture, paint)  # the photograph's pixels stay as they are: each is enlarged and averaged with itself
    for _ in range(hand.whole(1, 6)):
        font, ink, text = hand.font(hand.between(10, 60)), hand.colour(), hand.words(hand.whole(1, 6))
        place = (hand.between(0, width * 0.6), hand.between(0, height * 0.95))
        if hand.chance(0.3):
            ground = hand.colour()
            right, bottom = place[0] + font.getlength(text) + 5, place[1] + font.size * 1.3
            ImageDraw.Draw(picture).rectangle((place[0] - 5, place[1] - 3, right, bottom), ground)
            ink = hand.ink(ground)
        write(hand, picture, place, text, font, ink, hand.pick(["grey", "outline", "rgb", "bit"]))
    if hand.chance(0.3):
        mark = Image.new("L", picture.size)
        ImageDraw.Draw(mark).text((width / 2, height / 2), hand.words(2), hand.whole(50, 130), hand.font(height / 6), anchor="mm")
        picture.paste((255, 255, 255), (0, 0), mark)
    if hand.chance(0.3):
        ImageDraw.Draw(picture).rectangle((0, 0, width - 1, height - 1), None, hand.colour(), hand.whole(2, 24))
    return picture


def panelled(painter: Painter, smallest: int) -> Painter:
    """The painter over a mosaic of panels at least this narrow."""
    return lambda hand, width, height: mosaic(hand, width, height, painter, smallest)


KINDS: dict[str, Painter] = {
    "text": panelled(text_page, 220),
    "interface": interface,
    "flat-art": panelled(flat_art, 180),
    "pixel-art": panelled(pixel_art, 150),
    "chart": chart,
    "map": panelled(map_sheet, 380),
    "comic": panelled(comic, 260),
    "gradient": panelled(gradient, 160),
    "pattern": panelled(pattern, 90),
    "captioned": panelled(captioned, 320),
}


def drawn(kind: str, seed: tuple[int, ...], fonts: Sequence[Path], photographs: Sequence[Path]) -> Picture:
    """The image of this kind that the seed stands for, 0.3 to 0.7 megapixels."""
    hand = Hand(np.random.default_rng(seed), fonts, photographs)
    width = hand.whole(520, 960)
    return KINDS[kind](hand, width, round(hand.between(3e5, 7e5) / width))
