"""TIFF 6.0 and BigTIFF: directories, checked before the decoder sees them.

A page is handed to the decoder as a small TIFF file of its own, with the tags that its pixels need and its own
strips or tiles.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from shizi.errors import CorruptDocument, UnsupportedFormat
from shizi.imaging.headers.frame import Frame

MAX_DIRECTORIES = 100_000
MAX_ENTRIES = 4_096
MAX_SAMPLES = 16

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 273, 274, 277, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
PLANAR = 284
_ONE = frozenset(
    {WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, 266, ORIENTATION, SAMPLES, ROWS_PER_STRIP, PLANAR, 292, 293, 317}
)
_ONE |= {TILE_WIDTH, TILE_HEIGHT, 512, 513, 514, 515}
_PLAIN = frozenset(
    {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, 266, SAMPLES, ROWS_PER_STRIP, PLANAR, 292, 293, 317, 320}
)
_PLAIN |= {TILE_WIDTH, TILE_HEIGHT, 338, 339, 347, 529, 530, 531, 532}
_OLD_JPEG = frozenset({512, 513, 514, 515, 517, 518, 519, 520, 521})
_CHUNKS = frozenset({STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS})
_READ = _PLAIN | _OLD_JPEG | _CHUNKS | {ORIENTATION}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000, 50001})
_SHARED = 6  # old-style JPEG: its tables lie anywhere in the file


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    raw: bytes

    def numbers(self, order: str) -> tuple[int, ...]:
        """The values, for a tag that holds whole numbers."""
        if self.kind not in _INTEGERS:
            raise CorruptDocument(
                f"the TIFF file has values of type {self.kind} where whole numbers must stand; it is damaged"
            )
        return struct.unpack(f"{order}{self.count}{_INTEGERS[self.kind]}", self.raw)


@dataclass(frozen=True, slots=True)
class TiffDirectories:
    """The pages of a TIFF file: where each one's directory stands, and their byte order."""

    data: bytes
    order: str
    big: bool
    offsets: tuple[int, ...]


