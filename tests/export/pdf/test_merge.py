"""Text is laid over hostile, broken and encrypted PDFs in a process that may die."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import sys
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from shizi.errors import CorruptDocument, DeadlineExceeded, EncryptedDocument, InvalidRequest
from shizi.export.base import Original
from shizi.export.pdf.merge import lay_over
from shizi.export.pdf.searchable import render
from shizi.imaging.limits import Limits
from shizi.types import Document, Line, Page

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
LINE = Line("识字 text", 1, ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0)))
DOCUMENT = Document((Page(1, 200, 100, lines=(LINE,)),))


def rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def encryption(password: str) -> str:
    """The dictionary of the standard security handler, revision 2 (ISO 32000-1, 7.6.3), for one password."""
    padded = (password.encode() + PADDING)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    identifier = b"0123456789abcdef"
    key = hashlib.md5(padded + owner + (2**32 - 4).to_bytes(4, "little") + identifier).digest()[:5]
    entries = f"/Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{rc4(key, PADDING).hex()}>"
    return f"/Encrypt << {entries} >> /ID [<{identifier.hex()}> <{identifier.hex()}>]"


def pdf(trailer: str = "", pages: int = 1) -> bytes:
    """Empty pages: nothing in them would have to be encrypted."""
    kids = " ".join(f"{3 + index} 0 R" for index in range(pages))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 200 100] >>",
        *["<< /Type /Page /Parent 2 0 R /Resources << >> >>"] * pages,
    ]
    data = b"%PDF-1.4\n"
    table = b"0000000000 65535 f \n"
    for number, body in enumerate(bodies, start=1):
        table += b"%010d 00000 n \n" % len(data)
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    size = len(bodies) + 1
    end = f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {size}\n".encode() + table + end.encode()


def original(data: bytes, password: str | None = None) -> Original:
    return Original(data, password, Limits())


def text(data: bytes, password: str | None = None) -> str:
    document = pdfium.PdfDocument(io.BytesIO(data), password=password)
    page = document[0].get_textpage().get_text_range()
    document.close()
    return str(page)


def test_an_encrypted_file_stays_encrypted_with_its_password() -> None:
    merged = render(DOCUMENT, original(pdf(encryption("geheim")), "geheim"))
    assert text(merged, "geheim") == "识字 text"
    with pytest.raises(pdfium.PdfiumError, match=r"[Pp]assword"):
        text(merged)


@pytest.mark.parametrize(("password", "said"), [(None, "is missing"), ("wrong", "is wrong")])
def test_without_the_password_nothing_is_exported(password: str | None, said: str) -> None:
    with pytest.raises(EncryptedDocument, match=said):
        render(DOCUMENT, original(pdf(encryption("geheim")), password))


def test_a_part_of_an_encrypted_file_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="remove the encryption first"):
        render(DOCUMENT, original(pdf(encryption("geheim"), pages=2), "geheim"))


def test_pages_that_are_left_out_are_not_in_the_file() -> None:
    data = pdf(pages=3)
    assert len(pdfium.PdfDocument(render(DOCUMENT, original(data)))) == 1


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), pdf()[:60]])
def test_a_broken_file_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptDocument, match="cannot be opened"):
        render(DOCUMENT, original(data))


WORKERS = {
    "crash": "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGSEGV)",
    "silence": "def main(): pass",
    "noise": "import sys\ndef main(): sys.stdin.buffer.read(10); sys.stdout.write('x' * 10_000)",
    "flood": (
        "import sys\nfrom shizi.imaging.frames import send\n"
        "def main(): sys.stdin.buffer.read(10); sys.stdout.buffer.write(b'\\0\\0\\0\\x2a' + "
        'b\'{"unchanged": false, "bytes": 999999999999}\')'
    ),
    "hang": "import time\ndef main(): time.sleep(60)",
}


def worker(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / f"export_worker_{name}.py").write_text(WORKERS[name])
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    return f"export_worker_{name}"


@pytest.mark.parametrize("name", ["crash", "silence", "noise", "flood"])
def test_a_worker_that_fails_costs_the_document_only(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CorruptDocument, match="died"):
        lay_over(original(pdf()), [1], None, worker(name, tmp_path, monkeypatch))


def test_a_worker_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = original(pdf())
    source = dataclasses.replace(source, limits=Limits(pdf_timeout_s=0.1))
    with pytest.raises(DeadlineExceeded, match=r"longer than 1.1 s"):
        lay_over(source, [1], None, worker("hang", tmp_path, monkeypatch))


def test_a_large_file_passes_through_the_pipe() -> None:
    padded = pdf() + b"%" + bytes(5_000_000) + b"\n"
    data = padded + pdf()[pdf().index(b"startxref") :]
    assert "识字 text" in text(render(DOCUMENT, original(data)))
