from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.operations import Counted, CountingRuntime, as_markdown, count
from shizi.bench.recording import Recorder
from shizi.runtime.base import SessionOptions
from tests.runtime.onnx_file import doubling


def test_operations_of_a_model_are_timed(tmp_path: Path) -> None:
    recorder = Recorder(CountingRuntime())
    session = recorder.load(doubling(tmp_path / "model.onnx"), SessionOptions(1))
    with recorder.record() as recording:
        given = np.ones((1, 3, 8, 65536), dtype=np.float32)
        assert session.run(given, lambda output: float(output.max())) == 2
    (counted,) = count(recording.runs).values()
    assert sum(counted.ms.values()) > 0
    assert all(runs >= 3 for runs in counted.runs.values())


def test_small_operations_are_added_up() -> None:
    counted = Counted()
    counted.ms.update({"Convolution (jit)": 297.0, "Add (jit)": 1.5, "Pad (ref)": 1.5})
    counted.runs.update({"Convolution (jit)": 30, "Add (jit)": 3, "Pad (ref)": 3})
    text = as_markdown({"det": counted}, "page.png", "float32")
    assert "| det: 100 ms | times | ms | share | |" in text
    assert "| Convolution (jit) | 10 | 99.0 | 99.0 % | ██████████████████████████████ |" in text
    assert "| Add (jit) | 1 | 0.5 | 0.5 % | █ |" in text
    counted.ms["Add (jit)"] = 0.9
    assert "| all others | | 0.3 | 0.3 % | |" in as_markdown({"det": counted}, "page.png", "float32")
