"""The values that flow: their names are a contract, and nobody changes them under way."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from shizi.types import SCHEMA, Document, Line, ModelInfo, Page, Word

BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Word, "text score polygon"),
        (Line, "text score polygon angle words source vertical"),
        (Page, "number width height angle lines text tables fields quality warnings"),
        (ModelInfo, "task name version sha256"),
        (Document, "pages models timings_ms schema"),
    ],
)
def test_names_are_those_of_the_contract(kind: type, names: str) -> None:
    assert [field.name for field in dataclasses.fields(kind)] == names.split()


def test_the_text_of_a_document_is_its_pages_joined_by_form_feeds() -> None:
    pages = (Page(1, 10, 10, text="one\ntwo"), Page(2, 10, 10), Page(3, 10, 10, text="three"))
    assert Document(pages).text == "one\ntwo\f\fthree"
    assert Document(()).text == ""
    assert Document(pages).schema == SCHEMA == "shizi/1"


@pytest.mark.parametrize("value", [Word("a", 1.0, BOX), Line("a", 1.0, BOX), Page(1, 2, 3), Document(())])
def test_nothing_can_be_changed(value: object) -> None:
    name = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises((AttributeError, TypeError)):
        value.remark = "no new names either"  # type: ignore[attr-defined]


def test_equal_content_is_equal() -> None:
    assert Line("a", 0.5, BOX, words=(Word("a", 0.5, BOX),)) == Line("a", 0.5, BOX, words=(Word("a", 0.5, BOX),))
    assert Page(1, 2, 3, text="x") != Page(1, 2, 3, text="y")


def test_types_need_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, shizi.types, shizi.errors;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} - sys.stdlib_module_names - {'__main__'}))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _found(code)], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("['shizi']", "")


def _found(code: str) -> str:
    """With -S nothing of site-packages is there to be imported, shizi's sources least of all: they are named here."""
    import shizi

    return f"import sys; sys.path.insert(0, {str(next(iter(shizi.__path__)) + '/..')!r}); {code}"
