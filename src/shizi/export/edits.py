"""What a person corrected, put into a document, so that every format shows it.

Line numbers are those of the document as it was read, whatever other edits there are. An edited line counts as sure (score 1.0);
its words keep their places where their number is the same, else they share the line in proportion to their characters.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shizi.errors import InvalidRequest
from shizi.export.edits_text import Piece, followed
from shizi.export.foreign import LARGEST_COORDINATE
from shizi.export.json_reading import strict
from shizi.export.paragraphs import bounds
from shizi.types import Document, Field, Line, Page, Point, Polygon, Table, Word

MOST_EDITS: Final = 20_000
LONGEST_TEXT: Final = 10_000
LONGEST_ID: Final = 200

_KEYS: Final = frozenset({"page", "line", "text", "after", "polygon", "score", "id"})
_OF_ADDED: Final = frozenset({"after", "polygon", "score"})
_CORNERS: Final = "four corners [x, y] are expected, in pixels of the page, clockwise from the text's own top left"
_BREAKS: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")  # a line is one line


@dataclass(frozen=True, slots=True)
class Edit:
    """A line that is changed, removed or added.

    Attributes:
        page: number of the page.
        line: counted from 1 in the page's lines; None adds one.
        text: of the line; empty removes it.
        after: of an added line: number of the line that it follows, 0 for the first place.
        polygon: of an added line.
        score: of an added line.
    """

    page: int
    line: int | None
    text: str
    after: int = 0
    polygon: Polygon = ()
    score: float = 1.0


def edits_from_json(data: bytes) -> tuple[Edit, ...]:
    """Edits as a JSON list; none where there are no bytes.

    An object has `page`, `line` and `text`; where `line` is null also `after` and `polygon`, and perhaps `score`. It may have an
    `id`, which is for the sender alone.

    Raises:
        InvalidRequest: no such list; the message says where.
    """
    if not data.strip():
        return ()
    value = strict(data, "the edits are no JSON")
    if not isinstance(value, list):
        raise InvalidRequest("edits: a list is expected")
    if len(value) > MOST_EDITS:
        raise InvalidRequest(f"edits: there are {len(value)}, the limit is {MOST_EDITS}; export fewer pages at a time")
    return tuple(_edit(item, f"edits[{index}]") for index, item in enumerate(value))


def edited(document: Document, edits: Sequence[Edit]) -> Document:
    """The document with the edits; it stays as it is itself.

    Raises:
        InvalidRequest: a page or line that it does not have, a line that is edited twice, or one added without four corners.
    """
    by_page: dict[int, list[tuple[int, Edit]]] = {}
    for index, edit in enumerate(edits):
        if edit.line is None and len(edit.polygon) != 4:
            raise InvalidRequest(f"edits[{index}].polygon: {_CORNERS}")
        own = replace(edit, text=_BREAKS.sub(" ", edit.text).strip())
        by_page.setdefault(edit.page, []).append((index, own))
    if unknown := sorted(by_page.keys() - {page.number for page in document.pages}):
        raise InvalidRequest(f"edits[{by_page[unknown[0]][0][0]}].page: the document has no page {unknown[0]}")
    pages = (_edited_page(page, by_page[page.number]) if page.number in by_page else page for page in document.pages)
    return replace(document, pages=tuple(pages))


def _edited_page(page: Page, edits: Sequence[tuple[int, Edit]]) -> Page:
    changed: dict[int, Edit] = {}
    added: dict[int, list[Edit]] = {}
    for index, edit in edits:
        number = edit.after if edit.line is None else edit.line
        if not (0 if edit.line is None else 1) <= number <= len(page.lines):
            name = "after" if edit.line is None else "line"
            raise InvalidRequest(
                f"edits[{index}].{name}: is {number}, page {page.number} has {len(page.lines)} lines, counted from 1"
            )
        if edit.line is None:
            added.setdefault(number, []).append(edit)
        elif number in changed:
            raise InvalidRequest(f"edits[{index}].line: line {number} of page {page.number} is edited twice")
        else:
            changed[number] = edit
    lines: list[Line] = []
    pieces: list[Piece] = []
    for number, line in enumerate((None, *page.lines)):
        if line is not None:
            now = _changed(line, changed[number].text) if number in changed else line
            pieces.append((line.text, now.text))
            lines += [now] if now.text or number not in changed else []
        new = [_added(edit) for edit in added.get(number, ()) if edit.text]
        pieces += [(None, line.text) for line in new]
        lines += new
    words = [(page.lines[number - 1], edit.text) for number, edit in sorted(changed.items())]
    return replace(
        page,
        lines=tuple(lines),
        text=followed(page.text, pieces, replace(page, lines=tuple(lines))),
        tables=tuple(_edited_table(table, words) for table in page.tables),
        fields=tuple(_edited_field(field, words) for field in page.fields),
    )


def _changed(line: Line, text: str) -> Line:
    if text == line.text:
        return replace(line, score=1.0)  # somebody looked at it
    texts = text.split()
    if len(texts) == len(line.words):
        words = tuple(
            word if word.text == new else Word(new, 1.0, word.polygon)
            for word, new in zip(line.words, texts, strict=True)
        )
    else:
        words = _divided(line.polygon, text, line.vertical) if line.words else ()
    return replace(line, text=text, score=1.0, words=words)


def _added(edit: Edit) -> Line:
    (left, top), (right, bottom) = edit.polygon[:2]
    angle = math.degrees(math.atan2(bottom - top, right - left)) % 360
    return Line(edit.text, edit.score, edit.polygon, angle, _divided(edit.polygon, edit.text, vertical=False))


def _divided(polygon: Polygon, text: str, vertical: bool) -> tuple[Word, ...]:
    """The words of a text, each with its share of the line's polygon."""
    lengths = [_length(character) for character in text]
    whole = max(sum(lengths), 1)
    words: list[Word] = []
    cursor = 0
    for written in text.split():
        start = text.index(written, cursor)
        cursor = start + len(written)
        share = (sum(lengths[:start]) / whole, sum(lengths[:cursor]) / whole)
        words.append(Word(written, 1.0, _part(polygon, *share, vertical)))
    return tuple(words)


