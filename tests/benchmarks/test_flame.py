"""Stacks are taken where they belong, and the picture shows them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from xml.etree import ElementTree

import pytest

from benchmarks.flame import PAGE, sampled, stage
from benchmarks.flame_svg import WIDTH, render, tree
from shizi import OCR

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (("pipeline/engine: _read", "imaging/decode: open_pages", "imaging/raster: to_rgb"), "decode"),
        (("pipeline/engine: _detect", "models/detector: _find", "runtime/openvino: run"), "detect"),
        (("pipeline/engine: _page", "pipeline/reader: read", "imaging/crop: crop_line"), "recognize"),
        (("models/recognizer: _read", "runtime/onnx: run"), "recognize"),
        (("pipeline/engine: _page", "pipeline/compose: compose"), None),
    ],
)
def test_a_stack_belongs_to_one_stage(stack: tuple[str, ...], expected: str | None) -> None:
    assert stage(stack) == expected


def test_reading_is_seen_in_every_stage_with_its_lines_of_code() -> None:
    with OCR() as ocr:
        ocr.read(PAGE)
        with sampled() as samples:
            ocr.read(PAGE)
    assert samples.looks > 20
    assert {"decode", "detect", "recognize"} <= {stage(stack) for stack in samples.counts}
    assert any(stack[-1].startswith("line: ") for stack in samples.counts)
    assert any("runtime/" in box for stack in samples.counts for box in stack)


def test_threads_that_work_for_others_or_wait_are_not_counted() -> None:
    over = threading.Event()
    waiting = threading.Thread(target=over.wait)
    waiting.start()
    with sampled() as samples:
        end = time.monotonic() + 20
        while samples.looks <= 5 and time.monotonic() < end:
            time.sleep(0.01)
    over.set()
    waiting.join()
    assert samples.counts == Counter()
    assert samples.looks > 5


def test_the_picture_is_as_wide_as_the_time() -> None:
    stacks = Counter({("a: main", "b: <load>"): 30, ("a: main", "line: x = f(y) & z"): 60, ("c: other",): 10})
    root = ElementTree.fromstring(render(stacks, "50 % & more"))
    titles = {group.findtext(f"{SVG}title"): group for group in root.iter(f"{SVG}g")}
    assert set(titles) == {
        "a: main (90 % of the call above, 90 samples)",
        "b: <load> (33 % of the call above, 30 samples)",
        "line: x = f(y) & z (67 % of the call above, 60 samples)",
        "c: other (10 % of the call above, 10 samples)",
    }
    rect = titles["a: main (90 % of the call above, 90 samples)"].find(f"{SVG}rect")
    assert rect is not None
    assert float(rect.attrib["width"]) == pytest.approx(0.9 * WIDTH, abs=1)
    assert [text.text for text in root.iter(f"{SVG}text")][:2] == ["50 % & more", "a: main"]


def test_a_picture_of_nothing_is_a_picture() -> None:
    assert tree(Counter()).count == 0
    assert ElementTree.fromstring(render(Counter(), "nothing")).tag == f"{SVG}svg"
