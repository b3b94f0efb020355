"""The table of simplified and traditional characters is what the script makes of Unihan's lines."""

from __future__ import annotations

from scripts.han_forms import HEAD, TARGET, pairs, table

LINES = [
    "# Unihan_Variants.txt",
    "# Unicode version: 16.0.0",
    "# © 2024 Unicode®, Inc.",
    "# For terms of use, see https://example.org/",
    "#\tkSimplifiedVariant",
    "",
    "U+9EC3\tkSimplifiedVariant\tU+9EC4",  # 黃 → 黄
    "U+9EC4\tkTraditionalVariant\tU+9EC3 U+9EC4",
    "U+88E1\tkSimplifiedVariant\tU+88E1 U+91CC",  # 裡: itself, or 里
    "U+5F37\tkSimplifiedVariant\tU+5F3A",  # 強 → 强
    "U+4E9E\tkSemanticVariant\tU+4E9C<kMatthews",
    "U+346F\tkSimplifiedVariant\tU+3454",  # rare
]


def test_what_has_one_simplified_form_is_taken() -> None:
    assert list(pairs(LINES)) == ["黃黄", "強强"]
    assert table(LINES) == "\n".join((*HEAD, *LINES[1:4], "強强 黃黄")) + "\n"


def test_the_file_is_of_the_same_form() -> None:
    rows = TARGET.read_text("utf-8").splitlines()
    assert tuple(rows[: len(HEAD)]) == HEAD
    notices = rows[len(HEAD) : len(HEAD) + 3]
    assert [notice[:2] for notice in notices] == ["# "] * 3
    assert "©" in notices[1]
    found = [pair for row in rows[len(HEAD) + 3 :] for pair in row.split(" ")]
    assert len(found) > 2000
    assert found == sorted(set(found))
    assert all(len(pair) == 2 for pair in found)
