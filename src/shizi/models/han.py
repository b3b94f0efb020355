"""Simplified and traditional Chinese: which characters belong to one of the two scripts alone, and what they are in the other.

Traditional is here what Big5 has and GB 2312 has not, simplified the other way round: the characters that everyday text of either is
written with. The pairs are Unihan's (`scripts/han_forms.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Script = Literal["simplified", "traditional"]


class Form(NamedTuple):
    """A character that is written in one script alone.

    Attributes:
        script: which.
        other: its form in the other script; None where there are several, or where it serves in its own as another character.
    """

    script: Script
    other: str | None


@lru_cache(1)
def forms() -> Mapping[str, Form]:
    """The characters that belong to one script."""
    table = resources.files("shizi.models").joinpath("han_forms.txt").read_text("utf-8")
    pairs = [(pair[0], pair[1]) for row in table.splitlines() if not row.startswith("#") for pair in row.split()]
    found = {traditional: Form("traditional", simplified) for traditional, simplified in pairs}
    shared = Counter(simplified for _, simplified in pairs)
    for traditional, simplified in pairs:
        if not simplified.encode("big5", "ignore"):
            found[simplified] = Form("simplified", traditional if shared[simplified] == 1 else None)
    return MappingProxyType(found)


def other_classes(characters: Sequence[str]) -> NDArray[np.intp]:
    """For each class of a recogniser the class of its character's form in the other script, or itself where there is none: (C,)."""
    classes = {character: index for index, character in enumerate(characters)}
    found = np.arange(len(characters), dtype=np.intp)
    for character, form in forms().items():
        if character in classes and form.other in classes:
            found[classes[character]] = classes[form.other]
    return found
