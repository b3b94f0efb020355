r"""A JSON object (RFC 8259) with a document as base64 (RFC 4648, section 4), taken apart while it comes.

The object is flat: `{"image_base64": "…", "min_score": 0.5}`. The document's text is decoded in pieces, so that only the
other values, which are small, are ever held whole. `data:image/png;base64,…` and escapes such as `\/` are understood.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Final

from shizi.errors import ImageTooLarge
from shizi.serving.refusals import BadRequest

NAME: Final = "image_base64"
_SPACE: Final = b" \t\r\n"
# What a look-ahead has found is not tried another way; possessive groups, made for that, do not work in Python 3.11.2.
_STRING: Final = re.compile(rb'"(?=((?:[^"\\]+|\\.)*))\1"', re.DOTALL)
_LITERAL: Final = re.compile(rb"[^\s,}]+(?=[\s,}])")
_IMAGE_TEXT: Final = re.compile(rb"""(?:[^"\\]+|\\(?:u[0-9a-fA-F]{4}|[^u]))*""", re.DOTALL)
_LONGEST_PREFIX: Final = 256  # of a data URL, up to its comma
_LONGEST_ESCAPE: Final = 6  # characters: \u002f


class Base64Object:
    """The object's key `image_base64` is the document, the rest are small values.

    Args:
        max_keys: keys in all.
        max_value_bytes: of a key, or of a value beside the document.
    """

    def __init__(self, max_keys: int, max_value_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self._max_keys, self._max_value_bytes = max_keys, max_value_bytes
        self._keys: set[str] = set()
        self._key = ""
        self._rest = b""
        self._image = _Base64()
        self._out = bytearray()
        # Takes from what has come, and says how many bytes it took; without a byte or a next state it waits for more.
        self._state: Callable[[bytes], int] = self._open

    def feed(self, data: bytes) -> bytes:
        """Bytes of the document that became known.

        Raises:
            BadRequest: no JSON object of this kind; the message says what is wrong with it.
            ImageTooLarge: too many keys, or a value that is too long.
        """
        rest = self._rest + data
        while True:
            blank = len(rest) - len(rest.lstrip(_SPACE)) if self._state != self._image_text else 0
            rest = rest[blank:]
            before = self._state
            taken = self._state(rest) if rest else 0
            rest = rest[taken:]
            if not taken and self._state == before:
                break
        self._rest = rest
        out, self._out = bytes(self._out), bytearray()
        return out

    def finish(self) -> None:
        """The body is over.

        Raises:
            BadRequest: before the object was, or without a document.
        """
        if self._state != self._end:
            raise BadRequest("the body breaks off before the end of its JSON object; send it whole")
        if NAME not in self._keys:
            raise BadRequest(f"the JSON object has no {NAME!r} with the document")

    def _open(self, data: bytes) -> int:
        return self._expect(data, b"{", self._first)

    def _first(self, data: bytes) -> int:
        if data[:1] == b"}":
            return self._expect(data, b"}", self._end)
        self._state = self._name
        return 0

    def _name(self, data: bytes) -> int:
        if data[:1] != b'"':
            raise BadRequest("the body is no JSON object: a key in quotation marks is missing")
        end = self._end_of(_STRING, data)
        if not end:
            return 0
        self._key = str(_loaded(data[:end]))
        if self._key in self._keys:
            raise BadRequest(f"the JSON object has {self._key[:80]!r} twice; send it once")
        self._keys.add(self._key)
        if len(self._keys) > self._max_keys:
            raise ImageTooLarge(f"the JSON object has more than {self._max_keys} keys (max_parts); send fewer")
        self._state = self._colon
        return end

    def _colon(self, data: bytes) -> int:
        return self._expect(data, b":", self._image_start if self._key == NAME else self._value)

    def _value(self, data: bytes) -> int:
        if data[:1] in (b"[", b"{"):
            raise BadRequest(
                f"{self._key[:80]}: text, a number, true or false is expected, here is a list or an object"
            )
        end = self._end_of(_STRING if data[:1] == b'"' else _LITERAL, data)
        if not end:
            return 0
        value = _loaded(data[:end])
        if value is not None:  # null stands for the default, as if the key was not there
            self.fields[self._key] = value if isinstance(value, str) else json.dumps(value)
        self._state = self._comma
        return end

    def _comma(self, data: bytes) -> int:
        closed = data[:1] == b"}"
        return self._expect(data, b"}" if closed else b",", self._end if closed else self._name)

    def _end(self, data: bytes) -> int:  # noqa: ARG002 (called with what is there, which is already too much)
        raise BadRequest("something stands after the end of the JSON object")

    def _image_start(self, data: bytes) -> int:
        return self._expect(data, b'"', self._image_text)

    def _image_text(self, data: bytes) -> int:
        match = _IMAGE_TEXT.match(data)
        end = match.end() if match else 0
        if not end and data[:1] != b'"':
            if len(data) < _LONGEST_ESCAPE:
                return 0
            raise BadRequest(f"{NAME}: an escape in it is none of JSON")
        text = data[:end]
        if b"\\" in text:
            text = str(_loaded(b'"' + text + b'"')).encode("ascii", "replace")
        self._out += self._image.feed(text)
        if data[end : end + 1] != b'"':
            return end
        self._out += self._image.finish()
        self._state = self._comma
        return end + 1

    def _expect(self, data: bytes, token: bytes, state: Callable[[bytes], int]) -> int:
        if data[:1] != token:
            raise BadRequest(f'the body is no JSON object of the form {{"{NAME}": "…"}}: {token.decode()} is expected')
        self._state = state
        return 1

    def _end_of(self, pattern: re.Pattern[bytes], data: bytes) -> int:
        """Length of the key or value that begins here; 0 where it is not whole yet."""
        match = pattern.match(data)
        if (match.end() if match else len(data)) > self._max_value_bytes:
            raise ImageTooLarge(
                f"a key or value of the JSON object has more than {self._max_value_bytes} bytes (max_field_bytes)"
            )
        return match.end() if match else 0


def _loaded(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequest("the body is no JSON object: a key or value in it is no JSON") from None
    return value


class _Base64:
    """Text to bytes, four characters at a time."""

    def __init__(self) -> None:
        self._waiting = b""
        self._padded = False
        self._prefix: bytes | None = b""

    def feed(self, text: bytes) -> bytes:
        if self._prefix is not None:
            text = self._without_prefix(self._prefix + text)
        text = self._waiting + text.translate(None, _SPACE)
        whole = len(text) // 4 * 4
        self._waiting = text[whole:]
        return self._decoded(text[:whole])

    def finish(self) -> bytes:
        text, self._prefix = self._prefix or b"", None
        last = self.feed(text)
        if self._waiting:
            raise BadRequest(f"{NAME}: the base64 has {len(self._waiting)} characters too many, or breaks off")
        return last

    def _without_prefix(self, text: bytes) -> bytes:
        """What follows a `data:` URL's comma; empty while it cannot be told."""
        if not b"data:".startswith(text[:5]):
            self._prefix = None
            return text
        comma = text.find(b",")
        if comma >= 0:
            self._prefix = None
            return text[comma + 1 :]
        if len(text) > _LONGEST_PREFIX:
            raise BadRequest(f"{NAME}: a data URL without a comma in its first {_LONGEST_PREFIX} characters")
        self._prefix = text
        return b""

    def _decoded(self, text: bytes) -> bytes:
        if not text:
            return b""
        if self._padded:
            raise BadRequest(f"{NAME}: this is no base64: something stands after its padding")
        self._padded = text.endswith(b"=")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadRequest(f"{NAME}: this is no base64 (RFC 4648, with + and /): {error}") from None
