"""Throughput of the engine process beside the bare engine, in turns: `python -m benchmarks.engine --pages-at-a-time 1,2,3`."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median

import click
import numpy as np
from numpy.typing import NDArray

from shizi import OCR
from shizi.batching.claim import Claim
from shizi.bench.documents import DRAWN
from shizi.engine.options import HostOptions
from shizi.engine.supervisor import Supervisor, SupervisorOptions
from shizi.imaging.pages import PageImage
from shizi.imaging.sandbox import SharedPage
from shizi.imaging.shared import Block, SharedPixels, new_name
from shizi.pipeline.options import ReadOptions
from shizi.runtime.memory import share_arenas

CALLERS, BARE_THREADS, PATIENCE_S = 8, 2, 600.0
Pixels = NDArray[np.uint8]
Round = Callable[[], Coroutine[None, None, None]]


@click.command()
@click.option("--pages", default=12, show_default=True, help="Pages of a round, a multiple of three.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--pages-at-a-time", default="1,2,3", show_default=True, help="One engine process for each.")
def main(pages: int, rounds: int, pages_at_a_time: str) -> None:
    """Print pages per second and CPU seconds per page, medians of rounds that take turns."""
    share_arenas()
    asyncio.run(_measure(_drawn(pages), rounds, [int(number) for number in pages_at_a_time.split(",")]))


async def _measure(pages: Sequence[Pixels], rounds: int, places: Sequence[int]) -> None:
    async with AsyncExitStack() as stack:
        ocr = stack.enter_context(OCR())
        shared = [stack.enter_context(_shared(pixels)) for pixels in pages]
        ways: dict[str, tuple[Round, int]] = {"bare": (lambda: _bare(ocr, pages), os.getpid())}
        for place in places:
            supervisor = Supervisor(SupervisorOptions(host=HostOptions(pages_at_a_time=place)))
            stack.push_async_callback(supervisor.stop)
            await supervisor.start()
            ways[f"engine, {place} at a time"] = (_through(supervisor, shared), supervisor.pid or 0)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            for name, (way, process) in ways.items():
                took = await _timed(way, {process, os.getpid()}, len(pages))
                if number:  # the first round warms
                    taken[name].append(took)
    _show(taken)


async def _timed(way: Round, processes: set[int], pages: int) -> tuple[float, float]:
    before, start = sum(map(_cpu, processes)), time.perf_counter()
    await way()
    return pages / (time.perf_counter() - start), (sum(map(_cpu, processes)) - before) / pages


async def _bare(ocr: OCR, pages: Sequence[Pixels]) -> None:
    def read(pixels: Pixels) -> None:
        ocr.read_page(PageImage(1, pixels, pixels.shape[1], pixels.shape[0]), ReadOptions())

    def work() -> None:
        with ThreadPoolExecutor(BARE_THREADS) as pool:
            for _ in pool.map(read, pages):
                pass

    await asyncio.to_thread(work)


def _through(supervisor: Supervisor, pages: Sequence[SharedPage]) -> Round:
    async def work() -> None:
        waiting = iter(pages)

        async def caller() -> None:
            for page in waiting:
                await supervisor.client.read_page(page, ReadOptions(), Claim(deadline=time.monotonic() + PATIENCE_S))

        await asyncio.gather(*(caller() for _ in range(CALLERS)))

    return work


def _show(taken: dict[str, list[tuple[float, float]]]) -> None:
    bare = taken["bare"]
    print("| | pages/s | ÷ bare, median of rounds | CPU s/page | ÷ bare |\n|---|---|---|---|---|")
    for name, rounds in taken.items():
        ratio = median(mine / theirs for (mine, _), (theirs, _) in zip(rounds, bare, strict=True))
        speed, cpu = (median(values) for values in zip(*rounds, strict=True))
        print(f"| {name} | {speed:.2f} | {ratio:.2f} | {cpu:.3f} | {cpu / median(used for _, used in bare):.2f} |")


def _drawn(count: int) -> list[Pixels]:
    return [
        np.asarray(draw(random.Random(f"{name}{number}")).convert("RGB"))
        for number in range(count // len(DRAWN))
        for name, draw in DRAWN.items()
    ]


@contextmanager
def _shared(pixels: Pixels) -> Iterator[SharedPage]:
    height, width = pixels.shape[:2]
    block = Block(SharedPixels(new_name(), height, width), lambda _size: None)
    try:
        os.pwrite(block.descriptor, pixels.tobytes(), 0)
        yield SharedPage(1, block.pixels, width, height)
    finally:
        block.release()


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
