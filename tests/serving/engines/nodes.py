"""Engines without models in processes of their own, behind one server's view of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from shizi.batching.claim import Claim
from shizi.engine import fake
from shizi.engine.fake import Pixels
from shizi.engine.launch import Child, launch
from shizi.engine.options import EngineProcess, HostOptions
from shizi.pipeline.options import ReadOptions
from shizi.serving.engines.pool import Engines
from shizi.serving.engines.start import EnginesOptions, running
from tests.engine.pages import FAKE, shared


class Nodes:
    """Engines on sockets in a folder, by their numbers."""

    def __init__(self, folder: Path, places: int = 3) -> None:
        self._folder = folder
        self._places = places
        self._children: dict[int, Child] = {}

    def address(self, number: int) -> str:
        return f"unix:{self._folder}/{number}.sock"

    async def start(self, number: int, tier: str = "general") -> None:
        host = HostOptions(warmup_batches=0, pages_at_a_time=self._places)
        process = EngineProcess(self.address(number), replace(FAKE, tier=tier), host)
        self._children[number] = await launch(process, 30)

    async def kill(self, number: int) -> None:
        await self._children.pop(number).kill()

    async def ended(self, number: int) -> None:
        """Returns when it is dead."""
        await self._children.pop(number).ended()

    def count(self) -> int:
        return len(self._children)

    async def stop(self) -> None:
        await asyncio.gather(*(child.kill() for child in self._children.values()))


@asynccontextmanager
async def gateway(folder: Path, tiers: list[str], places: int = 3) -> AsyncIterator[tuple[Nodes, Engines]]:
    """So many nodes, and what stands in front of them."""
    nodes = Nodes(folder, places)
    try:
        await asyncio.gather(*(nodes.start(number, tier) for number, tier in enumerate(tiers)))
        remote = tuple(nodes.address(number) for number in range(len(tiers)))
        async with running(EnginesOptions(remote=remote, look_s=0.05)) as (engines, _):
            await until(lambda: all(member.source.state == "ready" for member in engines.members))
            yield nodes, engines
    finally:
        await nodes.stop()


async def read(engines: Engines, pixels: Pixels, source: str = "", tenant: str = "t", seconds: float = 45.0) -> str:
    """The text of a page."""
    with shared(pixels) as page:
        claim = Claim(tenant, time.monotonic() + seconds)
        found, _ = await engines.read_page(page, ReadOptions(), claim, source or fake.text_of(pixels))
    return found.text


async def until(holds: Callable[[], bool], seconds: float = 45.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.01)
