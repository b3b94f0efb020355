"""Forms with several large fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.errors import ImageTooLarge, ShiziError
from shizi.serving.parts import Parts, receive_parts
from shizi.serving.refusals import BadRequest, UploadTooSlow, WrongMediaType
from shizi.serving.uploads import UploadLimits

TYPE = "multipart/form-data; boundary=frontier"
MOST = {"document": 1000, "edits": 100, "file": 50}
LIMITS = UploadLimits(max_bytes=50, max_parts=6, max_field_bytes=20, timeout_s=60)


class Body:
    def __init__(self, body: bytes, step: int = 7, pause_s: float = 0.0, **headers: str) -> None:
        self.headers = {"content-type": TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self._body, self._step, self._pause_s = body, step, pause_s

    async def stream(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), self._step):
            await asyncio.sleep(self._pause_s)
            yield self._body[at : at + self._step]


def written(*parts: tuple[str, bytes]) -> bytes:
    out = b""
    for name, value in parts:
        out += f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
    return out + b"--frontier--\r\n"


def taken(body: Body, limits: UploadLimits = LIMITS) -> tuple[dict[str, bytes], dict[str, str]]:
    async def receive() -> Parts:
        with ThreadPoolExecutor(1) as threads:
            return await receive_parts(body, "document", MOST, limits, threads)

    with asyncio.run(receive()) as parts:
        held = {name: upload.file.read() for name, upload in parts.uploads.items()}
        assert {name: upload.size for name, upload in parts.uploads.items()} == {name: len(held[name]) for name in held}
    assert all(upload.file.closed for upload in parts.uploads.values())
    return held, dict(parts.fields)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=40), st.text("ab发", max_size=5), st.integers(1, 200))
def test_large_fields_are_files_and_small_ones_are_texts(one: bytes, two: bytes, small: str, step: int) -> None:
    if b"--frontier" in one + two:
        return
    body = written(("file", two), ("format", small.encode()), ("document", one))
    assert taken(Body(body, step)) == ({"file": two, "document": one}, {"format": small})


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (Body(written(("file", b"x"))), BadRequest, "'document'"),
        (Body(written(("document", b"x"), ("file", b"y"))[:-20]), BadRequest, "breaks off"),
        (Body(written(("document", b"x"), ("document", b"x"))), BadRequest, "'document' twice"),
        (Body(written(("document", b"x"), ("edits", b"x"), ("edits", b""))), BadRequest, "'edits' twice"),
        (Body(written(("document", b"x"), ("file", b"y" * 51))), ImageTooLarge, "max_bytes"),
        (Body(written(("edits", b"y" * 101), ("document", b"x"))), ImageTooLarge, "'edits' has more than"),
        (Body(written(("document", b"x"), ("name", b"y" * 21))), ImageTooLarge, "'name'"),
        (Body(written(*[(f"field{number}", b"") for number in range(7)])), ImageTooLarge, "max_parts"),
        (Body(b"", content_length=str(10**9)), ImageTooLarge, "fields together"),
        (Body(written(("document", b"x")) + b"\r\n" * 200_000, 9999), ImageTooLarge, "fields together"),
        (Body(b"{}", content_type="application/json"), WrongMediaType, "send multipart/form-data"),
    ],
)
def test_what_is_too_much_or_too_little_is_refused(body: Body, kind: type[ShiziError], said: str) -> None:
    with pytest.raises(kind, match=said):
        taken(body)


def test_what_comes_too_slowly_is_refused() -> None:
    body = Body(written(("document", b"x" * 900)), 10, 0.05)
    with pytest.raises(UploadTooSlow, match=r"longer than 0.5 s"):
        taken(body, replace(LIMITS, timeout_s=0.5))
