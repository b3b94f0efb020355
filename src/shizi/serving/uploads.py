"""What a client sends, taken piece by piece into an unnamed file; nothing whole is ever held in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self, cast

from shizi.errors import ImageTooLarge
from shizi.imaging.limits import MIB
from shizi.serving.base64_json import Base64Object
from shizi.serving.form import Form
from shizi.serving.refusals import UploadTooSlow, WrongMediaType

_FLUSH: Final = 256 * 1024  # bytes kept in memory before they are written
_BASE64: Final = (4, 3)
_ENVELOPE: Final = 4096  # bytes around the values: braces, keys, boundaries


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bounds of one upload.

    Attributes:
        max_bytes: bytes of the document itself, after base64 was undone.
        max_parts: parts of a form, or keys of a JSON object.
        max_field_bytes: bytes of one value beside the document.
        max_header_bytes: bytes of one header line of a form's part; a part has at most eight.
        timeout_s: seconds from the first to the last byte of the body.
    """

    max_bytes: int = 200 * MIB
    max_parts: int = 24
    max_field_bytes: int = 8192
    max_header_bytes: int = 2048
    timeout_s: float = 120.0

    @property
    def around(self) -> int:
        """Bytes that a body may have beside its document."""
        return self.max_parts * (self.max_field_bytes + 8 * self.max_header_bytes) + _ENVELOPE


@dataclass(frozen=True, slots=True)
class Upload:
    """A document that was received.

    Attributes:
        file: unnamed, at its beginning; gone when it is closed.
        size: bytes.
        sha256: of the bytes, hexadecimal.
    """

    file: BinaryIO
    size: int
    sha256: str

    def again(self) -> Upload:
        """The same document, open once more, at its beginning; it stays when this one is closed."""
        copy = os.fdopen(os.dup(self.file.fileno()), "rb")
        copy.seek(0)
        return Upload(copy, self.size, self.sha256)

    def close(self) -> None:
        """Frees the file."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Received:
    """An upload and the values that came with it, by name; every value is text as it stood there."""

    upload: Upload
    fields: Mapping[str, str]


class Body(Protocol):
    """A request, as far as it is read here."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, without regard to case."""
        ...

    def stream(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        ...


class Parser(Protocol):
    """A body's form: takes bytes, gives those of the document, keeps the other values."""

    fields: dict[str, str]

    def feed(self, data: bytes) -> bytes:
        """Bytes of the document that became known."""
        ...

    def finish(self) -> None:
        """Raises InvalidRequest where the body ended too early or held no document."""
        ...


async def receive(body: Body, name: str, limits: UploadLimits, threads: Executor) -> Received:
    """Takes the document out of a form (`multipart/form-data`) or a JSON object (as base64).

    Args:
        body: the request.
        name: of the form's field that holds the document; in JSON it is always `image_base64`.
        limits: bounds.
        threads: write the file.

    Raises:
        ImageTooLarge: over a limit; by the length that the request announces before a byte of it is taken.
        InvalidRequest: no form or JSON, a value twice, no document.
        UnsupportedFormat: another media type.
        UploadTooSlow: it took longer than the limit.
    """
    parser = _parser(body.headers.get("content-type", ""), name, limits)
    _check_length(body.headers.get("content-length"), isinstance(parser, Base64Object), limits)
    sink = Sink(limits, threads)
    try:
        async with asyncio.timeout(limits.timeout_s):
            async for chunk in body.stream():
                await sink.add(parser.feed(chunk), len(chunk))
            parser.finish()
            return Received(await sink.finish(), parser.fields)
    except TimeoutError:
        sink.close()
        raise UploadTooSlow(
            f"the upload took longer than {limits.timeout_s:g} s: send it faster, or send a smaller file"
        ) from None
    except BaseException:
        sink.close()
        raise


def _parser(content_type: str, name: str, limits: UploadLimits) -> Parser:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return Form(content_type, name, limits.max_parts, limits.max_field_bytes, limits.max_header_bytes)
    if media_type == "application/json":
        return Base64Object(limits.max_parts, limits.max_field_bytes)
    raise WrongMediaType(
        f"the request's Content-Type is {media_type[:80]!r}; send multipart/form-data with the document as {name!r}, or "
        'application/json as {"image_base64": "…"}'
    )


def _check_length(announced: str | None, base64: bool, limits: UploadLimits) -> None:
    if announced is None or not announced.isascii() or not announced.isdecimal():
        return  # chunked: counted while it comes
    of, gives = _BASE64 if base64 else (1, 1)
    if int(announced) > limits.max_bytes * of // gives + limits.around:
        raise _too_large(limits)


def _too_large(limits: UploadLimits, name: str = "file") -> ImageTooLarge:
    if name != "file":
        return ImageTooLarge(f"the field {name!r} has more than {limits.max_bytes / MIB:.1f} MiB, its limit: send less")
    return ImageTooLarge(
        f"the file has more than {limits.max_bytes / MIB:.1f} MiB, the limit (max_bytes): split it, or ask for a job"
    )


class Sink:
    """The file that a document goes to; written and hashed by threads, a quarter of a megabyte at a time."""

    def __init__(self, limits: UploadLimits, threads: Executor, name: str = "file") -> None:
        self._limits, self._name = limits, name
        self._threads = threads
        self._waiting = bytearray()
        self._hash = hashlib.sha256()
        self._size = 0
        self._beside = 0
        self._file: BinaryIO | None = None

    async def add(self, data: bytes, taken: int) -> None:
        """Bytes of the document, out of so many that were taken from the request."""
        self._size += len(data)
        self._beside += max(0, taken - len(data) * _BASE64[0] // _BASE64[1])
        if self._size > self._limits.max_bytes or self._beside > self._limits.max_bytes // 2 + self._limits.around:
            raise _too_large(self._limits, self._name)
        self._waiting += data
        if len(self._waiting) >= _FLUSH:
            await self._flush()

    async def finish(self) -> Upload:
        """The file, at its beginning."""
        await self._flush()
        file = cast(BinaryIO, self._file)
        file.seek(0)
        self._file = None
        return Upload(file, self._size, self._hash.hexdigest())

    async def _flush(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        writing = asyncio.get_running_loop().run_in_executor(self._threads, self._write, data)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # nobody closes a file that is being written
            raise

    def _write(self, data: bytes) -> None:
        if self._file is None:
            # O_TMPFILE where the system has it, else a name that is removed at once
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="shizi-"))  # noqa: SIM115
        self._file.write(data)
        self._file.flush()
        self._hash.update(data)

    def close(self) -> None:
        """Frees the file, where nobody will have it."""
        if self._file is not None:
            self._file.close()
