"""Clean drawn user interfaces with a seed: windows of many programs over each other. The strokes are drawn.py's."""

import numpy as np
from drawn import Colour, Hand, Picture, flat_art, gradient, shade, shape, smooth, text_page, write
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Box = tuple[int, int, int, int]


class Desk:
    """One program's look: colours, font, text rendering, corner radius; and the image it draws its windows on."""

    def __init__(self, hand: Hand, picture: Picture) -> None:
        """Draw a look at random."""
        self.hand, self.picture, self.draw = hand, picture, ImageDraw.Draw(picture)
        usual = [(255, 255, 255), (246, 246, 246), (240, 240, 240), (212, 208, 200), (43, 43, 43), (30, 30, 46)]
        self.face: Colour = hand.pick([*usual, hand.colour()])
        self.text, self.accent = hand.ink(self.face, 100), hand.ink(self.face, 40)
        self.border = shade(self.face, -40 if self.face[1] > 90 else 40)
        self.font = hand.font(hand.pick([9, 10, 11, 12, 13, 13, 14, 16, 20, 26]))
        self.row, self.radius = round(self.font.size * hand.between(1.4, 2.2)), hand.pick([0, 0, 3, 6, 10])
        self.way = hand.pick(["grey", "grey", "rgb", "bit"])

    def label(self, x: float, y: float, text: str, ink: Colour, font: ImageFont.FreeTypeFont | None = None) -> None:
        """Text in the program's font."""
        write(self.hand, self.picture, (x, y), text, font or self.font, ink, self.way)

    def frame(self, box: Box, fill: Colour, border: Colour | None = None) -> None:
        """A box with the program's corners, anti-aliased where they are round."""
        if not self.radius:
            self.draw.rectangle(box, fill, border or self.border)
            return
        left, top, right, bottom = box
        size = (right - left + 1, bottom - top + 1)
        mask, inner = (Image.new("L", (size[0] * 4, size[1] * 4)) for _ in range(2))
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 4 - 1, size[1] * 4 - 1), self.radius * 4, 255)
        ImageDraw.Draw(inner).rounded_rectangle((4, 4, size[0] * 4 - 5, size[1] * 4 - 5), self.radius * 4 - 4, 255)
        self.picture.paste(border or self.border, (left, top), mask.reduce(4))
        self.picture.paste(fill, (left, top), inner.reduce(4))

    def icon(self, x: int, y: int, size: int) -> None:
        """A small drawn sign."""
        if size > 3:
            sign = flat_art(self.hand, size, size) if self.hand.chance(0.3) else Image.new("RGB", (size, size), self.face)
            if sign.getpixel((0, 0)) == self.face:
                sign = smooth(
                    self.hand, sign, lambda d, k: shape(self.hand, d, size * k / 2, size * k / 2, size * k * 0.8, self.accent, self.text, k)
                )
            self.picture.paste(sign, (x, y))

    def button(self, x: int, y: int, text: str) -> int:
        """A push button; how wide it became."""
        width = round(self.font.getlength(text) + self.row)
        fill = self.accent if self.hand.chance(0.3) else shade(self.face, self.hand.pick([-12, 12]))
        self.frame((x, y, x + width, y + self.row), fill)
        self.label(x + self.row / 2, y + (self.row - self.font.size) / 2 - 1, text, self.hand.ink(fill, 100))
        return width

    def editor(self, box: Box) -> None:
        """Source code with coloured words, indentation and line numbers."""
        hand, page = self.hand, self.hand.pick([(255, 255, 255), (30, 30, 30), (40, 42, 54), (0, 43, 54), (253, 246, 227)])
        self.draw.rectangle(box, page)
        inks, plain, depth, number = [hand.ink(page, 50) for _ in range(5)], hand.ink(page, 100), 0, hand.whole(1, 900)
        for y in range(box[1] + 2, box[3] - self.row, self.row):
            self.label(box[0] + 2, y, str(number), inks[0])
            number, depth = number + 1, min(5, max(0, depth + hand.whole(-1, 1)))
            x = box[0] + self.font.size * (2.5 + 2 * depth)
            while x < box[2] * hand.between(0.5, 1) and not hand.chance(0.1):
                text = hand.word() + hand.pick([" ", "(", ") ", ", ", " = ", ".", ": "])
                self.label(x, y, text, hand.pick([plain, plain, *inks]))
                x += self.font.getlength(text)

    def table(self, box: Box) -> None:
        """Rows and columns of words and numbers, ruled or striped, one row selected."""
        hand, page = self.hand, shade(self.face, 15)
        self.frame(box, page)
        columns = np.cumsum([hand.whole(50, 160) for _ in range(12)]) + box[0] - 45
        ruled, striped, chosen = hand.chance(0.5), hand.chance(0.5), hand.whole(0, 12)
        for i, y in enumerate(range(box[1] + 3, box[3] - self.row, self.row)):
            fill = self.accent if i == chosen else self.face if striped and i % 2 else page
            self.draw.rectangle((box[0] + 2, y, box[2] - 2, y + self.row - 1), fill)
            for x in columns[columns < box[2] - 30]:
                text = hand.word() if hand.chance(0.5) else f"{hand.between(0, 10 ** hand.whole(1, 5)):.{hand.whole(0, 3)}f}"
                self.label(x, y + 1, text, hand.ink(fill, 110) if i == chosen else self.text)
                if ruled:
                    self.draw.line((x - 4, y, x - 4, y + self.row), self.border)
            if ruled:
                self.draw.line((box[0], y + self.row - 1, box[2], y + self.row - 1), self.border)

    def form(self, box: Box) -> None:
        """Labels with fields, ticks, radio buttons, sliders, progress bars and push buttons below each other."""
        hand, y = self.hand, box[1] + 4
        while y < box[3] - 2 * self.row:
            x, what = box[0] + 8, hand.whole(0, 5)
            if what == 0:
                for _ in range(hand.whole(1, 4)):
                    x += self.button(x, y, hand.words(hand.whole(1, 2))) + 6
            elif what == 1:
                self.label(x, y + 2, hand.word() + ":", self.text)
                self.frame((x + 90, y, max(x + 100, box[2] - 10), y + self.row), shade(self.face, 20))
                self.label(x + 96, y + 2, hand.words(2), self.text)
            elif what == 2:
                side = round(self.font.size)
                self.frame((x, y + 2, x + side, y + 2 + side), hand.pick([self.accent, self.face]))
                self.draw.line((x + 3, y + side / 2, x + side / 2, y + side - 1, x + side - 2, y + 5), self.text, 2)
                self.label(x + side + 8, y, hand.words(3), self.text)
            elif what == 3:
                reach = hand.whole(20, max(21, box[2] - x - 20))
                self.draw.rectangle((x, y + 6, box[2] - 10, y + 9), self.border)
                self.draw.rectangle((x, y + 6, x + reach, y + 9), self.accent)
                self.icon(x + reach, y, 14)
            else:
                for _ in range(hand.whole(1, 3)):
                    self.icon(x, y, self.row - 4)
                    self.label(x + self.row + 2, y, hand.words(hand.whole(1, 5)), self.text)
                    y += self.row
            y += self.row + hand.whole(3, 12)

    def window(self, box: Box) -> None:
        """A title bar, a menu, perhaps a tool bar, and a body: editor, table, form, page, or two of these side by side."""
        hand, (left, top, right, bottom) = self.hand, box
        if hand.chance(0.5):
            shadow = Image.new("L", self.picture.size)
            ImageDraw.Draw(shadow).rectangle((left, top + 6, right, bottom + 6), 90)
            self.picture.paste((0, 0, 0), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))
        self.frame(box, self.face)
        bar = hand.pick([self.accent, shade(self.face, -15), self.face])
        self.draw.rectangle((left + 1, top + self.radius, right - 1, top + self.row + self.radius), bar)
        self.label(left + 10, top + self.radius, hand.words(3), hand.ink(bar, 100))
        for i in range(3):
            self.icon(right - 24 * (i + 1), top + 4 + self.radius, self.row - 8)
        x, y = left + 8, top + self.row + self.radius + 4
        while x < right - 80:
            text = hand.word()
            self.label(x, y, text, self.text)
            x += round(self.font.getlength(text)) + 14
        y += self.row
        for x in range(left + 6, right - self.row if hand.chance(0.6) else left, self.row + 6):
            self.icon(x, y, self.row)
        y += self.row + 4
        middle = hand.whole(left + 80, max(left + 81, right - 80)) if hand.chance(0.6) else right - 4
        for body in ((left + 4, y, middle - 4, bottom - 4), (middle, y, right - 4, bottom - 4)):
            if body[2] - body[0] > 60 and body[3] - body[1] > 40:
                hand.pick([self.editor, self.table, self.form, self.page])(body)

    def page(self, box: Box) -> None:
        """An image in the window: text, icons, a chart's colours, a photograph's place."""
        painter = self.hand.pick([text_page, text_page, flat_art, gradient])
        self.picture.paste(painter(self.hand, box[2] - box[0], box[3] - box[1]), box[:2])


def interface(hand: Hand, width: int, height: int) -> Picture:
    """A screen with windows over each other, each window of another program."""
    picture = gradient(hand, width, height) if hand.chance(0.6) else Image.new("RGB", (width, height), hand.colour())
    for i in range(hand.whole(1, 4)):
        desk = Desk(hand, picture)
        wide, high = (max(150, round(length * hand.between(0.4, 0.9 if i else 1))) for length in (width, height))
        x, y = hand.whole(-20, max(0, width - wide)), hand.whole(-10, max(0, height - high))
        desk.window((x, y, x + wide, y + high))
    return picture
