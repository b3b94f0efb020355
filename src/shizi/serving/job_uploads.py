"""The documents of a job, taken piece by piece into one unnamed file, however many they are."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from shizi.errors import ImageTooLarge
from shizi.imaging.limits import MIB
from shizi.serving.form import Form
from shizi.serving.refusals import UploadTooSlow, WrongMediaType
from shizi.serving.uploads import Body, UploadLimits

_FLUSH: Final = 256 * 1024  # bytes kept in memory before they are written
_PIECES: Final = 1024  # however small they are
_LONGEST_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class JobUploadLimits:
    """Bounds of one order, beside those of an upload of one document.

    Attributes:
        max_files: documents.
        max_job_bytes: of all of them.
    """

    max_files: int
    max_job_bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """One document.

    Attributes:
        name: what its sender calls it; None where it says nothing.
        start: of its bytes in the file.
        size: bytes.
        sha256: of them, hexadecimal.
    """

    name: str | None
    start: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Spooled:
    """The documents and the values that came with them; the file is gone when this is closed."""

    file: BinaryIO
    parts: Sequence[Part]
    fields: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes of all documents."""
        return sum(part.size for part in self.parts)

    def documents(self) -> Iterator[tuple[str | None, BinaryIO]]:
        """Each document with its name, in order."""
        for part in self.parts:
            yield part.name, cast(BinaryIO, _Slice(self.file.fileno(), part.start, part.size))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


async def receive_documents(
    body: Body, limits: UploadLimits, job_limits: JobUploadLimits, threads: Executor
) -> Spooled:
    """Takes the documents, each a field `file`, out of a form.

    The time allowed grows with what has come, so that large orders need not be quick and none can be endless.

    Raises:
        ImageTooLarge: over a limit; by the length that the request announces before a byte of it is taken.
        InvalidRequest: no form, a value twice, no document.
        UnsupportedFormat: another media type.
        UploadTooSlow: slower than a document alone would have to be.
    """
    form = _form(body.headers.get("content-type", ""), limits, job_limits)
    _check_length(body.headers.get("content-length"), limits, job_limits)
    spool = _Spool(limits, job_limits, threads)
    loop = asyncio.get_running_loop()
    begin = loop.time() + limits.timeout_s
    try:
        async with asyncio.timeout_at(begin) as allowed:
            async for chunk in body.stream():
                await spool.add(form.feed_pieces(chunk), len(chunk))
                allowed.reschedule(begin + spool.taken * limits.timeout_s / limits.max_bytes)
            form.finish()
            return await spool.finish(form.names, form.fields)
    except TimeoutError:
        spool.close()
        least = limits.max_bytes / limits.timeout_s / 1024
        raise UploadTooSlow(
            f"the upload is slower than {least:.0f} KiB a second after {limits.timeout_s:g} s (upload_timeout_s): send it "
            "faster, or order several jobs"
        ) from None
    except BaseException:
        spool.close()
        raise


def _form(content_type: str, limits: UploadLimits, job_limits: JobUploadLimits) -> Form:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise WrongMediaType(
            f"the request's Content-Type is {media_type[:80]!r}; send multipart/form-data with each document as a 'file'"
        )
    parts = limits.max_parts + job_limits.max_files
    return Form(content_type, "file", parts, limits.max_field_bytes, limits.max_header_bytes, job_limits.max_files)


def _around(limits: UploadLimits, files: int) -> int:
    """Bytes that a body may have beside so many documents."""
    return limits.around + files * 8 * limits.max_header_bytes


def _check_length(announced: str | None, limits: UploadLimits, job_limits: JobUploadLimits) -> None:
    if announced is None or not announced.isascii() or not announced.isdecimal():
        return  # chunked: counted while it comes
    if int(announced) > job_limits.max_job_bytes + _around(limits, job_limits.max_files):
        raise _too_large(job_limits)


def _too_large(job_limits: JobUploadLimits) -> ImageTooLarge:
    return ImageTooLarge(
        f"the documents have more than {job_limits.max_job_bytes / MIB:.1f} MiB, the limit (max_job_bytes): order several jobs"
    )


class _Slice(io.RawIOBase):
    """A part of a file, read by itself; several may be read at the same time."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._descriptor, self._at, self._end = descriptor, start, start + size

    def readable(self) -> bool:
        """As files say it."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fewer bytes than the buffer holds only at the end."""
        data = os.pread(self._descriptor, min(len(buffer), self._end - self._at), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Spool:
    """The file that all documents go to; written and hashed by threads, a quarter of a megabyte at a time."""

    def __init__(self, limits: UploadLimits, job_limits: JobUploadLimits, threads: Executor) -> None:
        self._limits, self._job_limits, self._threads = limits, job_limits, threads
        self._waiting: list[tuple[int, bytes]] = []
        self._held = self._beside = self._size = 0
        self.taken = 0
        """Bytes of the request so far."""
        self._sizes: list[int] = []
        self._hashes: list[hashlib._Hash] = []
        self._file: BinaryIO | None = None

    async def add(self, pieces: Sequence[tuple[int, bytes]], taken: int) -> None:
        """Pieces of documents, out of so many bytes that were taken from the request."""
        self.taken += taken
        self._beside += taken
        for number, data in pieces:
            self._count(number, len(data))
            self._waiting.append((number, data))
            self._held += len(data)
        if self._beside > _around(self._limits, len(self._sizes) + 1):
            raise ImageTooLarge("the form has more beside its documents than the server takes; send less")
        if self._held >= _FLUSH or len(self._waiting) > _PIECES:
            await self._flush()

    async def finish(self, names: Sequence[str], fields: Mapping[str, str]) -> Spooled:
        """All documents; those without a byte too."""
        for number in range(len(names)):
            self._count(number, 0)
        await self._flush()
        starts = [sum(self._sizes[:number]) for number in range(len(names))]
        hexadecimal = [self._hashes[number].hexdigest() for number in range(len(names))]
        parts = [
            Part(_label(name), start, size, sha256)
            for name, start, size, sha256 in zip(names, starts, self._sizes, hexadecimal, strict=True)
        ]
        file, self._file = cast(BinaryIO, self._file), None
        return Spooled(file, parts, fields)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _count(self, number: int, size: int) -> None:
        while len(self._sizes) <= number:
            self._sizes.append(0)
            self._hashes.append(hashlib.sha256())
        self._sizes[number] += size
        self._size += size
        self._beside -= size
        if self._sizes[number] > self._limits.max_bytes:
            raise ImageTooLarge(
                f"document {number + 1} has more than {self._limits.max_bytes / MIB:.1f} MiB, the limit (max_bytes): split it"
            )
        if self._size > self._job_limits.max_job_bytes:
            raise _too_large(self._job_limits)

    async def _flush(self) -> None:
        pieces, self._waiting, self._held = self._waiting, [], 0
        writing = asyncio.get_running_loop().run_in_executor(self._threads, self._write, pieces)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # nobody closes a file that is being written
            raise

    def _write(self, pieces: Sequence[tuple[int, bytes]]) -> None:
        if self._file is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="shizi-"))  # noqa: SIM115
        for number, data in pieces:
            self._file.write(data)
            self._hashes[number].update(data)
        self._file.flush()


def _label(name: str) -> str | None:
    """The last part of a path, without what does not print: for people to know the document by, and for nothing else."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:_LONGEST_NAME] or None
