from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.page_numbers import LARGEST, parse_pages


def test_a_list_of_numbers_and_ranges() -> None:
    assert parse_pages("1-3, 7") == {1, 2, 3, 7}


@pytest.mark.parametrize("text", ["", "0", "3-1", "1-", "-2", "a", "1,,2", "1-2-3", "²", "999999999999"])
def test_anything_else_says_which_part_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"page number or range|pages count from 1"):
        parse_pages(text)


@given(st.sets(st.integers(1, LARGEST), min_size=1, max_size=30))
def test_what_is_written_out_is_read_back(pages: set[int]) -> None:
    assert parse_pages(",".join(map(str, pages))) == pages


@given(st.text(max_size=30))
def test_any_text_gives_pages_or_a_value_error(text: str) -> None:
    try:
        pages = parse_pages(text)
    except ValueError:
        return
    assert pages
    assert min(pages) >= 1
