"""From an upload to a document: pages are decoded in a sandbox and read by the engine, at most two at a time."""

from __future__ import annotations

from typing import Protocol

from shizi.pipeline.options import ReadOptions
from shizi.serving.uploads import Upload
from shizi.types import Document, ModelInfo


class DocumentReader(Protocol):
    """What reads documents for the service."""

    async def read(
        self, upload: Upload, options: ReadOptions, deadline: float, longest_side: int | None = None
    ) -> Document:
        """Reads one document.

        Args:
            upload: the document; its file is read from the beginning.
            options: what is asked for.
            deadline: in `time.monotonic()`.
            longest_side: pixels to which larger pages are reduced before they are read; coordinates are those of the
                original page all the same.

        Raises:
            ShiziError: as `OCR.read`; also DeadlineExceeded, Overloaded, EngineUnavailable.
        """
        ...


class Engine(Protocol):
    """What the service asks of the engine beside reading."""

    @property
    def state(self) -> str:
        """starting, ready, restarting or stopped."""
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """Raises EngineUnavailable where it is not ready."""
        ...
