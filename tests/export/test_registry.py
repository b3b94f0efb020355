"""The formats by name, and what is loaded for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shizi.errors import InvalidRequest
from shizi.export import EXPORTERS, export
from shizi.types import Document, Line, Page

DOCUMENT = Document((Page(1, 60, 40, lines=(Line("发票", 1, ((0, 0), (50, 0), (50, 20), (0, 20))),), text="发票"),))


def test_the_formats_have_the_names_of_the_command_line() -> None:
    assert list(EXPORTERS) == ["text", "json", "md", "csv", "hocr", "alto", "pdf", "annotated"]
    assert len({exporter.extension for exporter in EXPORTERS.values()}) == len(EXPORTERS)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="no format 'docx'; known are text, json, md"):
        export(DOCUMENT, "docx")


@pytest.mark.parametrize("exporter", EXPORTERS.values(), ids=lambda exporter: exporter.name)
def test_every_format_gives_the_text_or_asks_for_the_original(exporter: object) -> None:
    name = getattr(exporter, "name")  # noqa: B009
    if EXPORTERS[name].needs_original:
        with pytest.raises(InvalidRequest, match="give the original file"):
            export(DOCUMENT, name)
    else:
        assert "发票" in export(DOCUMENT, name).decode()


def test_text_formats_load_no_heavy_module() -> None:
    code = (
        "import sys; from shizi.export import export; from shizi.types import Document\n"
        "for name in ('text', 'json', 'md', 'csv', 'hocr', 'alto'): export(Document(()), name)\n"
        "print([name for name in ('numpy', 'PIL', 'pypdfium2', 'cv2', 'shizi.imaging') if name in sys.modules])"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
