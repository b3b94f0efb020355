"""Whose lines are read next inside an engine: a host in this process whose pages are pieces on one thread, as lines are."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest

from shizi.batching.claim import Claim, Lane
from shizi.engine.client import EngineClient
from shizi.engine.host import Host
from shizi.engine.options import HostOptions
from shizi.errors import DeadlineExceeded
from shizi.imaging.pages import PageImage
from shizi.models.counts import Batches
from shizi.models.streams import Streams
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page
from tests.engine.pages import shared

PIECE_S = 0.002


class Pieces:
    """A reader for which each row of pixels is a line; keeps whose lines were read in which order."""

    models = (ModelInfo("recognize", "pieces", "1", "0" * 64),)

    def __init__(self) -> None:
        self.streams = Streams(1)
        self.claims: list[Claim] = []
        self.order: list[tuple[str, Lane]] = []
        self.dropped: list[str] = []
        self.begun = threading.Event()

    def read_page(
        self,
        image: PageImage,
        options: ReadOptions,  # noqa: ARG002
        claim: Claim | None = None,
    ) -> tuple[Page, Mapping[str, float]]:
        assert claim is not None
        self.claims.append(claim)

        def line(_number: int) -> None:
            self.begun.set()
            time.sleep(PIECE_S)
            self.order.append((claim.tenant, claim.lane))

        try:
            self.streams.run(line, ["line"] * image.height, claim=claim)
        except DeadlineExceeded as error:
            self.dropped.append(str(error))
            raise
        return Page(1, image.width, image.height), {}

    @property
    def batches(self) -> Batches:
        return Batches()

    def close(self) -> None:
        self.streams.close()


@asynccontextmanager
async def hosted(folder: Path, pages: int = 3) -> AsyncIterator[tuple[Pieces, EngineClient]]:
    reader = Pieces()
    host = Host(HostOptions(pages_at_a_time=pages), shared_memory=True, version="1")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((host.handlers(),))
    server.add_insecure_port(f"unix:{folder}/e.sock")
    await server.start()
    host.open(reader)
    client = EngineClient(f"unix:{folder}/e.sock")
    try:
        yield reader, client
    finally:
        await client.close()
        await server.stop(5)
        host.close()


async def read(client: EngineClient, lines: int, tenant: str, lane: Lane = "interactive", seconds: float = 30) -> None:
    with shared(np.zeros((lines, 8, 3), dtype=np.uint8)) as page:
        await client.read_page(page, ReadOptions(), Claim(tenant, time.monotonic() + seconds, lane))


def while_read(order: list[tuple[str, Lane]], who: tuple[str, Lane]) -> list[tuple[str, Lane]]:
    """From the first to the last line of somebody's; others go on while the answer is on its way."""
    order = list(order)
    return order[order.index(who) : len(order) - order[::-1].index(who)]


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_the_claim_of_a_caller_arrives(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosted(tmp_path) as (reader, client):
            await read(client, 1, "招商", "bulk", 7)
            (claim,) = reader.claims
            assert (claim.tenant, claim.lane) == ("招商", "bulk")
            assert 0 < claim.deadline - time.monotonic() <= 7
            assert claim.abandoned()  # the call is over

    run(work())


def test_lines_of_bulk_pages_get_one_turn_in_ten_while_others_wait(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosted(tmp_path) as (reader, client):
            bulk = [asyncio.create_task(read(client, 150, "a", "bulk")) for _ in range(2)]
            await asyncio.to_thread(reader.begun.wait, 10)
            await read(client, 150, "a")
            meanwhile = while_read(reader.order, ("a", "interactive"))
            assert meanwhile.count(("a", "interactive")) == 150
            assert 10 <= meanwhile.count(("a", "bulk")) <= 25
            await asyncio.gather(*bulk)  # and what is left, when nobody else wants anything
            assert reader.order.count(("a", "bulk")) == 300

    run(work())


def test_two_pages_of_one_tenant_take_no_more_turns_than_one_of_another(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosted(tmp_path) as (reader, client):
            many = [asyncio.create_task(read(client, 150, "many")) for _ in range(2)]
            await asyncio.to_thread(reader.begun.wait, 10)
            await read(client, 100, "few")
            meanwhile = while_read(reader.order, ("few", "interactive"))
            assert 85 <= meanwhile.count(("many", "interactive")) <= 115
            await asyncio.gather(*many)

    run(work())


def test_a_page_that_nobody_waits_for_any_more_goes_no_further(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosted(tmp_path, pages=1) as (reader, client):
            given_up = asyncio.create_task(read(client, 2000, "gone"))
            await asyncio.to_thread(reader.begun.wait, 10)
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
            await read(client, 3, "here")  # the only place in the engine is free
            assert reader.dropped == ["nobody waited for this request any more, so it was dropped"]
            assert reader.order.count(("gone", "interactive")) < 500  # of 2000 lines, or 4 s

    run(work())


def test_a_page_whose_deadline_passes_goes_no_further(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosted(tmp_path, pages=1) as (reader, client):
            await read(client, 1, "first")  # so that the deadline does not pass while the two are connected
            with pytest.raises(DeadlineExceeded):
                await read(client, 20_000, "late", seconds=3)
            await read(client, 3, "here")
            assert len(reader.dropped) == 1
            assert reader.order.count(("late", "interactive")) < 5000

    run(work())
