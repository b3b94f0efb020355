"""The samples through a real engine: what is read is what `OCR` reads."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest

from shizi import OCR
from shizi.batching.claim import Claim
from shizi.engine.options import HostOptions, ReaderOptions
from shizi.engine.supervisor import SupervisorOptions
from shizi.export.json import to_dict
from shizi.imaging.limits import Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.pipeline.options import ReadOptions
from shizi.types import Document
from tests.engine.pages import supervised

SAMPLES = Path(__file__).parents[2] / "samples"
LIGHT = ReaderOptions(tier="light")
OPTIONS = ReadOptions(min_score=0.5)


@pytest.fixture(scope="module")
def through_the_engine() -> dict[str, Document]:
    """The samples, decoded in a sandbox, read by an engine in a process of its own."""
    found: dict[str, Document] = {}

    async def work() -> None:
        options = SupervisorOptions(reader=LIGHT, host=HostOptions(warmup_batches=2))
        with closing(Sandbox(Limits(), SandboxOptions(processes=1))) as sandbox:
            async with supervised(options) as supervisor:
                for name in ("invoice.png", "report.pdf", "turned.png"):
                    pages = []
                    deadline = time.monotonic() + 100
                    with (
                        (SAMPLES / name).open("rb") as file,
                        sandbox.open(file, pages=None, password=None, text_layer="auto", deadline=deadline) as decoded,
                    ):
                        for page in decoded:
                            read, times = await supervisor.client.read_page(page, OPTIONS, Claim(deadline=deadline))
                            assert times.keys() >= {"queue", "recognize"}
                            pages.append(read)
                            page.release()
                    found[name] = Document(tuple(pages), await supervisor.client.models())

    asyncio.run(asyncio.wait_for(work(), 200))
    return found


def test_text_and_places_are_those_of_the_library(through_the_engine: dict[str, Document]) -> None:
    with OCR(tier=LIGHT.tier) as ocr:
        for name, document in through_the_engine.items():
            alone = ocr.read(SAMPLES / name, min_score=OPTIONS.min_score)
            assert document.text == alone.text, name
            assert to_dict(document)["pages"] == to_dict(alone)["pages"], name
            assert document.models == ocr.models


def test_what_is_read_is_what_a_person_reads(through_the_engine: dict[str, Document]) -> None:
    assert "青山仪器有限公司" in through_the_engine["invoice.png"].text
    assert "Qingshan Instruments" in through_the_engine["invoice.png"].text