def _length(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _part(polygon: Polygon, start: float, end: float, vertical: bool) -> Polygon:
    top_left, top_right, bottom_right, bottom_left = polygon
    if vertical:  # characters run from top to bottom
        return (
            _between(top_left, bottom_left, start),
            _between(top_right, bottom_right, start),
            _between(top_right, bottom_right, end),
            _between(top_left, bottom_left, end),
        )
    return (
        _between(top_left, top_right, start),
        _between(top_left, top_right, end),
        _between(bottom_left, bottom_right, end),
        _between(bottom_left, bottom_right, start),
    )


def _between(one: Point, other: Point, part: float) -> Point:
    return one[0] + (other[0] - one[0]) * part, one[1] + (other[1] - one[1]) * part


def _edited_table(table: Table, words: Sequence[tuple[Line, str]]) -> Table:
    cells = tuple(replace(cell, text=_corrected(cell.text, cell.polygon, words)) for cell in table.cells)
    return replace(table, cells=cells)


def _edited_field(field: Field, words: Sequence[tuple[Line, str]]) -> Field:
    return replace(field, value=_corrected(field.value, field.polygon, words))


def _corrected(text: str, polygon: Polygon, words: Sequence[tuple[Line, str]]) -> str:
    """A text that was made of lines, as it is with their corrections: those whose middle stands where it stands."""
    for line, new in words:
        if line.text and line.text in text and _holds(polygon, line.polygon):
            text = text.replace(line.text, new, 1).strip()
    return text


def _holds(polygon: Polygon, line: Polygon) -> bool:
    if not polygon or not line:
        return False
    x, y = (sum(point[axis] for point in line) / len(line) for axis in (0, 1))
    box = bounds(polygon)
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def _edit(value: object, where: str) -> Edit:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{where}: an object is expected")
    if unknown := sorted(value.keys() - _KEYS):
        raise InvalidRequest(f"{where}: {unknown[0][:40]!r} is unknown; known are {', '.join(sorted(_KEYS))}")
    for name in ("page", "line", "text"):
        if name not in value:
            raise InvalidRequest(f"{where}: {name!r} is missing")
    page, text = _whole(value["page"], f"{where}.page"), value["text"]
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise InvalidRequest(f"{where}.text: a text of at most {LONGEST_TEXT} characters is expected")
    _check_id(value.get("id"), f"{where}.id")
    if value["line"] is not None:
        if strange := sorted(value.keys() & _OF_ADDED):
            raise InvalidRequest(f"{where}.{strange[0]}: only an added line has it, whose line is null")
        return Edit(page, _whole(value["line"], f"{where}.line"), text)
    return _addition(value, page, text, where)


def _addition(value: Mapping[str, Any], page: int, text: str, where: str) -> Edit:
    score = value.get("score", 1.0)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise InvalidRequest(f"{where}.score: a number from 0 to 1 is expected")
    if "after" not in value:
        raise InvalidRequest(f"{where}: 'after' is missing: the number of the line that it follows, 0 for the first")
    after = _whole(value["after"], f"{where}.after")
    return Edit(page, None, text, after, _polygon(value.get("polygon"), f"{where}.polygon"), float(score))


def _check_id(value: object, where: str) -> None:
    if value is not None and (not isinstance(value, str) or len(value) > LONGEST_ID):
        raise InvalidRequest(f"{where}: a text of at most {LONGEST_ID} characters is expected")


def _whole(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise InvalidRequest(f"{where}: a whole number from 0 is expected")
    return value


def _polygon(value: object, where: str) -> Polygon:
    if (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(point, list) and len(point) == 2 for point in value)
    ):
        numbers = [number for point in value for number in point]
        if all(type(number) in (int, float) and abs(number) <= LARGEST_COORDINATE for number in numbers):
            return tuple((float(x), float(y)) for x, y in value)
    raise InvalidRequest(f"{where}: {_CORNERS}")
