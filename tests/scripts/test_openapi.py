from __future__ import annotations

import json

from scripts.openapi import FILE, text


def test_the_page_has_its_types_from_what_the_server_says() -> None:
    is_same = FILE.read_text(encoding="utf-8") == text()  # a diff of them is long, and long in the making
    assert is_same, "run `python -m scripts.openapi`, then `npm run types` in web/, and commit both"


def test_it_describes_what_the_page_asks() -> None:
    assert json.loads(text())["paths"].keys() >= {"/v1/ocr", "/v1/preview", "/v1/jobs", "/v1/feedback", "/readyz"}
