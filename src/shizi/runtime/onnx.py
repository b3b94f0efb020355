"""ONNX Runtime on the CPU: runs everywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnxruntime

from shizi.errors import InvalidRequest, ModelLoadFailed, OutOfMemory
from shizi.runtime.base import Batch, Input, SessionOptions, T, as_numbers
from shizi.runtime.machine import cpu_features
from shizi.runtime.rewrite.content import rewritten
from shizi.runtime.rewrite.linear import join_products, pool_early
from shizi.runtime.rewrite.onnx.blocks import add_branches, fill_blocks
from shizi.runtime.rewrite.onnx.constants import fold_constants
from shizi.runtime.rewrite.onnx.end import coarsen_end
from shizi.runtime.rewrite.onnx.gates import add_gates

_ERRORS_ONLY = 3
# The channels of a block, as ONNX Runtime lays them out with 512 bits and with fewer.
_WIDE, _NARROW = 16, 8
_state = onnxruntime.capi.onnxruntime_pybind11_state
# A kernel that gets no memory fails as Fail or as RuntimeException, depending on which part of it asked.
_RUN_FAILED = (MemoryError, _state.Fail, _state.RuntimeException)


class OnnxSession:
    """A model in ONNX Runtime."""

    def __init__(self, session: onnxruntime.InferenceSession, options: SessionOptions) -> None:
        self._session = session
        self._pixels = options.pixels
        self._input = session.get_inputs()[0].name
        self._slots = threading.BoundedSemaphore(options.concurrency)

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """See `Session.run`."""
        numbers = as_numbers(batch, self._pixels)
        with self._slots:
            try:
                (output,) = self._session.run(None, {self._input: numbers})
            except _RUN_FAILED as error:
                raise OutOfMemory(f"the model could not run on a batch of shape {batch.shape}: {error}") from error
            return read(output)


class OnnxRuntime:
    """Loads models into ONNX Runtime."""

    name = "onnx"

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> OnnxSession:
        """See `Runtime.load`."""
        if options.precision != "float32":
            raise InvalidRequest(
                f"precision {options.precision!r} is not available with the runtime 'onnx'; use 'float32' or 'auto'"
            )
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        # A thread that waits for its part would burn the time of those that work beside it (docs/decisions/reading.md).
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        settings.log_severity_level = _ERRORS_ONLY
        # The arena made receipts and street signs 6 to 17 % quicker (docs/decisions/reading.md). A memory
        # pattern would be kept for every shape ever seen.
        settings.enable_mem_pattern = False
        try:
            changed = faster(model.read_bytes() if content is None else content, lines=options.few_shapes)
            session = onnxruntime.InferenceSession(
                changed or content or str(model), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its error classes share no base but Exception
            raise ModelLoadFailed(f"ONNX Runtime cannot load {model}: {error}") from error
        return OnnxSession(session, options)


def faster(content: bytes, *, lines: bool) -> bytes | None:
    """A model as ONNX Runtime runs it faster; None for one that is to be loaded as it is.

    Args:
        content: its file.
        lines: it is given lines, which stay in the processor's caches: leaving them as they lie in memory would gain nothing.
    """
    if lines:
        return rewritten(content, [pool_early])
    block = _WIDE if "avx512f" in cpu_features() else _NARROW
    in_blocks = (partial(fill_blocks, block=block), partial(add_branches, block=block))
    return rewritten(content, [fold_constants, pool_early, join_products, add_gates, coarsen_end, *in_blocks])
