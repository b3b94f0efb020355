"""Pages in shared memory, as the sandbox hands them over, and engines that need no model."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import numpy as np
from numpy.typing import NDArray

from shizi.batching.claim import Claim
from shizi.engine import fake
from shizi.engine.client import EngineClient
from shizi.engine.options import HostOptions, ReaderOptions
from shizi.engine.supervisor import Supervisor, SupervisorOptions
from shizi.imaging.pages import TextLayer
from shizi.imaging.sandbox import SharedPage
from shizi.imaging.shared import Block, SharedPixels, new_name
from shizi.pipeline.options import ReadOptions
from shizi.types import Page

Pixels = NDArray[np.uint8]
FAKE = ReaderOptions(opener=fake.OPENER)
QUICK = SupervisorOptions(reader=FAKE, host=HostOptions(warmup_batches=0), first_pause_s=0.05)


@contextmanager
def shared(pixels: Pixels, number: int = 1, layer: TextLayer | None = None) -> Iterator[SharedPage]:
    """A page that owns its memory until the end of the context."""
    height, width = pixels.shape[:2]
    block = Block(SharedPixels(new_name(), height, width), lambda _size: None)
    try:
        os.pwrite(block.descriptor, pixels.tobytes(), 0)
        yield SharedPage(number, block.pixels, width, height, layer, ("a warning of the decoder",))
    finally:
        block.release()


async def read(client: EngineClient, pixels: Pixels, seconds: float = 20.0, *, alone: bool = False) -> Page:
    """One page through an engine."""
    with shared(pixels) as page:
        claim = Claim(deadline=time.monotonic() + seconds)
        result, _ = await client.read_page(page, ReadOptions(), claim, alone=alone)
    return result


@asynccontextmanager
async def supervised(options: SupervisorOptions = QUICK) -> AsyncIterator[Supervisor]:
    """A running engine."""
    supervisor = Supervisor(options)
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()
