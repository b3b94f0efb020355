"""Forms, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import ShiziError
from shizi.serving.form import Form
from shizi.serving.refusals import BadRequest

TYPE = "multipart/form-data; boundary=frontier"
names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)


def written(parts: list[tuple[str, bytes]], end: bytes = b"--frontier--\r\n") -> bytes:
    out = b""
    for name, value in parts:
        head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        out += head.encode() + value + b"\r\n"
    return out + end


def parsed(body: bytes, step: int) -> tuple[bytes, dict[str, str]]:
    form = Form(TYPE, "file", 10, 100, 500)
    out = b"".join(form.feed(body[at : at + step]) for at in range(0, len(body), step))
    form.finish()
    return out, form.fields


@given(
    st.binary(max_size=400),
    st.dictionaries(names.filter(lambda name: name != "file"), st.text(max_size=20), max_size=5),
    st.integers(1, 60),
)
def test_what_was_written_is_read(document: bytes, others: dict[str, str], step: int) -> None:
    if b"\r\n--frontier" in b"\r\n" + document:
        return
    parts = [("file", document), *((name, value.encode()) for name, value in others.items())]
    assert parsed(written(parts), step) == (document, others)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_nothing_else_than_ours_is_raised(body: bytes, step: int) -> None:
    try:
        parsed(written([("file", b"x")], b"") + body, step)
    except ShiziError:
        return


def test_the_documents_name_and_type_are_never_looked_at() -> None:
    body = b'--frontier\r\ncontent-disposition: form-data; filename="../../etc/passwd"; name=file\r\n'
    body += b"Content-Type: text/html\r\n\r\nx\r\n--frontier--"
    assert parsed(body, 7) == (b"x", {})


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "multipart/form-data; boundary=", TYPE + "x" * 80])
def test_a_boundary_is_needed(kind: str) -> None:
    with pytest.raises(BadRequest, match="boundary"):
        Form(kind, "file", 1, 1, 1)
