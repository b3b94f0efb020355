"""The cells of a table on a grid in which each slot belongs to one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shizi.errors import InvalidRequest
from shizi.export.pieces import printable
from shizi.types import Cell, Table

MOST_SLOTS = 200_000
MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        rows: how many.
        columns: how many.
        cells: none overlaps another; their texts hold what XML can.
    """

    rows: int
    columns: int
    cells: tuple[Cell, ...]


def grid(table: Table) -> Grid:
    """The grid of a table; a cell whose span overlaps another loses the span, one on a slot that is taken adds its text to that.

    Raises:
        InvalidRequest: as `check_table`.
    """
    rows, columns = check_table(table)
    taken: dict[tuple[int, int], int] = {}
    cells: list[Cell] = []
    for cell in table.cells:
        own = replace(cell, text="\n".join(" ".join(row.split()) for row in printable_rows(cell.text)))
        slots = _slots(own)
        if any(slot in taken for slot in slots):
            own = replace(own, row_span=1, column_span=1)
            slots = _slots(own)
        if (before := taken.get(slots[0])) is not None:
            cells[before] = replace(cells[before], text=f"{cells[before].text}\n{own.text}".strip())
            continue
        taken.update(dict.fromkeys(slots, len(cells)))
        cells.append(own)
    return Grid(rows, columns, tuple(cells))


def check_table(table: Table) -> tuple[int, int]:
    """The number of rows and columns of a table.

    Raises:
        InvalidRequest: cells of no place, or more than MOST_COLUMNS columns or MOST_SLOTS slots.
    """
    if any(min(cell.row, cell.column) < 0 or min(cell.row_span, cell.column_span) < 1 for cell in table.cells):
        raise InvalidRequest("a cell of a table has a row or column below 0, or a span below 1")
    rows = max((cell.row + cell.row_span for cell in table.cells), default=0)
    columns = max((cell.column + cell.column_span for cell in table.cells), default=0)
    if columns > MOST_COLUMNS or rows * columns > MOST_SLOTS:
        raise InvalidRequest(
            f"a table has {rows} rows and {columns} columns; the limits are {MOST_COLUMNS} columns and {MOST_SLOTS} cells"
        )
    return rows, columns


def printable_rows(text: str) -> list[str]:
    """The lines of a text, without what XML cannot hold."""
    return [printable(row) for row in text.splitlines()]


def _slots(cell: Cell) -> list[tuple[int, int]]:
    rows, columns = range(cell.row, cell.row + cell.row_span), range(cell.column, cell.column + cell.column_span)
    return [(row, column) for row in rows for column in columns]
