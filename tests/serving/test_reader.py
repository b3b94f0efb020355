"""Pages through a decoder and an engine that are drawn here: order, bounds, errors, and what is freed."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import BinaryIO

import numpy as np
import pytest

from shizi.batching.claim import Claim
from shizi.errors import CorruptDocument, DeadlineExceeded, ImageTooLarge, RateLimited
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import SharedPage
from shizi.imaging.shared import Block, SharedPixels, new_name
from shizi.pipeline.options import ReadOptions, TextLayerUse
from shizi.serving.preview import reduced
from shizi.serving.reader import AS_IT_IS, SandboxReader, Terms
from shizi.serving.uploads import Upload
from shizi.types import Document, Line, ModelInfo, Page, Word

SOON = 20.0


class DrawnDecoder:
    """Documents of white pages; counts what is open and what is not freed."""

    def __init__(self, pages: int, *, breaks_at: int = 0, size: tuple[int, int] = (30, 20)) -> None:
        self.pages, self.breaks_at, self.size = pages, breaks_at, size
        self.open_now = self.most_open = 0
        self.decoded: list[int] = []
        self.freed = 0
        self.stopped = threading.Event()
        self.hangs_at = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def open(
        self,
        document: BinaryIO,  # noqa: ARG002
        *,
        pages: Collection[int] | None,  # noqa: ARG002
        password: str | None,  # noqa: ARG002
        text_layer: TextLayerUse,  # noqa: ARG002
        deadline: float,  # noqa: ARG002
    ) -> Iterator[Iterator[SharedPage]]:
        with self._lock:
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
        blocks: list[Block] = []  # a document frees its own pages, not those of its neighbours
        try:
            yield self._made(blocks)
        finally:
            self.stopped.set()
            with self._lock:
                self.open_now -= 1
            for block in blocks:
                block.release()

    def _made(self, blocks: list[Block]) -> Iterator[SharedPage]:
        for number in range(1, self.pages + 1):
            if number == self.breaks_at:
                raise CorruptDocument(f"page {number} is damaged")
            if number == self.hangs_at:
                assert self.stopped.wait(10), "nobody stopped what nobody wants"
                return
            width, height = self.size
            block = Block(SharedPixels(new_name(), height, width), self._free)
            blocks.append(block)
            self.decoded.append(number)
            yield SharedPage(number, block.pixels, width, height)

    def _free(self, _size: int) -> None:
        self.freed += 1


class DrawnEngine:
    """Says the number of each page; later pages are read sooner."""

    def __init__(self, wait: Callable[[int], Awaitable[None]] | None = None, words: int = 1) -> None:
        self.wait = wait
        self.words = words
        self.running = self.most = 0
        self.sizes: list[tuple[int, int]] = []
        self.claims: list[Claim] = []
        self.sources: list[str] = []

    async def read_page(
        self,
        page: SharedPage,
        options: ReadOptions,  # noqa: ARG002
        claim: Claim,
        source: str,
    ) -> tuple[Page, Mapping[str, float]]:
        self.claims.append(claim)
        self.sources.append(source)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.wait is not None:
                await self.wait(page.number)
            assert page.pixels is not None
            with page.pixels.array() as pixels:
                height, width, _ = pixels.shape
            self.sizes.append((width, height))
            corners = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
            words = (Word("w", 1.0, corners),) * self.words
            line = Line(f"page {page.number}", 1.0, corners, 0.0, words)
            return Page(page.number, width, height, 0, (line,), line.text), {"detect": 2.0}
        finally:
            self.running -= 1

    async def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("detect", "drawn", "1", "0" * 64),)


def upload() -> Upload:
    return Upload(io.BytesIO(b"x"), 1, "0" * 64)


def read(
    decoder: DrawnDecoder,
    engine: DrawnEngine,
    *,
    limits: Limits | None = None,
    terms: Terms = AS_IT_IS,
    seconds: float = SOON,
) -> Document:
    async def run() -> Document:
        reader = SandboxReader(decoder, engine, limits or Limits(), 2)
        try:
            return await reader.read(upload(), ReadOptions(), time.monotonic() + seconds, terms)
        finally:
            reader.close()

    return asyncio.run(run())


def test_pages_come_in_order_two_at_a_time_and_are_freed() -> None:
    async def later_is_sooner(number: int) -> None:
        await asyncio.sleep(0.02 if number % 2 else 0.001)

    decoder, engine = DrawnDecoder(7), DrawnEngine(later_is_sooner)
    document = read(decoder, engine)
    assert [page.text for page in document.pages] == [f"page {number}" for number in range(1, 8)]
    assert engine.most == 2
    assert decoder.freed == 7
    assert document.timings_ms["detect"] == 14.0
    assert document.timings_ms["decode"] > 0
    assert document.models[0].name == "drawn"


def test_a_page_that_cannot_be_decoded_ends_the_document() -> None:
    decoder, engine = DrawnDecoder(5, breaks_at=3), DrawnEngine()
    with pytest.raises(CorruptDocument, match="page 3"):
        read(decoder, engine)
    assert (decoder.freed, decoder.open_now, engine.running) == (2, 0, 0)


def test_an_error_of_the_engine_ends_the_document_and_stops_the_decoding() -> None:
    async def fails(number: int) -> None:
        if number == 1:
            raise DeadlineExceeded("late")
        await asyncio.sleep(30)

    decoder, engine = DrawnDecoder(50), DrawnEngine(fails)
    with pytest.raises(DeadlineExceeded, match="late"):
        read(decoder, engine)
    assert len(decoder.decoded) <= 3
    assert (decoder.freed, decoder.open_now, engine.running) == (len(decoder.decoded), 0, 0)


def test_words_are_bounded() -> None:
    with pytest.raises(ImageTooLarge, match="max_words"):
        read(DrawnDecoder(5), DrawnEngine(words=6), limits=Limits(max_words=10))


def test_what_on_page_raises_ends_the_document_before_it_is_read() -> None:
    seen: list[int] = []

    async def count(pixels: int) -> None:
        seen.append(pixels)
        raise RateLimited("too many pixels", 3.0)

    decoder, engine = DrawnDecoder(3), DrawnEngine()
    with pytest.raises(RateLimited, match="pixels"):
        read(decoder, engine, terms=Terms(on_page=count))
    assert seen[0] == 600
    assert engine.sizes == []


def test_a_preview_reads_a_small_page_and_speaks_of_the_large_one() -> None:
    decoder, engine = DrawnDecoder(1, size=(400, 200)), DrawnEngine()
    document = read(decoder, engine, terms=Terms(longest_side=100))
    assert engine.sizes == [(100, 50)]
    page = document.pages[0]
    assert (page.width, page.height) == (400, 200)
    assert page.lines[0].polygon[2] == page.lines[0].words[0].polygon[2] == (400.0, 200.0)


def test_documents_wait_for_their_turn_and_not_longer_than_they_may() -> None:
    async def run() -> None:
        release = asyncio.Event()

        async def waits(_number: int) -> None:
            await release.wait()

        decoder = DrawnDecoder(1)
        reader = SandboxReader(decoder, DrawnEngine(waits), Limits(), 2)
        end = time.monotonic() + SOON
        reading = [asyncio.create_task(reader.read(upload(), ReadOptions(), end)) for _ in range(5)]
        while decoder.open_now < 2:
            await asyncio.sleep(0.005)
        assert reader.waiting == 3
        with pytest.raises(DeadlineExceeded, match="before it was its turn"):
            await reader.read(upload(), ReadOptions(), time.monotonic() + 0.05)
        release.set()
        assert len(await asyncio.gather(*reading)) == 5
        assert (decoder.most_open, reader.waiting) == (2, 0)
        reader.close()

    asyncio.run(run())


def test_a_client_that_leaves_stops_the_decoding_and_frees_the_turn() -> None:
    async def run() -> None:
        decoder, engine = DrawnDecoder(9), DrawnEngine()
        decoder.hangs_at = 2
        reader = SandboxReader(decoder, engine, Limits(), 1)
        reading = asyncio.create_task(reader.read(upload(), ReadOptions(), time.monotonic() + SOON))
        while decoder.decoded != [1]:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (decoder.freed, decoder.open_now, engine.running) == (1, 0, 0)
        decoder.hangs_at, decoder.pages = 0, 1
        assert len((await reader.read(upload(), ReadOptions(), time.monotonic() + SOON)).pages) == 1
        reader.close()

    asyncio.run(run())


def test_pixels_of_a_reduced_page_are_those_of_the_page() -> None:
    block = Block(SharedPixels(new_name(), 100, 200), lambda _: None)
    grey = np.full((100, 200, 3), 200, np.uint8)
    grey[:, 100:] = 50
    os.pwrite(block.descriptor, grey.tobytes(), 0)
    page = SharedPage(1, block.pixels, 200, 100)
    small, own = reduced(page, 50)
    assert own is not None
    assert small.pixels is not None
    with small.pixels.array() as pixels:
        assert pixels.shape == (25, 50, 3)
        assert (pixels[:, :24] == 200).all()
        assert (pixels[:, 26:] == 50).all()
    assert reduced(page, 200) == (page, None)
    own.release()
    block.release()


def test_the_engine_is_told_for_whom_until_when_and_which_page_of_what() -> None:
    engine = DrawnEngine()
    read(DrawnDecoder(2), engine, terms=Terms(tenant="a bank", lane="bulk"), seconds=9)
    assert {(claim.tenant, claim.lane) for claim in engine.claims} == {("a bank", "bulk")}
    assert 0 < engine.claims[0].deadline - time.monotonic() <= 9
    assert engine.sources == [f"{'0' * 64}:1", f"{'0' * 64}:2"]
