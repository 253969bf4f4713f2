"""Small charts as inline SVG, coloured by the page's CSS variables so that they follow light and dark."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 28, 36  # margins
COLOURS = ("var(--one)", "var(--two)", "var(--quiet)", "var(--three)", "var(--four)", "var(--five)")
ABREAST, LINE = 3, 18  # names in a line over the curves; further lines, of that height, stand below

Series = tuple[str, Sequence[float | None]]


def curves(title: str, series: Sequence[Series], *, log: bool = False) -> str:
    """Lines over epochs 1, 2, …; values that are None or not finite leave gaps. `log` draws the values' logarithm."""
    values = [v for _, line in series for v in line if _drawable(v, log)]
    if not values:
        return ""
    scale = math.log10 if log else float
    low, high = min(map(scale, values)), max(map(scale, values))  # type: ignore[arg-type]
    low, high = (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)
    epochs = max(len(line) for _, line in series)

    def place(epoch: int, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * (epoch / max(1, epochs - 1))
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - scale(value)) / (high - low)

    parts = [f'<text x="{LEFT}" y="16" class="head">{escape(title)}</text>']
    for tick in range(5):
        level = low + (high - low) * tick / 4
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * tick / 4
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="rule"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**level if log else level:.3g}</text>')
    for epoch in sorted({0, epochs // 2, epochs - 1}):
        x = place(epoch, 10**low if log else low)[0]
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{epoch + 1}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 2}" text-anchor="end">epoch</text>')
    for index, (name, line) in enumerate(series):
        points = [place(epoch, value) for epoch, value in enumerate(line) if value is not None and _drawable(value, log)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        line_of_names, place_in_it = divmod(index, ABREAST)
        abreast = min(ABREAST, len(series) - ABREAST * line_of_names)
        y = HEIGHT + LINE * line_of_names - 4 if line_of_names else 16
        at = WIDTH - RIGHT - 130 * (abreast - 1 - place_in_it)
        parts.append(f'<text x="{at}" y="{y}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
    return _svg(title, HEIGHT + LINE * ((len(series) - 1) // ABREAST), parts)


def bars(title: str, rows: Sequence[tuple[str, float]], zero: str = "do nothing") -> str:
    """Horizontal bars from a marked zero, which stands for the method `zero`; one a (label, value in dB)."""
    label, line = 170, 26
    height = TOP + line * len(rows) + 20
    low, high = min(0.0, *(value for _, value in rows)), max(0.0, *(value for _, value in rows))
    span = (high - low) or 1.0
    room = WIDTH - label - 70 - (60 if low < 0 else 0)
    start = label + (60 if low < 0 else 0)

    def x(value: float) -> float:
        return start + room * (value - low) / span

    parts = [f'<text x="0" y="16" class="head">{escape(title)}</text>']
    for index, (name, value) in enumerate(rows):
        y = TOP + line * index
        left, right = sorted((x(0), x(value)))
        colour = "var(--one)" if value >= 0 else "var(--bad)"
        parts.append(f'<text x="{label - 8}" y="{y + 15}" text-anchor="end">{escape(name[:26])}</text>')
        parts.append(f'<rect x="{left:.1f}" y="{y + 3}" width="{max(1.0, right - left):.1f}" height="16" rx="2" fill="{colour}"/>')
        anchor, at = ("start", right + 6) if value >= 0 else ("end", left - 6)
        parts.append(f'<text x="{at:.1f}" y="{y + 15}" text-anchor="{anchor}">{value:+.2f}</text>')
    parts.append(f'<line x1="{x(0):.1f}" y1="{TOP - 4}" x2="{x(0):.1f}" y2="{height - 16}" stroke="var(--ink)"/>')
    parts.append(f'<text x="{x(0):.1f}" y="{height - 4}" text-anchor="middle">{escape(zero)}</text>')
    return _svg(title, height, parts)


def _drawable(value: float | None, log: bool) -> bool:
    return value is not None and math.isfinite(value) and (value > 0 or not log)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
