"""What to read: files, folders, globs and standard input become one ordered list without duplicates."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

# Names decide, with the first bytes, only which files of a *folder* are taken; whether a file can be read is decided by
# its bytes alone.
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".pdf"})
MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"%PDF-")
STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read.

    Attributes:
        name: as it is shown to people and written to reports.
        path: None for standard input.
        relative: name below `--output-dir`, before the extension of the output is added.
    """

    name: str
    path: Path | None
    relative: PurePath


def expand(arguments: Sequence[str], recursive: bool, outside: Path | None = None) -> tuple[Input, ...]:
    """The inputs that the arguments name, in their order; a folder's and a glob's in natural order (2 before 10).

    A path that does not exist stays in the list, so that it costs one file of a batch and not the batch. Of a folder,
    files with the suffix or the first bytes of an accepted format are taken, hidden ones are not. The same file counts
    once.

    Args:
        arguments: paths, globs (used where no such file exists) or `-`.
        recursive: go down into the folders below a folder.
        outside: a folder whose files are not taken from folders (outputs of an earlier run).
    """
    found: dict[Path | None, Input] = {}
    for argument in arguments:
        for item in _of(argument, recursive, _real(outside) if outside else None):
            found.setdefault(_real(item.path) if item.path else None, item)
    return tuple(found.values())


def _of(argument: str, recursive: bool, outside: Path | None) -> Iterator[Input]:
    if argument == STDIN:
        yield Input(STDIN, None, PurePath("stdin"))
        return
    path = Path(argument)
    if path.is_dir():
        yield from _in_folder(path, path, recursive, outside)
        return
    if os.path.lexists(path) or not glob.has_magic(argument):
        yield Input(argument, path, PurePath(path.name))
        return
    base = _fixed_part(argument)
    matches = sorted((Path(match) for match in glob.iglob(argument, recursive=True)), key=_natural)  # noqa: PTH207 (absolute patterns)
    if not matches:
        yield Input(argument, path, PurePath(path.name))
    for match in matches:
        if match.is_dir():
            if not argument.endswith("**"):
                yield from _in_folder(match, base, recursive, outside)
        else:
            yield Input(str(match), match, _below(match, base))


def _real(path: Path) -> Path:
    """The path without links and `..`; links in a circle, at which `Path.resolve` raises, stay as they are."""
    return Path(os.path.realpath(path))


def _below(match: Path, base: Path) -> PurePath:
    """Where the output of a glob's match lies below the output folder: never outside of it, whatever `..` a pattern holds."""
    relative = match.relative_to(base)
    return PurePath(relative.name) if ".." in relative.parts else relative


def _in_folder(folder: Path, base: Path, recursive: bool, outside: Path | None) -> Iterator[Input]:
    if outside is not None and _real(folder).is_relative_to(outside):
        return
    try:
        entries = sorted(folder.iterdir(), key=_natural)
    except OSError:
        yield Input(str(folder), folder, folder.relative_to(base))  # fails by itself when it is read, as one file would
        return
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_file() and _looks_readable(entry):
            yield Input(str(entry), entry, entry.relative_to(base))
    if recursive:
        for entry in entries:
            # links to folders are not followed: they may lead in circles
            if not entry.name.startswith(".") and entry.is_dir() and not entry.is_symlink():
                yield from _in_folder(entry, base, recursive, outside)


def _looks_readable(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return head.startswith(MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _fixed_part(pattern: str) -> Path:
    parts: Iterable[str] = Path(pattern).parts
    fixed: list[str] = []
    for part in parts:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def _natural(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(piece), "") if index % 2 else (1, 0, piece) for index, piece in enumerate(pieces)]
