"""Draws a flame graph: counted stacks to an SVG that can be read without a script."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, ROW, TOP = 1200, 19, 34
_NARROWEST = 3.0
_CHARACTER = 6.7  # of the text's size, on the average


@dataclass(slots=True)
class Box:
    """A call, how many samples it was seen in, and the calls inside."""

    count: int = 0
    inside: dict[str, Box] = field(default_factory=dict)


def tree(stacks: Counter[tuple[str, ...]]) -> Box:
    """Merges stacks with the same beginning."""
    root = Box()
    for stack, count in stacks.items():
        box = root
        box.count += count
        for name in stack:
            box = box.inside.setdefault(name, Box())
            box.count += count
    return root


def render(stacks: Counter[tuple[str, ...]], title: str) -> str:
    """The picture: time from left to right, the widest first; calls from top to bottom."""
    root = tree(stacks)
    shapes: list[str] = []
    depth = _draw(root, 0.0, 0, WIDTH / max(1, root.count), shapes)
    height = TOP + ROW * depth + 8
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'font-family="Verdana, DejaVu Sans, sans-serif" font-size="11.5">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="6" y="21" font-size="15" fill="#222222">{escape(title)}</text>',
            *shapes,
            "</svg>\n",
        ]
    )


def _draw(box: Box, left: float, level: int, scale: float, shapes: list[str]) -> int:
    """Draws what is inside a box; returns the number of rows that it took."""
    deepest = level
    for name, inner in sorted(box.inside.items(), key=lambda item: -item[1].count):
        width = inner.count * scale
        if width >= _NARROWEST:
            shapes.append(_shape(name, inner.count, box.count, (left, TOP + ROW * level, width)))
            deepest = max(deepest, _draw(inner, left, level + 1, scale, shapes))
        left += width
    return max(deepest, level + 1 if box.inside else level)


def _shape(name: str, count: int, of: int, place: tuple[float, float, float]) -> str:
    left, top, width = place
    fits = int((width - 6) / _CHARACTER)
    shown = name if len(name) <= fits else f"{name[: fits - 1]}…" if fits >= 4 else ""
    text = f'<text x="{left + 3:.1f}" y="{top + 13}" fill="#1c1c1c">{escape(shown)}</text>' if shown else ""
    hint = f"<title>{escape(name)} ({100 * count / of:.0f} % of the call above, {count} samples)</title>"
    rect = (
        f'<rect x="{left:.1f}" y="{top}" width="{width - 0.6:.1f}" height="{ROW - 1}" rx="2" fill="{_colour(name)}"/>'
    )
    return f"<g>{hint}{rect}{text}</g>"


def _colour(name: str) -> str:
    """A hue for each module; lines of code, in which native code runs, stand out."""
    if name.startswith("line: "):
        return "#ffd27a"
    module = name.partition(":")[0]
    return f"hsl({150 + zlib.crc32(module.encode()) % 110},45%,78%)"
