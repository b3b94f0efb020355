"""Folders of labelled images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

LABELS = "labels.jsonl"


def find_sets(folders: Iterable[Path]) -> list[Path]:
    """The sets that folders are or hold, by name; what a folder holds must have text lines to be one.

    Raises:
        SystemExit: a folder neither is a set nor holds one.
    """
    found: list[Path] = []
    for folder in folders:
        if (folder / LABELS).is_file():
            found.append(folder)
            continue
        inside = sorted(path.parent for path in folder.glob(f"*/{LABELS}"))
        if not inside:
            raise SystemExit(f"{folder} holds no {LABELS}, and no folder in it does")
        found += inside
    return found
