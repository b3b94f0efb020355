"""`multipart/form-data` (RFC 7578), taken apart while it comes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shizi.errors import ImageTooLarge
from shizi.serving.refusals import BadRequest

_MOST_HEADERS: Final = 8
_LONGEST_BOUNDARY: Final = 70  # RFC 2046, section 5.1.1


class Form:
    """One field is the document, or several of that name are, or fields of several names; the rest are small values.

    Args:
        content_type: of the request, with the boundary.
        name: of the field that holds the document.
        max_parts: fields in all.
        max_field_bytes: of a value beside the document.
        max_header_bytes: of one header line of a part.
        max_files: documents; one that is too many is refused as a field that came twice, where there may be only one.
        others: names of further fields that are taken as documents are, each of which may come once.

    Raises:
        BadRequest: no usable boundary.
    """

    def __init__(
        self,
        content_type: str,
        name: str,
        max_parts: int,
        max_field_bytes: int,
        max_header_bytes: int,
        max_files: int = 1,
        others: Collection[str] = (),
    ) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 1 <= len(boundary) <= _LONGEST_BOUNDARY:
            raise BadRequest(f"the form's Content-Type has no boundary of 1 to {_LONGEST_BOUNDARY} characters")
        self.fields: dict[str, str] = {}
        self.names: list[str] = []
        """What the sender calls its documents, in their order; never more than a label."""
        self.sources: list[str] = []
        """The fields that they stood in, in the same order."""
        self._name, self._large = name, frozenset((name, *others))
        self._max_parts, self._max_field_bytes, self._max_files = max_parts, max_field_bytes, max_files
        self._parts = 0
        self._ended = False
        self._out: list[tuple[int, bytes]] = []
        self._field = ""
        self._value = bytearray()
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=max_header_bytes,
        )

    def feed(self, data: bytes) -> bytes:
        """Bytes of the document that became known.

        Raises:
            BadRequest: no form, or a field twice.
            ImageTooLarge: too many parts, or a value that is too long.
        """
        return b"".join(piece for _, piece in self.feed_pieces(data))

    def feed_pieces(self, data: bytes) -> list[tuple[int, bytes]]:
        """The same where there may be several documents: each piece with the number of its document, counted from 0.

        Raises:
            BadRequest: as above.
            ImageTooLarge: as above, or too many documents.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequest(f"the body is no form with the boundary of its Content-Type: {error}") from error
        out, self._out = self._out, []
        return out

    def finish(self) -> None:
        """The body is over.

        Raises:
            BadRequest: before the form was, or without a document.
        """
        if not self._ended:
            raise BadRequest("the form breaks off before its last boundary; send it whole")
        if self._name not in self.sources:
            raise BadRequest(f"the form has no field {self._name!r} with the document; send it as a file")

    def _on_part(self) -> None:
        self._parts += 1
        if self._parts > self._max_parts:
            raise ImageTooLarge(f"the form has more than {self._max_parts} parts (max_parts); send fewer")
        self._disposition = b""

    def _on_header(self) -> None:
        name, value = (bytes(part) for part in self._header)
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = (bytearray(), bytearray())

    def _on_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        name = options.get(b"name")
        if kind != b"form-data" or name is None:
            raise BadRequest("a part of the form has no Content-Disposition with a name")
        self._field = name.decode("utf-8", "replace")
        if self._field in self._large:
            self._begin_document(options.get(b"filename", b""))
        elif self._field in self.fields:
            raise self._twice()

    def _begin_document(self, name: bytes) -> None:
        count = self.sources.count(self._field)
        if count and (self._max_files == 1 or self._field != self._name):
            raise self._twice()
        if count == self._max_files:
            raise ImageTooLarge(
                f"the form has more than {self._max_files} documents (max_files); send several requests"
            )
        self.names.append(name.decode("utf-8", "replace"))
        self.sources.append(self._field)

    def _twice(self) -> BadRequest:
        return BadRequest(f"the form has the field {self._field[:80]!r} twice; send it once")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._field in self._large:
            self._out.append((len(self.names) - 1, bytes(memoryview(data)[start:end])))
            return
        self._value += data[start:end]
        if len(self._value) > self._max_field_bytes:
            raise ImageTooLarge(
                f"the field {self._field[:80]!r} has more than {self._max_field_bytes} bytes (max_field_bytes)"
            )

    def _on_part_end(self) -> None:
        if self._field not in self._large:
            try:
                self.fields[self._field] = self._value.decode()
            except UnicodeDecodeError:
                raise BadRequest(f"the field {self._field[:80]!r} is not UTF-8") from None
        self._value = bytearray()

    def _on_end(self) -> None:
        self._ended = True
