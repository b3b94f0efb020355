"""The formats by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shizi.errors import InvalidRequest
from shizi.export.base import Exporter, Original
from shizi.types import Document


def export(document: Document, format: str, original: Original | None = None) -> bytes:  # noqa: A002 (as in --format)
    """The document as a file of a format.

    Args:
        document: what was read.
        format: a key of `EXPORTERS`.
        original: what it was read from, for formats that show the pages.

    Raises:
        InvalidRequest: an unknown format, or no original where one is needed.
        ShiziError: as in decoding, for formats that show the pages.
    """
    exporter = EXPORTERS.get(format)
    if exporter is None:
        raise InvalidRequest(f"there is no format {format!r}; known are {', '.join(EXPORTERS)}")
    return exporter.render(document, original)


def _text(document: Document, original: Original | None) -> bytes:
    from shizi.export.text import render

    return render(document, original)


def _json(document: Document, original: Original | None) -> bytes:
    from shizi.export.json import render

    return render(document, original)


def _markdown(document: Document, original: Original | None) -> bytes:
    from shizi.export.markdown import render

    return render(document, original)


def _csv(document: Document, original: Original | None) -> bytes:
    from shizi.export.csv import render

    return render(document, original)


def _xlsx(document: Document, original: Original | None) -> bytes:
    from shizi.export.xlsx import render

    return render(document, original)


def _docx(document: Document, original: Original | None) -> bytes:
    from shizi.export.docx import render

    return render(document, original)


def _hocr(document: Document, original: Original | None) -> bytes:
    from shizi.export.hocr import render

    return render(document, original)


def _alto(document: Document, original: Original | None) -> bytes:
    from shizi.export.alto import render

    return render(document, original)


def _pdf(document: Document, original: Original | None) -> bytes:
    from shizi.export.pdf.searchable import render

    return render(document, original)


def _annotated(document: Document, original: Original | None) -> bytes:
    from shizi.export.annotated import render

    return render(document, original)


_OFFICE = "application/vnd.openxmlformats-officedocument"
_ALL = (
    Exporter("text", ".txt", "text/plain; charset=utf-8", False, _text),
    Exporter("json", ".json", "application/json", False, _json),
    Exporter("md", ".md", "text/markdown; charset=utf-8", False, _markdown),
    Exporter("csv", ".csv", "text/csv; charset=utf-8; header=present", False, _csv),
    Exporter("xlsx", ".xlsx", f"{_OFFICE}.spreadsheetml.sheet", False, _xlsx),
    Exporter("docx", ".docx", f"{_OFFICE}.wordprocessingml.document", False, _docx),
    Exporter("hocr", ".hocr", "text/html; charset=utf-8", False, _hocr),
    Exporter("alto", ".alto.xml", "application/xml", False, _alto),
    Exporter("pdf", ".pdf", "application/pdf", True, _pdf),
    Exporter("annotated", ".annotated.png", "image/png", True, _annotated),
)

EXPORTERS: Mapping[str, Exporter] = MappingProxyType({exporter.name: exporter for exporter in _ALL})
