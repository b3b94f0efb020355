"""A font without a single visible stroke: it only carries widths and, by its ToUnicode map, the characters.

It has two glyphs that enclose nothing, half an em and an em wide, so that within a word Chinese characters take twice
the room of Latin letters. Characters get consecutive codes: that works for all of Unicode, also beyond the BMP. Tables
after the OpenType specification; the map after ISO 32000-1, section 9.10.3, and Adobe technical note 5411.
"""

from __future__ import annotations

import itertools
import struct
import unicodedata
from collections.abc import Iterable

from shizi.errors import InvalidRequest
from shizi.export.pdf.writer import PdfFile

UNITS = 1000
ASCENT = 800
DESCENT = -200
NARROW = 500
WIDE = 1000
MOST_CHARACTERS = 65_000  # codes are two bytes

_NARROW_GLYPH = 1
_WIDE_GLYPH = 2
_FLAGS = 4  # symbolic: the font has no standard Latin encoding


class Charset:
    """The characters that a text uses, their codes and their widths; immutable after it is made.

    Args:
        texts: whatever will be encoded.

    Raises:
        InvalidRequest: more different characters than two-byte codes can name.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        characters = {character for text in texts for character in text} | {" "}
        if len(characters) > MOST_CHARACTERS:
            raise InvalidRequest(
                f"a page has {len(characters)} different characters, a PDF font here can name {MOST_CHARACTERS}; "
                "export fewer pages or another format"
            )
        # Narrow ones first, so that the widths are one range.
        self.characters = sorted(characters, key=lambda character: (_is_wide(character), character))
        self._codes = {character: code for code, character in enumerate(self.characters, start=1)}
        self.first_wide = 1 + sum(not _is_wide(character) for character in self.characters)

    def encode(self, text: str) -> str:
        """The text as a hexadecimal PDF string."""
        return "<" + "".join(f"{self._codes[character]:04X}" for character in text) + ">"

    def width(self, text: str) -> float:
        """Width of the text in ems, before any scaling."""
        return sum(WIDE if _is_wide(character) else NARROW for character in text) / UNITS


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def add_font(file: PdfFile, charset: Charset, font_file: int) -> int:
    """Add the font of a charset to a file; `font_file` is the stream of `glyphless()`, which fonts may share."""
    last = len(charset.characters)
    descriptor = file.add(
        f"<< /Type /FontDescriptor /FontName /Shizi-Glyphless /Flags {_FLAGS} /ItalicAngle 0 /StemV 80 "
        f"/FontBBox [0 {DESCENT} {WIDE} {ASCENT}] /Ascent {ASCENT} /Descent {DESCENT} /CapHeight {ASCENT} "
        f"/FontFile2 {font_file} 0 R >>"
    )
    glyphs = [0] + [_NARROW_GLYPH] * (charset.first_wide - 1) + [_WIDE_GLYPH] * (last + 1 - charset.first_wide)
    glyph_map = file.stream("", struct.pack(f">{len(glyphs)}H", *glyphs))
    widths = f"/W [{charset.first_wide} {last} {WIDE}]" if charset.first_wide <= last else ""
    descendant = file.add(
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Shizi-Glyphless "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {descriptor} 0 R /DW {NARROW} {widths} /CIDToGIDMap {glyph_map} 0 R >>"
    )
    to_unicode = file.stream("", _to_unicode(charset.characters))
    return file.add(
        "<< /Type /Font /Subtype /Type0 /BaseFont /Shizi-Glyphless /Encoding /Identity-H "
        f"/DescendantFonts [{descendant} 0 R] /ToUnicode {to_unicode} 0 R >>"
    )


def _to_unicode(characters: list[str]) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        "<0000> <FFFF>",
        "endcodespacerange",
    ]
    step = 100  # the most entries that one section may have
    for start in range(0, len(characters), step):
        section = characters[start : start + step]
        lines.append(f"{len(section)} beginbfchar")
        lines += [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for code, character in enumerate(section, start=start + 1)
        ]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")


def glyphless() -> bytes:
    """A TrueType file of three glyphs without strokes: .notdef, narrow and wide."""
    advances = (NARROW, NARROW, WIDE)
    outlines = [_diagonal(advance) for advance in advances]
    offsets = [0, *itertools.accumulate(len(outline) for outline in outlines)]
    head = struct.pack(
        ">IIIIHHQQhhhhHHhhh",
        0x00010000, 0x00010000, 0, 0x5F0F3CF5, 0x000B, UNITS, 0, 0, 0, DESCENT, WIDE, ASCENT, 0, 8, 2, 0, 0,
    )  # fmt: skip
    hhea = struct.pack(
        ">IhhhHhhhhhhhhhhhH", 0x00010000, ASCENT, DESCENT, 0, WIDE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, len(advances)
    )
    maxp = struct.pack(">I14H", 0x00010000, len(advances), 2, 1, 0, 0, 2, *bytes(8))
    tables = {
        b"glyf": b"".join(outlines),
        b"head": head,
        b"hhea": hhea,
        b"hmtx": b"".join(struct.pack(">Hh", advance, 0) for advance in advances),
        b"loca": struct.pack(f">{len(offsets)}H", *(offset // 2 for offset in offsets)),
        b"maxp": maxp,
        b"post": struct.pack(">IIhhIIIII", 0x00030000, 0, -100, 50, 0, 0, 0, 0, 0),
    }
    return _font_file(tables)


def _diagonal(advance: int) -> bytes:
    """A glyph whose outline goes along a line and back: it encloses nothing, but its bounding box is the whole em box.

    Readers such as pdfium take the place of a character from the box of its glyph, and lose characters without one.
    """
    on_curve = 0x01
    header = struct.pack(">hhhhh", 1, 0, DESCENT, advance, ASCENT)
    ends = struct.pack(">HH", 1, 0)  # the last point of the only contour; no instructions
    points = struct.pack(">BBhhhh", on_curve, on_curve, 0, advance, DESCENT, ASCENT - DESCENT)
    return header + ends + points


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    power = len(tables).bit_length() - 1
    search = 16 << power
    directory = struct.pack(">IHHHH", 0x00010000, len(tables), search, power, 16 * len(tables) - search)
    body = b""
    start = len(directory) + 16 * len(tables)
    for tag, data in tables.items():
        padded = data + bytes(-len(data) % 4)
        directory += struct.pack(">4sIII", tag, _checksum(padded), start + len(body), len(data))
        body += padded
    font = directory + body
    adjustment = (0xB1B0AFBA - _checksum(font)) & 0xFFFFFFFF
    position = font.index(tables[b"head"]) + 8
    return font[:position] + struct.pack(">I", adjustment) + font[position + 4 :]


def _checksum(data: bytes) -> int:
    return int(sum(struct.unpack(f">{len(data) // 4}I", data))) & 0xFFFFFFFF
