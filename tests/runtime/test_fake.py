"""The fake runtime answers and fails as it is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shizi.errors import ModelLoadFailed, OutOfMemory
from shizi.runtime.base import Batch, Runtime, SessionOptions
from shizi.runtime.fake import FakeRuntime, FakeSession, Slow, crash, out_of_memory
from tests.runtime import sessions

BATCH = np.ones((2, 3, 4, 5), dtype=np.float32)


def double(batch: Batch) -> Batch:
    return 2 * batch


def test_it_answers_by_the_function() -> None:
    assert FakeSession(double).run(BATCH, lambda output: output.sum()) == 240
    assert np.array_equal(BATCH, np.ones_like(BATCH))


def test_an_output_that_is_kept_is_not_what_it_was() -> None:
    kept = FakeSession(double).run(BATCH, lambda output: output)
    assert np.isnan(kept).all()
    assert not np.isnan(FakeSession(double).run(BATCH, np.copy)).any()
    FakeSession(lambda batch: batch).run(BATCH, lambda output: output)
    assert np.array_equal(BATCH, np.ones_like(BATCH)), "the caller's input is the caller's"


def test_it_makes_numbers_of_pixels(tmp_path: Path) -> None:
    sessions.makes_numbers_of_pixels(FakeRuntime({"": double}), tmp_path)


def test_it_fails_for_want_of_memory() -> None:
    with pytest.raises(OutOfMemory, match=r"shape \(2, 3, 4, 5\)"):
        FakeSession(out_of_memory).run(BATCH, np.copy)


def test_it_crashes() -> None:
    with pytest.raises(ZeroDivisionError, match=r"shape \(2, 3, 4, 5\)"):
        FakeSession(crash).run(BATCH, np.copy)


def test_it_is_slow() -> None:
    slept: list[float] = []
    assert FakeSession(Slow(double, 2.5, slept.append)).run(BATCH, np.max) == 2
    assert slept == [2.5]


def test_models_are_told_apart_by_the_longest_name_that_fits() -> None:
    runtime: Runtime = FakeRuntime({"": crash, "read": double, "read-fast": lambda batch: 3 * batch})
    options = SessionOptions(threads=1)
    assert runtime.load(Path("/models/read-0123.onnx"), options).run(BATCH, np.max) == 2
    assert runtime.load(Path("/models/read-fast-4567.onnx"), options).run(BATCH, np.max) == 3
    with pytest.raises(ZeroDivisionError):
        runtime.load(Path("/models/other.onnx"), options).run(BATCH, np.max)


def test_a_model_without_an_answer_cannot_be_loaded() -> None:
    with pytest.raises(ModelLoadFailed, match=r"other\.onnx; known are read"):
        FakeRuntime({"read": double}).load(Path("other.onnx"), SessionOptions(threads=1))
