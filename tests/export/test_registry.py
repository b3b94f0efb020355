"""The formats by name, and what is loaded for them."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest

from shizi.errors import InvalidRequest
from shizi.export import EXPORTERS, export
from shizi.types import Document, Line, Page

DOCUMENT = Document((Page(1, 60, 40, lines=(Line("发票", 1, ((0, 0), (50, 0), (50, 20), (0, 20))),), text="发票"),))


def test_the_formats_have_the_names_of_the_command_line() -> None:
    assert list(EXPORTERS) == ["text", "json", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated"]
    assert len({exporter.extension for exporter in EXPORTERS.values()}) == len(EXPORTERS)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="no format 'odt'; known are text, json, md"):
        export(DOCUMENT, "odt")


@pytest.mark.parametrize("exporter", EXPORTERS.values(), ids=lambda exporter: exporter.name)
def test_every_format_gives_the_text_or_asks_for_the_original(exporter: object) -> None:
    name = getattr(exporter, "name")  # noqa: B009
    if EXPORTERS[name].needs_original:
        with pytest.raises(InvalidRequest, match="give the original file"):
            export(DOCUMENT, name)
    else:
        assert "发票" in text_of(export(DOCUMENT, name))


def text_of(data: bytes) -> str:
    """A file as text; of a ZIP container all of its parts."""
    if not data.startswith(b"PK"):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return "".join(file.read(name).decode("utf-8", "replace") for name in file.namelist())


def test_text_formats_load_no_heavy_module() -> None:
    code = (
        "import sys; from shizi.export import export; from shizi.types import Document\n"
        "for name in ('text', 'json', 'md', 'csv', 'hocr', 'alto'): export(Document(()), name)\n"
        "heavy = ('numpy', 'PIL', 'pypdfium2', 'cv2', 'docx', 'lxml', 'xlsxwriter', 'shizi.imaging')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
