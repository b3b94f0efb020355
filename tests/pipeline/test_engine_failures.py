"""What a failing runtime costs: the document at hand, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shizi import OCR, Document
from shizi.errors import ModelLoadFailed, OutOfMemory
from shizi.pipeline import engine
from shizi.pipeline.tuning import Tuning
from shizi.runtime.base import Batch
from shizi.runtime.fake import Answer, FakeRuntime, Slow, crash, out_of_memory
from tests.models.fakes import STRIDE, dark_is_text

DETECTOR, RECOGNIZER, DIRECTION = "ppocrv6-small-det", "ppocrv6-small-rec", "ppocr-direction"
CLASSES = 18_710


def first_character(batch: Batch) -> Batch:
    """A recogniser that sees the same character once in every crop."""
    output = np.zeros((len(batch), batch.shape[3] // STRIDE, CLASSES), dtype=np.float32)
    output[:, :, 0] = 1
    output[:, 1, :2] = 0, 1
    return output


def upright(batch: Batch) -> Batch:
    return np.tile(np.array([1, 0], dtype=np.float32), (len(batch), 1))


def fails_on_wide(failure: Answer) -> Answer:
    return lambda batch: failure(batch) if batch.shape[3] > 640 else dark_is_text(batch)


class Engines:
    """Makes engines whose models are functions."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def __call__(self, **changes: Answer) -> OCR:
        answers: dict[str, Answer] = {DETECTOR: dark_is_text, RECOGNIZER: first_character, DIRECTION: upright}
        names = {"detect": DETECTOR, "recognize": RECOGNIZER, "direction": DIRECTION}
        answers |= {names[part]: answer for part, answer in changes.items()}
        self.patch.setattr(engine, "load_runtime", lambda _name, _kept: FakeRuntime(answers))
        # The functions answer for whole models.
        return OCR(tuning=Tuning(last_layer_apart=False))


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Engines:
    return Engines(monkeypatch)


def bar(width: int = 400) -> NDArray[np.uint8]:
    """A page with a black bar where a line would be."""
    pixels = np.full((160, width, 3), 255, dtype=np.uint8)
    pixels[60:90, 50:-50] = 0
    return pixels


def test_the_engine_needs_no_library_of_its_own(make: Engines) -> None:
    (line,) = make().read(bar()).pages[0].lines
    assert (len(line.text), line.score, len(line.words)) == (1, 1.0, 1)
    assert line.polygon[0] == pytest.approx((35, 45), abs=12)


@pytest.mark.parametrize("part", ["detect", "recognize"])
def test_want_of_memory_is_said(make: Engines, part: str) -> None:
    with make(**{part: out_of_memory}) as ocr, pytest.raises(OutOfMemory, match="a batch of shape"):
        ocr.read(bar())


def test_want_of_memory_costs_one_document_of_many(make: Engines) -> None:
    ocr = make(detect=fails_on_wide(out_of_memory))
    found = list(ocr.read_many([bar(), bar(900), bar(), bar(900), bar()], on_error="return"))
    assert [isinstance(item, Document) for item in found] == [True, False, True, False, True]
    assert all(isinstance(found[k], OutOfMemory) for k in (1, 3))


@pytest.mark.parametrize("part", ["detect", "recognize"])
def test_a_fault_that_nobody_foresaw_is_not_hidden(make: Engines, part: str) -> None:
    ocr = make(**{part: crash})
    with pytest.raises(ZeroDivisionError):
        ocr.read(bar())
    with pytest.raises(ZeroDivisionError):
        list(ocr.read_many([bar()], on_error="return"))


def test_the_engine_works_on_after_a_fault(make: Engines) -> None:
    ocr = make(detect=fails_on_wide(crash))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ocr.read(bar(900))
    assert len(ocr.read(bar()).pages[0].lines) == 1


def test_a_slow_model_shows_in_the_timings(make: Engines) -> None:
    found = make(detect=Slow(dark_is_text, 0.05)).read(bar())
    assert found.timings_ms["detect"] >= 50


def test_a_model_that_cannot_be_loaded_makes_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_runtime", lambda _name, _kept: FakeRuntime({DETECTOR: dark_is_text}))
    with pytest.raises(ModelLoadFailed, match="no answer is known for"):
        OCR()
