"""What every runtime's sessions must do, whichever library is behind them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from shizi.errors import ModelLoadFailed
from shizi.runtime.base import Batch, Runtime, SessionOptions
from shizi.runtime.normalization import Normalization
from tests.runtime.onnx_file import doubling

OPTIONS = SessionOptions(threads=1)


def numbers(seed: int, shape: tuple[int, int, int, int]) -> Batch:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def runs_and_hands_over_the_output(runtime: Runtime, folder: Path) -> None:
    session = runtime.load(doubling(folder / "m.onnx"), OPTIONS)
    for seed, shape in enumerate([(1, 3, 4, 8), (5, 3, 4, 8), (1, 3, 2, 100)]):
        batch = numbers(seed, shape)
        assert np.array_equal(session.run(batch, np.copy), 2 * batch)
    locked = numbers(8, (2, 3, 100, 100))
    locked.flags.writeable = False
    for batch in (locked, locked[:, ::2], locked[..., ::-1]):
        assert np.array_equal(session.run(batch, np.copy), 2 * batch)
    assert session.run(numbers(9, (1, 1, 1, 1)), lambda output: (str(output.dtype), output.ndim)) == ("float32", 4)


def survives_a_reader_that_fails(runtime: Runtime, folder: Path) -> None:
    """The one slot must be free again, or the second run would wait for ever."""
    session = runtime.load(doubling(folder / "m.onnx"), OPTIONS)

    def fail(output: Batch) -> None:
        raise ZeroDivisionError(f"{output.shape}")

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            session.run(numbers(1, (1, 1, 2, 2)), fail)
    assert session.run(np.ones((1, 1, 1, 1), dtype=np.float32), np.max) == 2


def serves_many_threads(runtime: Runtime, folder: Path, concurrency: int) -> None:
    """Each caller gets its own answer, and no more than `concurrency` read at a time."""
    session = runtime.load(doubling(folder / "m.onnx"), SessionOptions(threads=1, concurrency=concurrency))
    lock, inside, most = threading.Lock(), 0, 0

    def call(seed: int) -> bool:
        batch = numbers(seed, (1, 1, 4, 8 + seed % 5))

        def read(output: Batch) -> Batch:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            copy = output.copy()
            threading.Event().wait(0.002)
            with lock:
                inside -= 1
            return copy

        return np.array_equal(session.run(batch, read), 2 * batch)

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(call, range(48)))
    assert 1 <= most <= concurrency


def refuses_what_is_no_model(runtime: Runtime, folder: Path) -> None:
    junk = folder / "junk.onnx"
    junk.write_bytes(b"this is no model")
    with pytest.raises(ModelLoadFailed, match=r"junk\.onnx"):
        runtime.load(junk, OPTIONS)
    with pytest.raises(ModelLoadFailed, match=r"absent\.onnx"):
        runtime.load(folder / "absent.onnx", OPTIONS)


def makes_numbers_of_pixels(runtime: Runtime, folder: Path) -> None:
    """Of as many pictures of any size as it is given."""
    rule = Normalization(True, (0.5, 0.25, 2.0), (1.0, -1.0, 0.0))
    session = runtime.load(doubling(folder / "m.onnx"), SessionOptions(threads=1, pixels=rule))
    for seed, shape in enumerate([(1, 4, 8, 3), (3, 5, 6, 3)]):
        pictures = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        wanted = [2 * (0.5 * pictures[..., 2] + 1), 2 * (0.25 * pictures[..., 1] - 1), 2 * (2.0 * pictures[..., 0])]
        assert session.run(pictures, np.copy) == pytest.approx(np.stack(wanted, axis=1), abs=1e-4)

    with pytest.raises(TypeError, match="uint8"):
        session.run(numbers(1, (1, 3, 4, 4)), np.copy)
    with pytest.raises(TypeError, match="float32"):
        runtime.load(folder / "m.onnx", OPTIONS).run(np.zeros((1, 4, 4, 3), dtype=np.uint8), np.copy)
