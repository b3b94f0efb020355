"""ONNX Runtime behind the protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shizi.errors import InvalidRequest, OutOfMemory
from shizi.runtime.base import SessionOptions
from shizi.runtime.onnx import OnnxRuntime
from tests.runtime import sessions
from tests.runtime.onnx_file import doubling, greedy


def test_it_runs_models(tmp_path: Path) -> None:
    sessions.runs_and_hands_over_the_output(OnnxRuntime(), tmp_path)


def test_a_reader_that_fails_blocks_nobody(tmp_path: Path) -> None:
    sessions.survives_a_reader_that_fails(OnnxRuntime(), tmp_path)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_many_threads_share_a_session(tmp_path: Path, concurrency: int) -> None:
    sessions.serves_many_threads(OnnxRuntime(), tmp_path, concurrency)


def test_it_makes_numbers_of_pixels(tmp_path: Path) -> None:
    sessions.makes_numbers_of_pixels(OnnxRuntime(), tmp_path)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    sessions.refuses_what_is_no_model(OnnxRuntime(), tmp_path)


def test_want_of_memory_is_said_and_blocks_nobody(tmp_path: Path) -> None:
    session = OnnxRuntime().load(greedy(tmp_path / "m.onnx"), sessions.OPTIONS)
    for _ in range(2):
        with pytest.raises(OutOfMemory, match=r"shape \(1, 1, 1, 1\)"):
            session.run(np.ones((1, 1, 1, 1), dtype=np.float32), np.copy)


def test_bfloat16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="'float32' or 'auto'"):
        OnnxRuntime().load(doubling(tmp_path / "m.onnx"), SessionOptions(threads=1, precision="bfloat16"))
