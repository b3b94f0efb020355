"""What reads pages inside an engine process: `OCR`, or a fake of it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from shizi.batching.claim import Claim
from shizi.engine.options import ReaderOptions
from shizi.errors import InvalidRequest
from shizi.imaging.pages import PageImage
from shizi.models.counts import Batches
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page


class PageReader(Protocol):
    """Reads decoded pages; called from several threads."""

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """Which models make its results."""
        ...

    @property
    def batches(self) -> Batches:
        """What its recogniser ran until now."""
        ...

    def read_page(
        self, image: PageImage, options: ReadOptions, claim: Claim | None = None
    ) -> tuple[Page, Mapping[str, float]]:
        """The page, and the milliseconds of each stage; on behalf of a request."""
        ...

    def close(self) -> None:
        """Frees the models."""
        ...


def open_reader(options: ReaderOptions) -> PageReader:
    """The reader that the options name.

    Raises:
        InvalidRequest: the opener is none.
        ShiziError: the reader cannot be made.
    """
    module, _, name = options.opener.partition(":")
    opener = getattr(importlib.import_module(module), name, None)
    if opener is None:
        raise InvalidRequest(f"{options.opener!r} names no function that opens a reader")
    reader: PageReader = opener(options)
    return reader


def open_ocr(options: ReaderOptions) -> PageReader:
    """The real one; for a process that is an engine alone.

    Raises:
        ShiziError: as `OCR`.
    """
    from shizi.models.card import load_catalog
    from shizi.models.store import ModelStore
    from shizi.pipeline.engine import OCR
    from shizi.pipeline.tuning import Tuning
    from shizi.runtime.memory import share_arenas

    share_arenas()
    store = ModelStore(options.models_dir, offline=options.offline, catalog=load_catalog(options.catalog))
    return OCR(
        options.tier,
        runtime=options.runtime,
        precision=options.precision,
        threads=options.threads,
        store=store,
        tuning=Tuning(small_aside=True),
    )
