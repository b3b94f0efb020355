"""A reader that needs no model and fails on purpose, to show what failing costs.

What to do stands in the document itself, line by line: `document(pages=40, crash=7)` writes one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from shizi.errors import CorruptDocument, DeadlineExceeded, EngineUnavailable, OutOfMemory, Overloaded
from shizi.jobs.job import Made
from shizi.jobs.reading import CrashedError, Source, Terms
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page

MODEL: Final = ModelInfo("recognize", "fake", "1", "0" * 64)
FAILURES: Final = ("crash", "kill", "memory", "corrupt", "hang", "overloaded", "bug")


def document(text: str = "", *, pages: int | None = None, slow_ms: int = 0, **failures: int) -> bytes:
    """A document that is read as `text_of` says.

    Args:
        text: makes another document.
        pages: how many; such a document looks like a PDF. None: one page, and it does not.
        slow_ms: that each page takes.
        failures: the page at which it happens, by the name of FAILURES: "crash" what reads it dies; "kill" the whole worker
            does; "memory" runs out; "corrupt" is the document's own fault; "hang" is not read before the deadline;
            "overloaded" has no room for it; "bug" raises what nobody expects.
    """
    unknown = set(failures) - set(FAILURES)
    if unknown:
        raise ValueError(f"no such failure: {sorted(unknown)}")
    lines = [] if pages is None else ["%PDF-fake", f"pages {pages}"]
    lines += [f"slow_ms {slow_ms}", *(f"{failure} {page}" for failure, page in failures.items()), f"text {text}"]
    return "\n".join(lines).encode()


def text_of(data: bytes, page: int) -> str:
    """What the fake reads on a page of a document."""
    return f"{_script(data).get('text', '')} page {page}"


class FakeReader:
    """Reads what `document` wrote.

    Attributes:
        ready: as said.
        read_pages: how often each page was begun, by text.
        alone: texts of pages that were to be read alone.
        disturbed: those of them beside which another document was at work.
    """

    def __init__(self) -> None:
        self.ready = True
        self.read_pages: Counter[str] = Counter()
        self.alone: set[str] = set()
        self.disturbed: set[str] = set()
        self._busy = 0

    async def count(self, source: Source, password: str | None, deadline: float) -> int:  # noqa: ARG002
        """See `PageReader.count`."""
        return int(_script(_bytes(source)).get("pages", "1"))

    async def read(self, source: Source, options: ReadOptions, terms: Terms) -> None:
        """See `PageReader.read`."""
        self._busy += 1
        try:
            await self._read(_bytes(source), options, terms)
        finally:
            self._busy -= 1

    async def _read(self, data: bytes, options: ReadOptions, terms: Terms) -> None:
        script = _script(data)
        numbers = sorted(options.pages) if options.pages is not None else range(1, int(script.get("pages", "1")) + 1)
        for number in numbers:
            text = text_of(data, number)
            self.read_pages[text] += 1
            if terms.alone:
                self.alone.add(text)
            await asyncio.sleep(int(script.get("slow_ms", "0")) / 1000)
            if terms.alone and self._busy > 1:
                self.disturbed.add(text)
            for failure in FAILURES:
                if script.get(failure) == str(number):
                    await self._fail(failure, terms.deadline)
            await terms.on_page(Page(number, 60, 40, text=text), Made((MODEL,), {"recognize": 1.0}))

    async def _fail(self, failure: str, deadline: float) -> None:
        if failure == "crash":
            raise CrashedError(EngineUnavailable("the engine died on purpose"))
        if failure == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if failure == "memory":
            raise OutOfMemory("there is no memory, on purpose")
        if failure == "corrupt":
            raise CorruptDocument("this page is corrupt on purpose; send another")
        if failure == "hang":
            await asyncio.sleep(deadline - time.monotonic())
            raise DeadlineExceeded("the page was not read in time, on purpose")
        if failure == "overloaded":
            raise Overloaded("there is no room, on purpose", 1.0)
        raise RuntimeError("the text of a page that no log may show")


def _bytes(source: Source) -> bytes:
    return os.pread(source.file.fileno(), source.size, 0)


def _script(data: bytes) -> Mapping[str, str]:
    lines = (line.partition(" ") for line in data.decode().splitlines())
    return {name: value for name, _, value in lines}
