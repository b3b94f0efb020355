"""The values that flow through shizi and come out of it: frozen, slotted, standard library only.

Coordinates are pixels of the original page (of its rendering, for PDF), origin at the top left, x to the right. Polygons run
clockwise from the text's own top-left corner, so that their first edge is the top of the text whatever way it lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Point = tuple[float, float]
Polygon = tuple[Point, ...]
Source = Literal["ocr", "text-layer"]

SCHEMA = "shizi/1"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line (for Chinese: a run of characters without a space)."""

    text: str
    score: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text.

    Attributes:
        text: as a person would have typed it; empty when only detection was asked for.
        score: mean probability of the characters, 0 to 1 (of the detection when nothing was recognised).
        polygon: four corners, clockwise from the text's own top-left corner.
        angle: degrees, clockwise, in [0, 360), by which the text's own direction is turned on the original page.
        words: left to right in the text's own direction.
        source: "ocr", or "text-layer" for text that stood in the PDF.
        vertical: True where characters run from top to bottom.
    """

    text: str
    score: float
    polygon: Polygon
    angle: float = 0.0
    words: tuple[Word, ...] = ()
    source: Source = "ocr"
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with the row and column of its first slot and the number of slots it spans."""

    text: str
    polygon: Polygon
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its cells, row by row."""

    polygon: Polygon
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A named value that was understood from the page."""

    name: str
    value: str
    score: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        number: counted from 1, as in the source document.
        width: pixels of the original page.
        height: pixels of the original page.
        angle: 0, 90, 180 or 270: degrees, clockwise, by which the page's content is turned; turn it back to read it.
        lines: in reading order.
        text: of this page, in reading order, as a person would have typed it.
        warnings: what a person should know about this page (a poor scan, a text layer that was not trusted).
    """

    number: int
    width: int
    height: int
    angle: int = 0
    lines: tuple[Line, ...] = ()
    text: str = ""
    tables: tuple[Table, ...] = ()
    fields: tuple[Field, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model made a result."""

    task: str
    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Document:
    """What was read from one file."""

    pages: tuple[Page, ...]
    models: tuple[ModelInfo, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    schema: str = SCHEMA

    @property
    def text(self) -> str:
        """The text of all pages, joined by form feeds."""
        return "\f".join(page.text for page in self.pages)
