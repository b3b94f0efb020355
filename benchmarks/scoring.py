"""The two text scores of the benchmarks: bigram F1 and word F1 over multisets, so that segmentation and order do not matter."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"[a-z0-9]+")


def bigrams(lines: Iterable[str]) -> Counter[str]:
    """Character bigrams inside each line (a line of one character counts itself): NFKC, no white space, lower case."""
    counts: Counter[str] = Counter()
    for line in lines:
        text = _SPACE.sub("", unicodedata.normalize("NFKC", line)).lower()
        counts.update([text] if len(text) == 1 else [text[i : i + 2] for i in range(len(text) - 1)])
    return counts


def words(lines: Iterable[str]) -> Counter[str]:
    """Tokens [a-z0-9]+ after NFKC and lower case."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(_TOKEN.findall(unicodedata.normalize("NFKC", line).lower()))
    return counts


@dataclass(slots=True)
class F1:
    """Micro-averaged over a set."""

    hits: int = 0
    expected: int = 0
    found: int = 0

    def add(self, expected: Counter[str], found: Counter[str]) -> None:
        """Counts one image."""
        self.hits += (expected & found).total()
        self.expected += expected.total()
        self.found += found.total()

    @property
    def value(self) -> float:
        """2PR / (P + R)."""
        return 2 * self.hits / max(1, self.expected + self.found)


@dataclass(slots=True)
class Score:
    """Both scores of one engine on one set."""

    bigram: F1 = field(default_factory=F1)
    word: F1 = field(default_factory=F1)

    def add(self, expected: list[str], found: list[str]) -> None:
        """Counts one image."""
        self.bigram.add(bigrams(expected), bigrams(found))
        self.word.add(words(expected), words(found))
