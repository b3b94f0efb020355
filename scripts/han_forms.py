"""Writes `shizi/models/han_forms.txt` from Unicode's Unihan_Variants.txt (in Debian's package unicode-data).

python -m scripts.han_forms Unihan_Variants.txt[.bz2]
"""

from __future__ import annotations

import bz2
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src/shizi/models/han_forms.txt"
ROW = 16
HEAD = (
    "# Traditional characters, each with its simplified form; made by scripts/han_forms.py from",
    "# kSimplifiedVariant in Unihan_Variants.txt, for those of Big5 and GB 2312. Of that file:",
)
NOTICES = ("Unicode version", "©", "terms of use")


def pairs(variants: Iterable[str]) -> Iterator[str]:
    """A traditional character and its simplified form, from the lines of Unihan_Variants.txt.

    Of what Big5 has and GB 2312 has not; characters that are forms of themselves too, or of several others, say nothing certain.
    """
    for line in variants:
        code, name, values = (*line.rstrip("\n").split("\t"), "", "")[:3]
        if line.startswith("#") or name != "kSimplifiedVariant" or " " in values:
            continue
        traditional, simplified = _character(code), _character(values)
        if _has("big5", traditional) and not _has("gb2312", traditional) and _has("gb2312", simplified):
            yield traditional + simplified


def table(variants: Sequence[str]) -> str:
    """The file's text; Unicode's version and copyright stand in it as the source has them."""
    notices = [line for line in variants if line.startswith("#") and any(words in line for words in NOTICES)]
    found = sorted(pairs(variants))
    rows = [" ".join(found[start : start + ROW]) for start in range(0, len(found), ROW)]
    return "\n".join((*HEAD, *notices, *rows)) + "\n"


def _character(code: str) -> str:
    return chr(int(code.removeprefix("U+"), 16))


def _has(standard: str, character: str) -> bool:
    return bool(character.encode(standard, "ignore"))


if __name__ == "__main__":
    source = Path(sys.argv[1])
    data = source.read_bytes()
    TARGET.write_text(table((bz2.decompress(data) if source.suffix == ".bz2" else data).decode().splitlines()), "utf-8")
