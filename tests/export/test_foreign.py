"""Documents that come from outside."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import ImageTooLarge, InvalidRequest, ShiziError
from shizi.export import to_dict
from shizi.export.foreign import document_of
from shizi.imaging.limits import Limits
from shizi.types import Cell, Document, Field, Line, Page, Table, Word

BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))
PAGE = Page(
    2,
    90,
    50,
    lines=(Line("a b", 0.5, BOX, words=(Word("a", 1, BOX), Word("b", 1, BOX))),),
    text="a b",
    tables=(Table(BOX, (Cell("a", BOX, 0, 0),)),),
    fields=(Field("n", "v", 1, BOX),),
)
WHOLE = to_dict(Document((PAGE,)))


def changed(**values: object) -> bytes:
    """The document with other values in its page."""
    return json.dumps(WHOLE | {"pages": [WHOLE["pages"][0] | values]}).encode()


def test_what_was_read_is_taken() -> None:
    assert document_of(json.dumps(WHOLE | {"preview": True}).encode(), Limits()) == Document((PAGE,))


TRIANGLE = [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"number": 0}, r"pages\[0\].number: is 0"),
        ({"number": 2_000_000}, "allowed are 1 to 1000000"),
        ({"width": 0}, r"pages\[0\].width: is 0; allowed are 1 to 32000"),
        ({"height": 10**9}, "height"),
        ({"angle": 45}, "angle"),
        ({"lines": [{"text": "", "score": 0, "polygon": [[0, 0], [1e9, 0], [1, 1], [0, 1]]}]}, r"lines\[0\].polygon"),
        ({"lines": [{"text": "", "score": 0, "polygon": BOX, "angle": 1e6}]}, r"lines\[0\].angle"),
        ({"lines": [{"text": "", "score": 0, "polygon": BOX, "words": [{"text": "", "score": 0, "polygon": []}]}]}, "corners"),
        ({"tables": [{"polygon": [], "cells": []}]}, r"tables\[0\].polygon: three corners"),
        ({"tables": [{"polygon": TRIANGLE, "cells": [{"text": "", "polygon": [], "row": 0, "column": 0}]}]}, r"cells\[0\]"),
        ({"tables": [{"polygon": BOX, "cells": [{"text": "", "polygon": BOX, "row": -1, "column": 0}]}]}, "below 0"),
        ({"tables": [{"polygon": BOX, "cells": [{"text": "", "polygon": BOX, "row": 10**6, "column": 5}]}]}, "1000001 rows"),
        ({"fields": [{"name": "", "value": "", "score": 0, "polygon": []}]}, r"fields\[0\].polygon"),
        ({"lines": [{"text": "", "score": 0, "polygon": BOX, "source": [[[]]] * 999}]}, "is a list or an object"),
        ({"lines": [{"text": "", "score": 0, "polygon": BOX, "source": "x" * 9999}]}, "x{60}…"),
        ({"x" * 9999: 1}, "is unknown"),
    ],
)  # fmt: skip
def test_what_no_reading_gives_is_refused_where_it_stands(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        document_of(changed(**values), Limits())
    assert len(str(refused.value)) < 400


def test_more_than_is_read_here_is_refused() -> None:
    two = json.dumps(to_dict(Document((PAGE, Page(3, 9, 9))))).encode()
    with pytest.raises(ImageTooLarge, match=r"2 pages, the limit \(max_pages\) is 1"):
        document_of(two, Limits(max_pages=1))
    with pytest.raises(ImageTooLarge, match=r"2 words, the limit \(max_words\) is 1"):
        document_of(two, Limits(max_words=1))
    swapped = json.dumps(to_dict(Document((PAGE, Page(1, 9, 9))))).encode()
    with pytest.raises(InvalidRequest, match="page 1 comes after page 2"):
        document_of(swapped, Limits())


KEYS = st.sampled_from(["schema", "text", "pages", "models", "preview"])
VALUES = st.recursive(
    st.none() | st.text(max_size=9), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)


@given(st.binary(max_size=80) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_nothing_else_than_ours_is_raised(data: bytes) -> None:
    with contextlib.suppress(ShiziError):
        document_of(data, Limits())
