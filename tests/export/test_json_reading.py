"""JSON of a document is refused where it is not as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shizi.errors import InvalidRequest
from shizi.export.json import to_dict, to_json
from shizi.export.json_reading import from_json
from tests.export.test_json import document


def changed(path: list[str | int], value: object) -> str:
    tree: Any = to_dict(document())
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["extra"], 1, "'extra' is unknown"),
        (["pages", 0, "lines", 0, "colour"], "red", r"document.pages\[0\].lines\[0\]: 'colour' is unknown"),
        (["pages", 0, "lines", 0, "score"], "high", r"lines\[0\].score: a number is expected"),
        (["pages", 0, "lines", 0, "score"], True, r"score: a number is expected"),
        (["pages", 0, "lines", 0, "source"], "dream", "allowed are 'ocr', 'text-layer'"),
        (["pages", 0, "lines", 0, "polygon"], [[0, 0]] * 3, "four corners are expected, here are 3"),
        (["pages", 0, "lines", 0, "polygon"], [[0, 0, "x"]] * 4, r"polygon\[0\]: 2 values are expected, here are 3"),
        (["pages", 0, "lines", 0, "polygon"], [[0, "x"]] * 4, r"polygon\[0\]\[1\]: a number is expected"),
        (["pages", 0, "lines", 0, "score"], 10**4000, r"lines\[0\].score: the number is too large"),
        (["pages", 0, "angle"], 45, "allowed are 0, 90, 180 and 270"),
        (["pages", 0, "width"], 1.5, "a whole number is expected"),
        (["pages", 0, "width"], 10**4000, r"pages\[0\].width: the number is too large$"),
        (["pages", 0, "number"], -(10**4000), r"pages\[0\].number: the number is too large$"),
        (["pages", 0, "angle"], 10**4000, "angle: the number is too large"),
        (["pages", 0, "quality"], [], "quality: an object is expected"),
        (["pages", 0, "text"], "other", "is not the pages' texts"),
        (["schema"], "shizi/2", "this is no document"),
        (["pages"], None, "pages: a list is expected"),
    ],
)
def test_wrong_values_are_refused_with_their_place(path: list[str | int], value: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        from_json(changed(path, value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\xfa",
        "[]",
        "{",
        "[" * 100_000,
        '{"schema": "shizi/1"}',
        '{"schema": "shizi/1", "pages": [], "pages": [], "text": ""}',
        to_json(document()).replace("0.9877", "NaN"),
        to_json(document()).replace("0.9877", "1e999"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes | str) -> None:
    with pytest.raises(InvalidRequest):
        from_json(data)
