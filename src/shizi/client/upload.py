"""From whatever a caller hands over to bytes on their way: read piece by piece, never whole where it is a file."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from shizi.errors import CorruptDocument, InvalidRequest, NotFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shizi.imaging.decode import Source

PIECE: Final = 256 * 1024
_QUICK: Final = 1  # of PNG's levels of compression: the rest cost more time than the bytes they save


@dataclass(frozen=True, slots=True)
class Upload:
    """A document on its way.

    Attributes:
        pieces: the bytes from their beginning, each time it is called.
        size: of them; None where only the end tells.
        again: whether `pieces` may be called a second time.
    """

    pieces: Callable[[], Iterator[bytes]]
    size: int | None
    again: bool


def upload(source: Source) -> Upload:
    """The bytes of a path, of bytes, of a binary file object from where it stands, or of pixels as a PNG, which loses nothing.

    Raises:
        NotFound: no such file.
        InvalidRequest: a directory, a file that may not be read, or something that is no source at all.
        CorruptDocument: nothing in it.
        ImageTooLarge: pixels beyond the bounds of `OCR.read`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source))
    if isinstance(source, str | os.PathLike):
        return _of_path(source)
    if _is_picture(source):
        return _of_bytes(_png(source))
    if hasattr(source, "read"):
        return _of_stream(cast(BinaryIO, source))
    raise InvalidRequest(
        f"source is a {type(source).__name__}; give a path, bytes, a binary file object, a PIL image or a numpy array"
    )


def _of_bytes(data: bytes) -> Upload:
    if not data:
        raise CorruptDocument("the file is empty (0 bytes)")

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    return Upload(pieces, len(data), again=True)


def _of_path(source: str | os.PathLike[str]) -> Upload:
    try:
        path = Path(source)
        status = path.stat()
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {os.fspath(source)!r}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL inside of the name
        raise InvalidRequest(f"{os.fspath(source)!r} cannot be read: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise InvalidRequest(f"{str(path)!r} is a directory; give a file (the command line takes --recursive)")
    regular = stat.S_ISREG(status.st_mode)
    if regular and not status.st_size:
        raise CorruptDocument("the file is empty (0 bytes)")

    def pieces() -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                yield from _read(file)
        except OSError as error:
            raise InvalidRequest(f"{str(path)!r} cannot be read: {error}") from error

    return Upload(pieces, status.st_size if regular else None, again=regular)


def _of_stream(file: BinaryIO) -> Upload:
    try:
        start = file.tell() if file.seekable() else None
        size = None if start is None else file.seek(0, io.SEEK_END) - start
        if start is not None:
            file.seek(start)
    except (AttributeError, OSError, ValueError):  # it has nothing but `read`, or says that it can seek and cannot
        start = size = None
    if size == 0:
        raise CorruptDocument("the file is empty (0 bytes)")

    def pieces() -> Iterator[bytes]:
        if start is not None:
            file.seek(start)
        yield from _read(file)

    return Upload(pieces, size, again=start is not None)


def _read(file: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := file.read(PIECE):
            if not isinstance(piece, bytes):
                raise InvalidRequest("the file object gives text; open it in binary mode ('rb')")
            yield piece
    except (OSError, ValueError) as error:  # ValueError: the file object is closed
        raise InvalidRequest(f"the file object cannot be read: {error}") from error


def _is_picture(source: object) -> bool:
    """Whether it is a PIL image or an array; a library that was never imported has made no object."""
    pil, numpy = sys.modules.get("PIL.Image"), sys.modules.get("numpy")
    return (pil is not None and isinstance(source, pil.Image)) or (
        numpy is not None and isinstance(source, numpy.ndarray)
    )


def _png(source: Source) -> bytes:
    """The pixels that `OCR.read` would see."""
    from PIL import Image

    from shizi.imaging.decode import open_pages

    [page] = open_pages(source)
    out = io.BytesIO()
    Image.fromarray(cast("NDArray[np.uint8]", page.pixels)).save(out, "PNG", compress_level=_QUICK)
    return out.getvalue()
