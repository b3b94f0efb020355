"""Documents whose pages were all read by the same models, also while engines are replaced by others."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from shizi.errors import EngineUnavailable
from shizi.pipeline.options import ReadOptions
from shizi.serving.reader import AS_IT_IS, DocumentReader, Engine, Terms
from shizi.serving.uploads import Upload
from shizi.types import Document, ModelInfo

_TIMES: Final = 3

log = logging.getLogger(__name__)


class SettledReader:
    """Reads a document anew where the models changed while it was read.

    Args:
        reader: reads.
        engine: says which models do; the one that the reader has.
    """

    def __init__(self, reader: DocumentReader, engine: Engine) -> None:
        self._reader, self._engine = reader, engine

    async def read(self, upload: Upload, options: ReadOptions, deadline: float, terms: Terms = AS_IT_IS) -> Document:
        """See `DocumentReader`; EngineUnavailable where models change again and again."""
        for _ in range(_TIMES):
            document = await self._reader.read(upload, options, deadline, terms)
            if await self._now(document.models) == document.models:
                return document
            log.warning("the models changed while a document was read: it is read anew")
        raise EngineUnavailable("the models changed each time that this document was read; try again soon", 1.0)

    async def _now(self, before: tuple[ModelInfo, ...]) -> tuple[ModelInfo, ...]:
        """The models that read; as before where no engine says: what has been read is not lost for that."""
        with contextlib.suppress(EngineUnavailable):
            return await self._engine.models()
        return before