def tiff_directories(data: bytes) -> TiffDirectories:
    """Follow the chain of directories; a chain that comes back to itself ends there.

    Raises:
        CorruptDocument: the chain leaves the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    offsets: list[int] = []
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)
        while at and at not in seen and len(offsets) <= MAX_DIRECTORIES:
            (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
            offsets.append(at)
            seen.add(at)
            end = at + (8 + 20 * count if big else 2 + 12 * count)
            if count > MAX_ENTRIES:
                raise CorruptDocument(
                    f"a TIFF directory has {count} entries, more than {MAX_ENTRIES}; the file is damaged"
                )
            (at,) = struct.unpack_from(order + ("Q" if big else "L"), data, end)
    except (struct.error, OverflowError) as error:
        if not offsets:
            raise CorruptDocument(
                "the TIFF file ends before its first directory; it is truncated or damaged"
            ) from error
    if not offsets:
        raise CorruptDocument("the TIFF file has no pages")
    return TiffDirectories(data, order, big, tuple(offsets))


def tiff_frame(directories: TiffDirectories, index: int) -> Frame:
    """Header of the page with this index, counted from 0.

    Raises:
        CorruptDocument: a tag that is needed lies outside of the file or makes no sense.
        UnsupportedFormat: a compression that is not decoded.
    """
    tags = _tags(directories, directories.offsets[index])
    order = directories.order
    width, height = (_number(tags, tag, order, 0) for tag in (WIDTH, HEIGHT))
    compression = _number(tags, COMPRESSION, order, 1)
    photometric = _number(tags, PHOTOMETRIC, order, 0)
    if compression not in _COMPRESSIONS:
        raise UnsupportedFormat(
            f"TIFF compression {compression} is not decoded: save it with LZW, ZIP, JPEG or Group 4"
        )
    samples = _number(tags, SAMPLES, order, 3 if compression in (6, 7) else 1)
    bits = max(tags[BITS].numbers(order)) if BITS in tags else 1
    if not 1 <= samples <= MAX_SAMPLES or not 1 <= bits <= 64:
        raise CorruptDocument(f"the TIFF file says {samples} samples of {bits} bits per pixel; it is damaged")
    inverted = photometric == 0 and bits > 8  # the decoder does not turn these round, nor take them in every byte order
    if inverted:
        tags[PHOTOMETRIC] = _Entry(3, 1, struct.pack(order + "H", 1))
    chunk = _chunk_pixels(tags, order, width, height)
    stream = _append(directories, tags) if compression == _SHARED else _extract(directories, tags)
    stored = 1 if samples == 1 and bits <= 8 else 2 if samples == 1 and bits <= 16 else 4
    memory = (
        width * height * (3 + stored)
        + chunk * max(math.ceil(bits * samples / 8), 4 if photometric == 6 else 1)
        + 2 * len(stream)
    )
    orientation = _number(tags, ORIENTATION, order, 1)
    return Frame(
        "TIFF",
        width,
        height,
        orientation if 1 <= orientation <= 8 else 1,
        stream,
        memory,
        peak=2 ** min(bits, 16) - 1,
        inverted=inverted,
    )


def _tags(directories: TiffDirectories, at: int) -> dict[int, _Entry]:
    data, order, big = directories.data, directories.order, directories.big
    layout, step, start, inline = ("HHQ", 20, 8, 8) if big else ("HHL", 12, 2, 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    tags: dict[int, _Entry] = {}
    for index in range(count):
        entry = at + start + step * index
        try:
            tag, kind, length = struct.unpack_from(order + layout, data, entry)
            if tag not in _READ or tag in tags or kind not in _SIZES or not length:
                continue
            if tag in _ONE:
                length = 1
            place = entry + step - inline
            size = length * _SIZES[kind]
            if size > inline:
                (place,) = struct.unpack_from(order + ("Q" if big else "L"), data, place)
        except struct.error as error:
            raise CorruptDocument("a TIFF directory is cut off; the file is truncated") from error
        if place + size > len(data):
            raise CorruptDocument(f"TIFF tag {tag} points behind the end of the file; it is truncated or damaged")
        tags[tag] = _Entry(kind, length, data[place : place + size])
    return tags


def _number(tags: dict[int, _Entry], tag: int, order: str, default: int) -> int:
    return tags[tag].numbers(order)[0] if tag in tags else default


def _chunk_pixels(tags: dict[int, _Entry], order: str, width: int, height: int) -> int:
    """Pixels of one strip or tile, which the decoder unpacks as a whole."""
    if TILE_OFFSETS in tags:
        return _number(tags, TILE_WIDTH, order, width) * _number(tags, TILE_HEIGHT, order, height)
    return width * min(_number(tags, ROWS_PER_STRIP, order, height), height)


def _extract(directories: TiffDirectories, tags: dict[int, _Entry]) -> bytes:
    """A TIFF file of this page alone."""
    data, order = directories.data, directories.order
    offsets_tag, counts_tag = (TILE_OFFSETS, TILE_COUNTS) if TILE_OFFSETS in tags else (STRIP_OFFSETS, STRIP_COUNTS)
    if offsets_tag not in tags:
        raise CorruptDocument("the TIFF file has a page without image data; it is damaged")
    offsets = tags[offsets_tag].numbers(order)
    counts = (
        tags[counts_tag].numbers(order) if counts_tag in tags else tuple(len(data) - offset for offset in offsets[:1])
    )
    if len(offsets) != len(counts):
        raise CorruptDocument(f"the TIFF file has {len(offsets)} strips but {len(counts)} lengths; it is damaged")
    if sum(counts) > len(data) or any(
        count < 0 or offset + count > len(data) for offset, count in zip(offsets, counts, strict=True)
    ):
        raise CorruptDocument("the TIFF file's image data lies behind the end of the file; it is truncated")
    plain = {tag: entry for tag, entry in tags.items() if tag in _PLAIN}
    starts, at = [], 8
    for count in counts:
        starts.append(at)
        at += count
    plain[offsets_tag] = _Entry(4, len(starts), struct.pack(f"{order}{len(starts)}L", *starts))
    plain[counts_tag] = _Entry(4, len(counts), struct.pack(f"{order}{len(counts)}L", *counts))
    view = memoryview(data)
    body = b"".join([view[offset : offset + count] for offset, count in zip(offsets, counts, strict=True)])
    return _header(order, at + (at & 1)) + body + b"\0" * (at & 1) + _directory(plain, order, at + (at & 1))


def _append(directories: TiffDirectories, tags: dict[int, _Entry]) -> bytes:
    """The whole file with a directory of this page alone behind it."""
    data = directories.data + b"\0" * (len(directories.data) & 1)
    if directories.big:
        raise UnsupportedFormat(
            "BigTIFF with old-style JPEG compression is not decoded: save it with another compression"
        )
    plain = {tag: entry for tag, entry in tags.items() if tag != ORIENTATION}
    return _header(directories.order, len(data)) + data[8:] + _directory(plain, directories.order, len(data))


def _header(order: str, at: int) -> bytes:
    return struct.pack(order + "2sHL", b"II" if order == "<" else b"MM", 42, at)


def _directory(tags: dict[int, _Entry], order: str, at: int) -> bytes:
    entries, values = [], []
    free = at + 2 + 12 * len(tags) + 4
    for tag, entry in sorted(tags.items()):
        kind, raw = entry.kind, entry.raw
        if kind in (16, 18):  # BigTIFF's 64-bit numbers; what does not fit 32 bits is no pixel's business
            kind, raw = (
                4,
                struct.pack(f"{order}{entry.count}L", *(min(value, 2**32 - 1) for value in entry.numbers(order))),
            )
        if len(raw) <= 4:
            field = raw.ljust(4, b"\0")
        else:
            field = struct.pack(order + "L", free)
            values.append(raw + b"\0" * (len(raw) & 1))
            free += len(values[-1])
        entries.append(struct.pack(order + "HHL", tag, kind, entry.count) + field)
    return struct.pack(order + "H", len(tags)) + b"".join(entries) + bytes(4) + b"".join(values)
