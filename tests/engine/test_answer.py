from __future__ import annotations

import json

import pytest

from shizi.engine import protocol
from shizi.engine.answer import page_from_json, read_answer, write_answer
from shizi.errors import EngineUnavailable
from shizi.export.json import page_to_json, to_dict
from shizi.types import Cell, Document, Field, Line, Page, Table, Word

BOX = ((1.0, 2.0), (30.25, 2.0), (30.25, 12.5), (1.0, 12.5))
PAGE = Page(
    3,
    640,
    480,
    90,
    (Line("发票 Invoice", 0.9876, BOX, 90.0, (Word("发票", 0.5, BOX),), "text-layer", True),),
    "发票 Invoice",
    (Table(BOX, (Cell("1", BOX, 0, 1, 2, 3),)),),
    (Field("total", "12.50", 0.75, BOX),),
    {"sharpness": 0.5},
    ("a warning",),
)


def test_a_page_is_the_json_of_the_export_and_comes_back() -> None:
    assert json.loads(page_to_json(PAGE)) == to_dict(Document((PAGE,)))["pages"][0]
    assert page_from_json(page_to_json(PAGE)) == PAGE


def test_an_answer_carries_the_page_and_the_times() -> None:
    page, times, models = read_answer(write_answer("an id", PAGE, {"detect": 1.5, "recognize": 20.0}, "abc"))
    assert models == "abc"
    assert page == PAGE
    assert times == {"detect": 1.5, "recognize": 20.0}


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", page_to_json(PAGE).replace(b'"number":3', b'"number":"3"')])
def test_an_answer_of_something_else_is_no_page(data: bytes) -> None:
    with pytest.raises(EngineUnavailable, match="no page of this version"):
        page_from_json(data)


def test_an_answer_without_a_page_is_none() -> None:
    with pytest.raises(EngineUnavailable, match="has no page"):
        read_answer(protocol.new("ModelInferResponse").SerializeToString())
    with pytest.raises(EngineUnavailable, match="no ModelInferResponse"):
        read_answer(b"\xff")
