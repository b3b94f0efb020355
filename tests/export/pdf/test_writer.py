"""The file that is written is one that another library opens."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import stream_value

from shizi.export.pdf.writer import PdfFile, number


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_streams_come_back(payloads: list[bytes]) -> None:
    file = PdfFile()
    root = file.reserve()
    streams = [file.stream("/Kind /Deflated", data) for data in payloads]
    raw = [file.stream("", data, compressed=True) for data in payloads]
    file.put(root, "<< /Type /Catalog >>")
    info = file.add("<< /Producer (test) >>")
    document = PDFDocument(PDFParser(io.BytesIO(file.serialise(root, info))), fallback=False)
    assert [stream_value(document.getobj(index)).get_data() for index in streams] == payloads
    assert [stream_value(document.getobj(index)).get_rawdata() for index in raw] == payloads
    assert document.info == [{"Producer": b"test"}]


@given(st.floats(-1e6, 1e6))
def test_numbers_are_those_of_pdf(value: float) -> None:
    text = number(value)
    assert set(text) <= set("-0123456789.")
    assert abs(float(text) - value) <= 0.00050001  # half of the last place, and what floats make of it
    assert text != "-0"
