"""A fake engine for the command line: it reads text files, and fails as their text says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from shizi.cli.main import run
from shizi.cli.options import EngineOptions, ReadOptions
from shizi.cli.reading import LINE, Tools
from shizi.errors import CorruptDocument, ModelLoadFailed
from shizi.types import Document, Line, Page

EXTENSIONS = {"text": ".txt", "json": ".json", "pdf": ".pdf"}


@dataclass
class FakeReader:
    """Reads a file's own bytes as its text; "corrupt", "bug", "memory", "models", "hang" and "ctrl-c" do
    what they say."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(
        self,
        source: Path | bytes,
        *,
        detect: bool = True,
        classify: bool = True,
        recognize: bool = True,
        pages: Collection[int] | None = None,
        languages: Sequence[str] | None = None,
        password: str | None = None,
        text_layer: Literal["auto", "ignore", "only"] = "auto",
        min_score: float | None = None,
    ) -> Document:
        with self.lock:
            self.calls.append(
                {
                    "source": source,
                    "switches": (detect, classify, recognize),
                    "pages": pages,
                    "languages": languages,
                    "password": password,
                    "text_layer": text_layer,
                    "min_score": min_score,
                }
            )
        text = (source if isinstance(source, bytes) else source.read_bytes()).decode()
        match text:
            case "corrupt":
                raise CorruptDocument("it is damaged")
            case "bug":
                raise KeyError("boom")
            case "memory":
                raise MemoryError
            case "models":
                raise ModelLoadFailed("no model")
            case "hang":
                time.sleep(60)
            case "ctrl-c":
                raise KeyboardInterrupt
        line = Line(text, 0.9, ((0, 0), (9, 0), (9, 9), (0, 9)))
        warnings = ("a poor scan",) if text == "poor" else ()
        return Document((Page(1, 10, 10, lines=(line,), text=text, warnings=warnings),))

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """Runs command lines with a fake engine."""

    reader: FakeReader
    opened: list[EngineOptions]
    originals: list[bytes | None]

    def run(self, *arguments: str | Path) -> int:
        return run([str(argument) for argument in arguments], self.tools())

    def tools(self) -> Tools:
        return Tools(self._open, self._export, EXTENSIONS.__getitem__, lambda name: name == "pdf", self._max_bytes)

    def _open(self, options: EngineOptions) -> FakeReader:
        self.opened.append(options)
        return self.reader

    def _export(
        self, document: Document, name: str, original: bytes | None, _read: ReadOptions, _engine: EngineOptions
    ) -> bytes:
        self.originals.append(original)
        if name == "json":
            return json.dumps({"schema": document.schema, "text": document.text}, indent=2).encode()
        if name == LINE:
            return json.dumps({"schema": document.schema, "text": document.text}).encode() + b"\n"
        return document.text.encode()

    def _max_bytes(self, options: EngineOptions) -> int:
        return options.limits.max_bytes or 1000
