"""Results that show the pages themselves (searchable PDF, annotated picture): made by a process of their own.

They decode the document once more, so they are made where a hostile one harms nobody: in a process with the bounds of a sandbox
that lives for one result.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Final, cast

from shizi.errors import CorruptDocument, DeadlineExceeded, ShiziError, taxonomy
from shizi.export import to_json
from shizi.imaging.child import Child, pipes, start_child, stop_child
from shizi.imaging.frames import receive_header, send
from shizi.imaging.limits import MIB, Limits
from shizi.serving.uploads import Upload
from shizi.types import Document

_BASE: Final = 512 * MIB  # beyond what decoding takes: pages side by side, and the result
_PIECE: Final = 2**20
_ERRORS: Final = {error.code: error for error in taxonomy()}


class Drawings:
    """A bounded number of such processes.

    Args:
        limits: of decoding.
        most: processes at the same time; more wait.
    """

    def __init__(self, limits: Limits, most: int) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(most, "shizi-draw")
        self._free = asyncio.Semaphore(most)

    async def draw(
        self, document: Document, name: str, upload: Upload, password: str | None, deadline: float
    ) -> BinaryIO:
        """The document in a format that shows its pages, as an unnamed file at its beginning.

        Args:
            document: what was read.
            name: of the format.
            upload: what it was read from.
            password: that opened it.
            deadline: in `time.monotonic()`.

        Raises:
            DeadlineExceeded: it was not done in time.
            ShiziError: as the exporter.
        """
        try:
            async with asyncio.timeout(deadline - time.monotonic()), self._free:
                header: dict[str, object] = {
                    "format": name,
                    "password": password,
                    "limits": dataclasses.asdict(self._limits),
                    "memory": _BASE + max(self._limits.max_memory, self._limits.pdf_memory) + 4 * upload.size,
                    "parent": os.getpid(),
                    "cpu_s": max(1.0, deadline - time.monotonic()),
                    "upload": upload.size,
                }
                return await self._run(header, document, upload)
        except TimeoutError:
            raise DeadlineExceeded(
                f"the time for this document was over before its {name} was made: choose fewer pages, or allow more time"
            ) from None

    async def _run(self, header: dict[str, object], document: Document, upload: Upload) -> BinaryIO:
        child = start_child("shizi.serving.drawing_worker", bare=True)
        working = asyncio.get_running_loop().run_in_executor(self._threads, _talk, child, header, document, upload)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            child.kill()
            await asyncio.wait([working])
            if not working.cancelled() and working.exception() is None:
                working.result().close()
            raise

    def close(self) -> None:
        """Waits for what is being drawn."""
        self._threads.shutdown()


def _talk(child: Child, header: dict[str, object], document: Document, upload: Upload) -> BinaryIO:
    """Hands everything over and takes the result; in a thread."""
    into, back = pipes(child)
    result = cast(BinaryIO, tempfile.TemporaryFile(prefix="shizi-"))  # noqa: SIM115
    try:
        send(into, header, to_json(document, indent=None).encode("utf-8", "surrogatepass"))
        upload.file.seek(0)
        while piece := upload.file.read(_PIECE):
            into.write(piece)
        into.flush()
        answer = receive_header(back)
        if "error" in answer:
            raise _ERRORS.get(str(answer["error"]), ShiziError)(str(answer["message"]))
        left = int(answer["bytes"])
        while left and (piece := back.read(min(left, _PIECE))):
            result.write(piece)
            left -= len(piece)
        if left:
            raise EOFError
        result.seek(0)
    except (OSError, EOFError, ValueError):
        result.close()
        raise CorruptDocument(
            f"the document made the process end that draws its pages as {header['format']}: ask for json or text"
        ) from None
    except BaseException:
        result.close()
        raise
    finally:
        with contextlib.suppress(OSError):
            stop_child(child)
    return result
