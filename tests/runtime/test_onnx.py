"""ONNX Runtime behind the protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shizi.errors import InvalidRequest, OutOfMemory
from shizi.models.card import DEFAULT_TIER
from shizi.models.store import ModelStore
from shizi.onnx.graph import read
from shizi.runtime import onnx
from shizi.runtime.base import SessionOptions
from shizi.runtime.onnx import OnnxRuntime, faster
from tests.onnx.network import run
from tests.runtime import sessions
from tests.runtime.onnx_file import FLOAT, doubling, entry, greedy, model, node


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


def test_constants_in_a_file_beside_the_model_are_found(tmp_path: Path) -> None:
    (tmp_path / "beside.bin").write_bytes(np.array([2.0, 3.0], dtype="<f4").tobytes())
    where = [("location", "beside.bin"), ("offset", "4"), ("length", "4")]
    facts = [entry(13, entry(1, key) + entry(2, value)) for key, value in where]
    three = b"".join([entry(1, 1), entry(2, FLOAT), entry(8, "three"), *facts, entry(14, 1)])
    path = tmp_path / "m.onnx"
    path.write_bytes(model([node("Mul", ["x", "three"], "y")], [three]))
    session = OnnxRuntime().load(path, sessions.OPTIONS)
    assert session.run(np.full((1, 1, 1, 1), 5, dtype=np.float32), lambda output: output.item()) == 15


@pytest.mark.parametrize("flags", [frozenset({"avx512f"}), frozenset()])
@pytest.mark.parametrize(("part", "lines"), [(0, False), (1, True), (1, False)])
def test_the_default_models_compute_the_same_faster(
    part: int, flags: frozenset[str], lines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "cpu_features", lambda: flags)
    store = ModelStore()
    content = store.path(store.catalog.tier(DEFAULT_TIER).names[part]).read_bytes()
    rewritten = faster(content, lines=lines)
    assert rewritten is not None
    picture = np.full((1, 3, 96 if part == 0 else 48, 160), 2.0, dtype=np.float32)
    picture[:, :, 20:40, 20:140:6] = -2  # strokes, so that there is something to find
    (before,) = run(content, picture)
    assert before.max() > 0.5 > before.min()
    for optimized in (False, True):
        (after,) = run(rewritten, picture, optimized=optimized)
        assert before.shape == after.shape
        assert after == pytest.approx(before, abs=1e-4)


def test_the_default_detector_is_rewritten() -> None:
    store = ModelStore()
    content = store.path(store.catalog.tier(DEFAULT_TIER).names[0]).read_bytes()
    rewritten = faster(content, lines=False)
    assert rewritten is not None
    before, after = ([each.operator for each in read(data).nodes] for data in (content, rewritten))
    assert {"ConvTranspose", "Add"} <= set(before)
    assert "ConvTranspose" not in after
    assert after.count("Concat") == 2  # of coarse pictures, and of rows
    assert after.count("DepthToSpace") == 1
    assert len(rewritten) < len(content) - 500_000  # the matrices of the last products are joined


def test_the_default_recogniser_averages_early() -> None:
    store = ModelStore()
    content = store.path(store.catalog.tier(DEFAULT_TIER).names[1]).read_bytes()
    rewritten = faster(content, lines=True)
    assert rewritten is not None
    assert [[each.operator for each in read(data).nodes].count("AveragePool") for data in (content, rewritten)] == [
        1,
        2,
    ]


def test_what_cannot_be_changed_is_left_to_the_runtime() -> None:
    assert faster(b"no model at all", lines=False) is None
