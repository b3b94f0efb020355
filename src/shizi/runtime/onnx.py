"""ONNX Runtime on the CPU: runs everywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import onnxruntime

from shizi.errors import InvalidRequest, ModelLoadFailed, OutOfMemory
from shizi.runtime.base import Batch, Input, SessionOptions, T, as_numbers

_ERRORS_ONLY = 3
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
            session = onnxruntime.InferenceSession(content or str(model), settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # its error classes share no base but Exception
            raise ModelLoadFailed(f"ONNX Runtime cannot load {model}: {error}") from error
        return OnnxSession(session, options)
