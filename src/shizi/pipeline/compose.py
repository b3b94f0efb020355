"""From drafts to pages: polygons in the text's own direction, words, reading order, text."""

from __future__ import annotations

from itertools import pairwise, zip_longest
from statistics import median

import numpy as np

from shizi.geometry import Quad, angles, as_polygon, slices, turn_corners
from shizi.imaging.decode import LayerLine, PageImage, TextLayer
from shizi.models.ctc import Reading
from shizi.pipeline.draft import Draft
from shizi.pipeline.layout import join, reading_rows
from shizi.pipeline.options import ReadOptions
from shizi.types import Line, Page, Word


def compose(image: PageImage, draft: Draft | None, options: ReadOptions) -> Page:
    """One page's result, from what was read and from what stood in its text layer.

    Args:
        image: the page.
        draft: what was read from its pixels; None where nothing had to be.
        options: what was asked for.
    """
    layer = image.text_layer
    layer_only = options.text_layer == "only"
    used = layer is not None and (layer.sound or layer_only)
    lines = [_from_layer(line) for line in layer.lines] if layer is not None and used else []
    found = _from_draft(draft, options) if draft is not None else []
    lines += found
    quads = np.array([line.polygon for line in lines], dtype=np.float32).reshape(-1, 4, 2)
    quarters = _quarters(draft, lines, len(found))
    vertical = sum(line.vertical for line in lines) * 2 > len(lines)
    aside = np.array([_runs_across(line, quarters) for line in lines], dtype=np.bool_)
    rows = reading_rows(quads, quarters, image.width, image.height, vertical, aside)
    return Page(
        number=image.number,
        width=image.width,
        height=image.height,
        angle=90 * quarters,
        lines=tuple(lines[index] for row in rows for index in row),
        text=join([[lines[index].text for index in row] for row in rows]),
        warnings=image.warnings + _layer_warnings(layer, used, layer_only),
    )


def _quarters(draft: Draft | None, lines: list[Line], found: int) -> int:
    """Quarter-turns of the page: as its pixels were read, or, where a text layer says more than they do, as most of it runs."""
    if draft is not None and 2 * found > len(lines):
        return draft.quarters
    # Marks that turned out to be no text say nothing of how the page lies.
    if not lines:
        return 0
    turns = [round(line.angle / 90) % 4 for line in lines]
    return int(np.bincount(turns, weights=[len(line.text) for line in lines]).argmax())


def _runs_across(line: Line, quarters: int) -> bool:
    """A line a quarter-turn away from the page's direction, such as a stamp in the margin."""
    return not line.vertical and round(line.angle / 90 - quarters) % 2 == 1


def _layer_warnings(layer: TextLayer | None, used: bool, layer_only: bool) -> tuple[str, ...]:
    if layer is None or not layer.lines:
        return ("the page has no text layer, and nothing else was asked for",) if layer_only else ()
    if layer.sound:
        return ()
    return (f"the text layer {'may be wrong' if used else 'was not used'}: {layer.reason}",)


def _from_layer(line: LayerLine) -> Line:
    return Line(line.text, 1.0, line.polygon, line.angle, line.words, "text-layer", line.vertical)


def _from_draft(draft: Draft, options: ReadOptions) -> list[Line]:
    lines = []
    for index in range(len(draft.quads)):
        sideways = turn_corners(draft.quads[index : index + 1], int(draft.turns[index]))[0]
        vertical = bool(draft.vertical[index])
        own = turn_corners(sideways[None], -1)[0] if vertical else sideways
        angle = float(angles(own[None])[0])
        if not options.recognize:
            lines.append(Line("", float(draft.scores[index]), as_polygon(own), angle))
            continue
        reading = draft.reading(index)
        text = reading.text.strip()
        if text and options.keeps(text, reading.score):
            words = words_of(reading, sideways, vertical)
            lines.append(Line(text, reading.score, as_polygon(own), angle, words, "ocr", vertical))
    return lines


def words_of(reading: Reading, sideways: Quad, vertical: bool) -> tuple[Word, ...]:
    """The words of a line, parted at its spaces, each with the part of the line's quadrilateral that shows it.

    Args:
        reading: of the line.
        sideways: the line's corners in the direction in which it was read, (4, 2).
        vertical: the characters stand upright, so that a word's polygon starts a quarter-turn back.
    """
    groups: list[list[int]] = [[]]
    for index, character in enumerate(reading.characters):
        if character.isspace():
            groups.append([])
        else:
            groups[-1].append(index)
    groups = [group for group in groups if group]
    middles = [(start + end) / 2 for start, end in zip(reading.starts, reading.ends, strict=True)]
    edges = np.zeros((2, len(groups)), dtype=np.float32)
    edge = 0.0
    for number, (group, following) in enumerate(zip_longest(groups, groups[1:])):
        start, end = max(edge, _outer(middles, group, -1)), _outer(middles, group, 1)
        if following is not None:
            end = min(end, (middles[group[-1]] + middles[following[0]]) / 2)
        edges[:, number] = start, end
        edge = end
    parts = slices(sideways, *edges)
    polygons = map(as_polygon, turn_corners(parts, -1) if vertical else parts)
    return tuple(
        Word(
            "".join(reading.characters[k] for k in group),
            sum(reading.scores[k] for k in group) / len(group),
            polygon,
        )
        for group, polygon in zip(groups, polygons, strict=True)
    )


def _outer(middles: list[float], group: list[int], side: int) -> float:
    """Where a word ends: half a character beyond the middle of its last one. CTC marks the middles of characters, not their edges."""
    last = group[-1] if side > 0 else group[0]
    # Of the word itself; of the whole line where it is a single character.
    shown = middles[group[0] : group[-1] + 1] if len(group) > 1 else middles
    pitches = [after - before for before, after in pairwise(shown)]
    half = median(pitches) / 2 if pitches else 0.5
    return min(max(middles[last] + side * half, 0.0), 1.0)
