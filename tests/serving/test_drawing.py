"""Results that show the pages are drawn in a process that has nothing but the document."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
from PIL import Image

from shizi.errors import CorruptDocument, DeadlineExceeded, OutOfMemory, Overloaded, ShiziError
from shizi.export import Original, export, to_json
from shizi.imaging.child import pipes, start_child, stop_child
from shizi.imaging.frames import Header, receive_header, send
from shizi.imaging.limits import Limits
from shizi.serving.drawing import WAITING, Drawings, Order
from shizi.serving.uploads import Upload
from shizi.types import Document, Line, Page

SAMPLES = Path(__file__).parent.parent.parent / "samples"
BOX = ((50.0, 50.0), (250.0, 50.0), (250.0, 90.0), (50.0, 90.0))


@pytest.fixture
def drawings() -> Iterator[Drawings]:
    made = Drawings(Limits(), 2)
    yield made
    made.close()


def upload(data: bytes) -> Upload:
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return Upload(file, len(data), "0" * 64)


def document(width: int, height: int, pages: int = 1) -> Document:
    return Document(
        tuple(
            Page(number, width, height, lines=(Line("发票 Invoice", 0.99, BOX),), text="发票 Invoice")
            for number in range(1, pages + 1)
        )
    )


def sample(name: str) -> tuple[Document, bytes]:
    """A document of the size of a sample's pages, and the file."""
    data = (SAMPLES / name).read_bytes()
    if name.endswith(".pdf"):
        from shizi.imaging.decode import open_pages

        first = next(open_pages(data))
        return document(first.width, first.height, 2), data
    return document(*Image.open(io.BytesIO(data)).size), data


def draw(drawings: Drawings, what: Document, name: str, data: bytes, seconds: float = 60) -> bytes:
    with upload(data) as given:
        drawn = asyncio.run(drawings.draw(what, name, given, None, time.monotonic() + seconds, "bank"))
        with drawn:
            return drawn.read()


@pytest.mark.parametrize("name", ["invoice.png", "receipt.jpg", "report.pdf"])
@pytest.mark.parametrize("form", ["pdf", "annotated"])
def test_what_is_drawn_there_is_what_is_drawn_here(drawings: Drawings, name: str, form: str) -> None:
    what, data = sample(name)
    drawn = draw(drawings, what, form, data)
    expected = export(what, form, Original(data, None, Limits()))
    if form == "pdf":
        assert drawn.startswith(b"%PDF-")
        assert abs(len(drawn) - len(expected)) <= 0.01 * len(expected)
    else:
        ours, theirs = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in (drawn, expected))
        assert np.array_equal(ours, theirs)


def test_errors_are_those_of_the_exporter(drawings: Drawings) -> None:
    what, data = sample("report.pdf")
    with pytest.raises(CorruptDocument):
        draw(drawings, what, "pdf", data[:600])
    with pytest.raises(ShiziError, match="page 9"):
        draw(drawings, dataclasses.replace(what, pages=(dataclasses.replace(what.pages[0], number=9),)), "pdf", data)
    with pytest.raises(DeadlineExceeded):
        draw(drawings, what, "annotated", data, seconds=0.05)


def test_what_waits_is_bounded_and_one_tenant_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1 + WAITING

    async def run() -> None:
        drawings, done = Drawings(Limits(), 1), asyncio.Event()

        async def wait(*_arguments: object) -> object:
            await done.wait()
            return None

        monkeypatch.setattr(drawings, "_run", wait)

        def ordered(tenant: str) -> asyncio.Task[object]:
            order = Order("page", "picture", {}, {}, tenant)
            return asyncio.ensure_future(drawings.make(order, time.monotonic() + 60))

        of_bank = [ordered("bank") for _ in range(int(0.7 * most))]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="of one tenant"):
            await ordered("bank")
        of_shop = [ordered("shop") for _ in range(most - len(of_bank))]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await ordered("inn")
        assert refused.value.retry_after
        of_shop.pop().cancel()
        await asyncio.sleep(0)
        of_shop.append(ordered("inn"))
        done.set()
        await asyncio.gather(*of_bank, *of_shop)
        await ordered("bank")
        drawings.close()

    asyncio.run(run())


@pytest.mark.parametrize("size", [-1, 2**40])
def test_a_process_that_was_taken_over_sends_no_more_than_it_may_hold(
    drawings: Drawings, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    header = json.dumps({"bytes": size}).encode()
    back = io.BytesIO(struct.pack(">L", len(header)) + header + b"x" * 1000)
    monkeypatch.setattr("shizi.serving.drawing.pipes", lambda _child: (io.BytesIO(), back))
    order = Order("page", "picture", {}, {}, "bank")
    with pytest.raises(CorruptDocument):
        asyncio.run(drawings.make(order, time.monotonic() + 60))
    assert back.tell() == 4 + len(header)


def test_what_a_process_says_of_its_result_is_numbers(drawings: Drawings, monkeypatch: pytest.MonkeyPatch) -> None:
    back = io.BytesIO()
    send(back, {"width": 5, "height": "5\r\nSet-Cookie: a=b"}, b"made")
    back.seek(0)
    monkeypatch.setattr("shizi.serving.drawing.pipes", lambda _child: (io.BytesIO(), back))
    made = asyncio.run(drawings.make(Order("page", "picture", {}, {}, "bank"), time.monotonic() + 60))
    with made.file:
        assert (made.file.read(), made.facts) == (b"made", {"width": 5, "bytes": 4})


def ask(
    request: dict[str, object], what: Document, data: bytes, module: str = "shizi.serving.drawing_worker"
) -> Header:
    written = to_json(what, indent=None).encode()
    child = start_child(module, bare=True)
    try:
        into, back = pipes(child)
        whole = {
            "task": "draw", "format": "annotated", "password": None, "limits": dataclasses.asdict(Limits()), "memory": 2**30,
            "cpu_s": 30.0, "parent": os.getpid(), "parts": {"document": len(written), "file": len(data)},
        }  # fmt: skip
        send(into, {**whole, **request})
        into.write(written + data)
        into.flush()
        return receive_header(back)
    finally:
        stop_child(child)


def test_it_has_given_up_what_a_sandbox_gives_up() -> None:
    what, data = sample("invoice.png")
    said = ask({}, what, data)
    wanted = {
        "rlimit-as",
        "rlimit-cpu",
        "rlimit-fsize",
        "rlimit-nofile",
        "rlimit-nproc",
        "no-new-privileges",
        "seccomp",
    }
    assert wanted <= set(said["held"])
    assert {*said["held"], *said["missing"]} >= {"landlock"}
    assert said["bytes"] > 1000


def test_too_little_memory_is_an_error_of_ours() -> None:
    image = io.BytesIO()
    Image.new("RGB", (6000, 6000)).save(image, "PNG")
    said = ask({"memory": 40 * 2**20}, document(6000, 6000), image.getvalue())
    assert said["error"] == OutOfMemory.code
