"""The real engine, exporters and limits behind `shizi.cli.reading.Tools`; importing this loads none of them yet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from shizi.cli.options import EngineOptions, ReadOptions
from shizi.cli.quiet import silence_tiff
from shizi.cli.reading import LINE, Reader, Tools
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.imaging.limits import Limits
    from shizi.models.store import ModelStore


def real_tools() -> Tools:
    """The tools of an installed shizi."""
    return Tools(_open_reader, _export, _extension, _needs_original, lambda options: limits(options).max_bytes)


def limits(options: EngineOptions) -> Limits:
    """The bounds that the options name; the rest are the engine's own."""
    from shizi.imaging.limits import Limits

    return Limits(**options.limits.given())


def store(options: EngineOptions) -> ModelStore:
    """The models' folder and catalogue that the options name.

    Raises:
        NotFound: the catalogue is not there.
        InvalidRequest: it is no catalogue.
    """
    from shizi.models.card import load_catalog
    from shizi.models.store import ModelStore

    return ModelStore(options.models_dir, offline=options.offline, catalog=load_catalog(options.catalog))


def _open_reader(options: EngineOptions) -> Reader:
    from shizi import OCR
    from shizi.runtime.memory import share_arenas

    share_arenas()
    silence_tiff()
    models = store(options)
    pull_missing(models, options.tier, sys.stderr)
    return OCR(
        options.tier,
        runtime=options.runtime,
        precision=options.precision,
        threads=options.threads,
        store=models,
        limits=limits(options),
    )


def pull_missing(models: ModelStore, tier: str, stream: TextIO) -> None:
    """Pull the tier's models with a line of progress: the first run would otherwise seem to hang."""
    present = models.installed()
    for name in models.catalog.tier(tier).names:
        if name not in present:
            models.path(name, progress=_PullLine(stream))
            if stream.isatty():
                stream.write("\r\x1b[K")


class _PullLine:
    """One line that grows on a terminal; one message elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said = False

    def __call__(self, name: str, done: int, total: int | None) -> None:
        if self._stream.isatty():
            share = f"{100 * done // total} %" if total else f"{done / 1e6:.1f} MB"
            self._stream.write(f"\r\x1b[Kfetching the model {name} (once): {share}")
            self._stream.flush()
        elif not self._said:
            self._stream.write(f"fetching the model {name} (once)\n")
        self._said = True


def _export(document: Document, name: str, original: bytes | None, read: ReadOptions, options: EngineOptions) -> bytes:
    from shizi.export import Original, export

    if name == LINE:
        from shizi.export.json import render_line

        return render_line(document)
    source = None if original is None else Original(data=original, password=read.password, limits=limits(options))
    return export(document, name, source)


def _extension(name: str) -> str:
    from shizi.export import EXPORTERS

    return EXPORTERS[name].extension


def _needs_original(name: str) -> bool:
    from shizi.export import EXPORTERS

    return name != LINE and EXPORTERS[name].needs_original
