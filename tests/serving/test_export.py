"""What was read before in another format, with corrections, and pages as pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from pdfminer.high_level import extract_text
from PIL import Image

from shizi.export import to_dict
from shizi.serving.keys import KeyStore
from shizi.types import Document, Line, Page, Word
from tests.serving.processes import LocalServer

TOP = ((20.0, 20.0), (220.0, 20.0), (220.0, 50.0), (20.0, 50.0))
LOW = ((20.0, 70.0), (220.0, 70.0), (220.0, 100.0), (20.0, 100.0))
SAID = Document(
    (
        Page(
            1,
            300,
            200,
            lines=(
                Line("Invoice l2", 0.7, TOP, words=(Word("Invoice", 0.9, TOP), Word("l2", 0.5, TOP))),
                Line("合计", 0.9, LOW),
            ),
            text="Invoice l2\n合计",
        ),
    )
)
EDIT = {"page": 1, "line": 1, "text": "Invoice 12"}


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), pages: int = 1) -> bytes:
    out = io.BytesIO()
    images = [Image.new("RGB", size, (255, 255, 255 - 40 * index)) for index in range(pages)]
    images[0].save(out, kind, **({"save_all": True, "append_images": images[1:]} if pages > 1 else {}))
    return out.getvalue()


def asked(**fields: object) -> dict[str, Any]:
    """The `files` of a form: bytes as a file, everything else as JSON or as it is."""
    form: dict[str, object] = {"document": to_dict(SAID), "format": "text", **fields}
    return {
        name: ("x", value)
        if isinstance(value, bytes)
        else (None, value if isinstance(value, str) else json.dumps(value))
        for name, value in form.items()
        if value is not None
    }


def refused(answer: httpx.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert body["code"] == code, body
    detail: str = body["detail"]
    assert len(detail) < 600
    return detail


def test_a_document_comes_back_as_text_with_its_corrections(client: httpx.Client) -> None:
    plain = client.post("/v1/export", files=asked())
    assert (plain.status_code, plain.text) == (200, "Invoice l2\n合计\n")
    added = {
        "page": 1,
        "line": None,
        "after": 2,
        "polygon": [[20, 120], [90, 120], [90, 150], [20, 150]],
        "text": "谢谢",
    }
    edited = client.post("/v1/export", files=asked(edits=[EDIT, added], name="a/b:发票.txt"))
    assert edited.text == "Invoice 12\n合计\n谢谢\n"
    assert edited.headers["content-type"] == "text/plain; charset=utf-8"
    assert edited.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert edited.headers["x-content-type-options"] == "nosniff"
    disposition = edited.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=\"document.txt\"; filename*=UTF-8''")
    assert unquote(disposition.rpartition("''")[2]) == "a b 发票.txt"


def test_every_format_that_needs_no_original_is_made(client: httpx.Client) -> None:
    offered = client.get("/v1/capabilities").json()
    assert offered["export"]["limits"]["edits"] == 20_000
    assert offered["render"]["limits"] == {"least_side": 16, "most_side": 8192}
    formats = offered["formats"]
    assert {"xlsx", "docx"} <= formats.keys()
    for name in formats.keys() - {"pdf", "annotated"}:
        answer = client.post("/v1/export", files=asked(format=name, edits=[EDIT]))
        assert (answer.status_code, answer.headers["content-type"]) == (200, formats[name]), answer.text
        assert int(answer.headers["content-length"]) == len(answer.content) > 15


def test_a_searchable_pdf_has_the_corrections(client: httpx.Client) -> None:
    answer = client.post("/v1/export", files=asked(format="pdf", edits=[EDIT], file=picture()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    text = extract_text(io.BytesIO(answer.content))
    assert "Invoice 12" in text
    assert "l2" not in text
    drawn = client.post("/v1/export", files=asked(format="annotated", file=picture()))
    assert Image.open(io.BytesIO(drawn.content)).format == "PNG"


PAGE = to_dict(SAID)["pages"][0]


@pytest.mark.parametrize(
    ("fields", "status", "code", "said"),
    [
        ({"document": "{"}, 422, "INVALID_REQUEST", "no JSON"),
        ({"document": "[" * 200_000}, 422, "INVALID_REQUEST", "no JSON"),
        ({"document": '{"schema":"shizi/2"}'}, 422, "INVALID_REQUEST", "shizi/1"),
        ({"document": None}, 400, "INVALID_REQUEST", "'document'"),
        ({"document": to_dict(SAID) | {"pages": [PAGE | {"width": 0}]}}, 422, "INVALID_REQUEST", "width"),
        ({"document": to_dict(SAID) | {"pages": [PAGE, PAGE], "text": "\f".join([PAGE["text"]] * 2)}}, 422,
         "INVALID_REQUEST", "comes after"),
        ({"format": "doc"}, 422, "INVALID_REQUEST", "format"),
        ({"format": None}, 422, "INVALID_REQUEST", "format"),
        ({"edits": "[" * 100_000}, 422, "INVALID_REQUEST", "no JSON"),
        ({"edits": [EDIT | {"page": 2}]}, 422, "INVALID_REQUEST", "edits[0].page: the document has no page 2"),
        ({"edits": [EDIT | {"line": 3}]}, 422, "INVALID_REQUEST", "has 2 lines"),
        ({"format": "pdf"}, 422, "INVALID_REQUEST", "original"),
        ({"format": "pdf", "file": b"GIF89a, which nobody reads"}, 415, "UNSUPPORTED_FORMAT", "GIF"),
        ({"format": "annotated", "file": b"\x89PNG\r\n\x1a\n, broken"}, 422, "CORRUPT_DOCUMENT", "PNG"),
        ({"format": "annotated", "file": b"0" * 3_000_001}, 413, "IMAGE_TOO_LARGE", "max_bytes"),
        ({"edits": b" " * (8 * 2**20 + 1)}, 413, "IMAGE_TOO_LARGE", "'edits'"),
        ({"name": "x" * 201}, 413, "IMAGE_TOO_LARGE", "'name'"),
        ({"timeout": "0"}, 422, "INVALID_REQUEST", "timeout"),
        ({"colour": "red"}, 422, "INVALID_REQUEST", "colour"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_words(
    client: httpx.Client, fields: dict[str, object], status: int, code: str, said: str
) -> None:
    answer = client.post("/v1/export", files=asked(**fields))
    assert said in refused(answer, status, code)


def test_only_forms_are_taken(client: httpx.Client) -> None:
    refused(client.post("/v1/export", json={"document": {}}), 415, "UNSUPPORTED_FORMAT")
    refused(client.post("/v1/export", files=asked(), params={"format": "text"}), 422, "INVALID_REQUEST")
    body = b'--b\r\nContent-Disposition: form-data; name="document"\r\n\r\n{}\r\n' * 2 + b"--b--"
    twice = client.post("/v1/export", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert "twice" in refused(twice, 400, "INVALID_REQUEST")


def test_nobody_without_the_right_is_served(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    key, _ = keys.create("bank", "a", ["jobs"], None)
    with LocalServer({"strangers": False, "keys": str(tmp_path / "keys")}) as server, server.client() as client:
        for address in ("/v1/export", "/v1/render"):
            refused(client.post(address, files=asked(file=picture())), 401, "UNAUTHENTICATED")
            held = {"Authorization": f"Bearer {key}"}
            refused(client.post(address, files=asked(file=picture()), headers=held), 403, "FORBIDDEN")


def test_time_that_is_over_is_said(client: httpx.Client) -> None:
    answer = client.post("/v1/export", files=asked(timeout="0.01"))
    assert "text" in refused(answer, 504, "TIMEOUT")


def test_a_page_of_a_tiff_is_a_picture(client: httpx.Client) -> None:
    files = {"file": ("scan.tif", picture("TIFF", (600, 400), 3))}
    answer = client.post("/v1/render", files=files, data={"page": "3", "longest_side": "150"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    measures = [answer.headers[name] for name in ("x-page-width", "x-page-height", "x-pages")]
    assert measures == ["600", "400", "3"]
    shown = Image.open(io.BytesIO(answer.content))
    assert (shown.format, shown.size) == ("JPEG", (150, 100))
    blue = shown.convert("RGB").getpixel((75, 50))
    assert isinstance(blue, tuple)
    assert abs(blue[2] - 175) < 4
    exact = client.post("/v1/render", files=files, data={"page": "2", "picture": "png"})
    shown = Image.open(io.BytesIO(exact.content))
    assert (shown.format, shown.size, shown.getpixel((0, 0))) == ("PNG", (600, 400), (255, 255, 215))


@pytest.mark.parametrize(
    ("data", "fields", "status", "code"),
    [
        (b"GIF89a", {}, 415, "UNSUPPORTED_FORMAT"),
        (b"", {}, 422, "CORRUPT_DOCUMENT"),
        (picture("TIFF", pages=2), {"page": "3"}, 422, "INVALID_REQUEST"),
        (picture("TIFF", pages=2)[:-60], {"page": "2"}, 422, "CORRUPT_DOCUMENT"),
        (picture(), {"longest_side": "9000"}, 422, "INVALID_REQUEST"),
        (picture(), {"page": "0"}, 422, "INVALID_REQUEST"),
        (picture(), {"picture": "gif"}, 422, "INVALID_REQUEST"),
        (picture(), {"angle": "90"}, 422, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    client: httpx.Client, data: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    refused(client.post("/v1/render", files={"file": ("x", data)}, data=fields), status, code)
