"""Corrections over HTTP that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shizi.serving.feedback import MAX_BODY_BYTES
from tests.release.stores import HASH
from tests.serving.feedback_desk import FOREIGN, SAID, Desk, problem


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"document": "abc"}, "document"),
        ({"document": HASH.upper()}, "document"),
        ({"page": 0}, "page"),
        ({"page": "1"}, "page"),
        ({"page": 1.5}, "page"),
        ({"line": True}, "line"),
        ({"line": 10**7}, "line"),
        ({"polygon": [[1, 2], [3, 2], [3, 4]]}, "polygon"),
        ({"polygon": [[1, 2], [3, 2], [3, 4], [1e9, 4]]}, "polygon"),
        ({"original": "SECRET" * 2000}, "original"),
        ({"correction": "SECRET\nSECRET"}, "correction"),
        ({"correction": "SECRET\0"}, "correction"),
        ({"correction": None}, "correction"),
        ({"model": ""}, "model"),
        ({"tenant": "b"}, "tenant"),
        ({"editor": "key:SECRET"}, "editor"),
        ({"id": FOREIGN}, "id"),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(
    make: Callable[..., Desk], changed: dict[str, Any], named: str
) -> None:
    desk = make()
    assert named in problem(desk.send(**changed), 422, "INVALID_REQUEST")
    assert desk.store.list("a") == []


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_REQUEST"),
        (b'{"page": 1, "page": 2}', "application/json", 400, "INVALID_REQUEST"),
        (b'{"page": NaN}', "application/json", 400, "INVALID_REQUEST"),
        (b'"\xff"', "application/json", 400, "INVALID_REQUEST"),
        (b"[]", "application/json", 422, "INVALID_REQUEST"),
        (b"[" * 100_000, "application/json", 400, "INVALID_REQUEST"),
        (b"page=1", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_FORMAT"),
        (b" " * (MAX_BODY_BYTES + 1), "application/json", 413, "IMAGE_TOO_LARGE"),
        (json.dumps(SAID | {"correction": "\ud800"}).encode(), "application/json", 422, "INVALID_REQUEST"),
    ],
)
def test_bodies_that_are_none_are_refused(
    make: Callable[..., Desk], body: bytes, media_type: str, status: int, code: str
) -> None:
    desk = make()
    problem(desk.ask("POST", "/v1/feedback", content=body, headers={"Content-Type": media_type}), status, code)


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "limit=0"), ("GET", "limit=1001"), ("GET", "after=x%00"), ("GET", "document=x"), ("GET", "tenant=b"),
        ("DELETE", ""), ("DELETE", "document="), ("DELETE", "document=All"), ("DELETE", "document=all&all=1"),
    ],
)  # fmt: skip
def test_queries_that_are_wrong_do_nothing(make: Callable[..., Desk], method: str, query: str) -> None:
    desk = make()
    desk.send()
    problem(desk.ask(method, f"/v1/feedback?{query}"), 422, "INVALID_REQUEST")
    assert len(desk.store.list("a")) == 1
