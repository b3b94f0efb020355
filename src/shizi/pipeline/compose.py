"""From drafts to pages: polygons in the text's own direction, reading order, text."""

from __future__ import annotations

import numpy as np

from shizi.geometry import angles, as_polygons, turn_corners
from shizi.imaging.decode import LayerLine, PageImage, TextLayer
from shizi.pipeline.draft import Draft
from shizi.pipeline.layout import join, reading_rows
from shizi.pipeline.options import ReadOptions
from shizi.pipeline.words import words_of
from shizi.types import Line, Page


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
    """What was read; without recognition, what was found."""
    readings = [draft.reading(index) for index in range(len(draft.quads))]
    texts = [reading.text.strip() for reading in readings]
    kept = [
        index
        for index, (text, reading) in enumerate(zip(texts, readings, strict=True))
        if not options.recognize or (text and options.keeps(text, reading.score))
    ]
    sideways = turn_corners(draft.quads, draft.turns)[kept]
    vertical = draft.vertical[kept]
    own = turn_corners(sideways, -vertical.astype(np.intp))
    places = zip(as_polygons(own), angles(own).tolist(), strict=True)
    if not options.recognize:
        scores = draft.scores.tolist()
        return [Line("", scores[index], polygon, angle) for index, (polygon, angle) in zip(kept, places, strict=True)]
    words = words_of([readings[index] for index in kept], sideways, vertical)
    return [
        Line(texts[index], readings[index].score, polygon, angle, own_words, "ocr", bool(draft.vertical[index]))
        for index, (polygon, angle), own_words in zip(kept, places, words, strict=True)
    ]
