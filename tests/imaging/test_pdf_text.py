"""Characters to lines: pure geometry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shizi.imaging.pdf_text import Char, build_lines, distrust


def row(text: str, left: float = 0.0, top: float = 0.0, step: float = 10.0, angle: float = 0.0) -> list[Char]:
    return [Char(letter, angle, left + step * i, left + step * (i + 1), top, top + 20) for i, letter in enumerate(text)]


def texts(chars: list[Char]) -> list[str]:
    return [line["text"] for line in build_lines(chars)]


def test_spaces_and_line_feeds() -> None:
    assert texts([*row("ab c  d"), Char("\n"), *row("e", top=30)]) == ["ab c d", "e"]


def test_a_wide_gap_a_jump_and_a_turn_begin_a_line() -> None:
    assert texts(row("ab") + row("cd", left=80)) == ["ab", "cd"]
    assert texts(row("ab") + row("cd", left=60)) == ["abcd"]
    assert texts(row("ab") + row("cd", left=20, top=30)) == ["ab", "cd"]
    assert texts(row("ab") + row("cd", left=20, angle=90)) == ["ab", "cd"]


def test_a_superscript_stays_in_its_line() -> None:
    assert texts([*row("m"), Char("2", 0, 10, 15, -4, 6)]) == ["m2"]


def test_text_from_right_to_left_stays_in_its_line() -> None:
    assert texts([Char(letter, 0, 100 - 10 * i, 110 - 10 * i, 0, 20) for i, letter in enumerate("אבג")]) == ["אבג"]


def test_polygons_turn_with_the_text() -> None:
    (line,) = build_lines(row("ab", left=5, top=-40, angle=90))  # reads downwards; its top is on the right
    assert line["polygon"] == [[40, 5], [40, 25], [20, 25], [20, 5]]
    assert line["angle"] == 90


def test_only_letters_that_stack_make_a_column() -> None:
    column = [Char(letter, 0, 0, 20, 22 * i, 22 * i + 20) for i, letter in enumerate("上下左")]
    assert [(line["text"], line["vertical"]) for line in build_lines(column)] == [("上下左", True)]
    assert texts([Char(letter, 0, 0, 20, 22 * i, 22 * i + 20) for i, letter in enumerate("abc")]) == ["a", "b", "c"]


def test_distrust() -> None:
    good = row("a" * 100)
    assert distrust(good, "") == ""
    assert distrust([*good, *[Char("?", bad=True)] * 3], "") == ""
    assert "fonts" in distrust([*good, *[Char("?", bad=True)] * 8], "")
    assert "earlier OCR" in distrust([*good, *[Char("x", hidden=True)] * 20], "over a scan")
    assert "outside" in distrust([*good, *[Char("x", outside=True)] * 50], "")
    assert distrust([Char(" "), Char("\n")], "") == "the page has no text"


@given(
    st.lists(
        st.builds(
            Char,
            st.sampled_from(["a", "字", " ", "\n", "\ufffd"]),
            st.sampled_from([0.0, 90.0, 45.0, -30.0]),
            *(st.floats(-1e5, 1e5) for _ in range(4)),
        ),
        max_size=40,
    )
)
def test_no_letter_is_lost_or_invented(chars: list[Char]) -> None:
    lines = build_lines(chars)
    assert "".join(line["text"] for line in lines).replace(" ", "") == "".join(
        char.text for char in chars if not char.text.isspace()
    )
    for line in lines:
        assert line["text"] == " ".join(text for text, _ in line["words"])
        assert len(line["polygon"]) == 4
