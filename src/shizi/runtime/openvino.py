"""OpenVINO on x86 CPUs: the fastest on them, and the only one here that computes in bfloat16 and with 8 bits."""

from __future__ import annotations

import io
import logging
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from shizi.errors import ModelLoadFailed, OutOfMemory
from shizi.runtime.base import Batch, Input, Precision, SessionOptions, T, check_kind
from shizi.runtime.compiled import CompiledModels
from shizi.runtime.fingerprint import of_model, of_surroundings
from shizi.runtime.rewrite.content import rewritten
from shizi.runtime.rewrite.linear import pool_early
from shizi.runtime.rewrite.openvino.attention import fold_norms, split_heads
from shizi.runtime.rewrite.openvino.branches import add_branches
from shizi.runtime.rewrite.openvino.eight_bits import in_eight_bits
from shizi.runtime.rewrite.openvino.gates import add_gates, clamp_gates
from shizi.runtime.rewrite.openvino.pixels import take_pixels
from shizi.runtime.rewrite.openvino.shuffle import shuffle_late
from shizi.runtime.rewrite.openvino.tokens import straighten_tokens

if TYPE_CHECKING:
    import openvino

# Prepared operations kept, one per layer and shape. The recogniser meets some 30 shapes; fewer places mean preparing them anew.
_PREPARED = 1500
# Looking at a graph is for one thread at a time: the first two that ask OpenVINO for a constant's values at once wait for each other
# for ever, one with Python's lock and one for it. Compiling, which takes the time, happens side by side.
_REWRITING: Final = threading.Lock()
# Each takes three times the memory of what is kept, in the moment when all models are loaded.
_EXPORTING: Final = threading.Lock()
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slot:
    """An inference request, and the batch it was given: it looks at its memory and does not keep it."""

    request: openvino.InferRequest
    batch: Input | None = None


class OpenVinoSession:
    """A model compiled by OpenVINO, with a fixed number of inference requests that callers take in turn."""

    def __init__(
        self, compiled: openvino.CompiledModel, options: SessionOptions, tensor: type[openvino.Tensor]
    ) -> None:
        self._pixels = options.pixels
        self._tensor = tensor
        self._slots: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        for _ in range(options.concurrency):
            self._slots.put(_Slot(compiled.create_infer_request()))

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """See `Session.run`."""
        check_kind(batch, self._pixels)
        slot = self._slots.get()
        request = slot.request
        try:
            try:
                # Not `infer`: where memory runs out, it raises nothing and leaves the output of the run before in place. Nor
                # is the batch handed over with the start: what OpenVINO's Python looks at then is a quarter of what a run
                # takes in Python.
                slot.batch = np.require(batch, requirements=("C", "W"))
                request.set_input_tensor(self._tensor(slot.batch, shared_memory=True))
                request.start_async()
                request.wait()
                output = request.get_output_tensor(0).data
            except (MemoryError, RuntimeError) as error:
                raise OutOfMemory(f"the model could not run on a batch of shape {batch.shape}: {error}") from error
            if len(output) != len(batch):
                raise OutOfMemory(f"the model answered {len(output)} results to a batch of shape {batch.shape}")
            return read(output)
        finally:
            self._slots.put(slot)


class OpenVinoRuntime:
    """Compiles models with OpenVINO.

    Args:
        kept: where compiled models are kept; None compiles them whenever they are loaded.
    """

    name = "openvino"

    def __init__(self, kept: CompiledModels | None = None) -> None:
        # Importing OpenVINO reports it to an analytics service by this package of its own; where the package cannot be imported,
        # OpenVINO goes on with a stub. shizi calls nobody.
        sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
        import openvino

        self._core = openvino.Core()
        self._tensor = openvino.Tensor
        self._kept = kept
        self._surroundings = of_surroundings(f"openvino {openvino.get_version()}")

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> OpenVinoSession:
        """See `Runtime.load`."""
        properties: dict[str, object] = {
            "INFERENCE_NUM_THREADS": options.threads * options.concurrency,
            "NUM_STREAMS": options.concurrency,
            "INFERENCE_PRECISION_HINT": precision_hint(self._core, options.precision),
            "CPU_RUNTIME_CACHE_CAPACITY": _PREPARED if options.few_shapes else 0,
            # Pinning fights with every other process on a shared machine, and with our own threads.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            content = model.read_bytes() if content is None else content
            compiled = self._compile(content, options, properties)
        except (OSError, RuntimeError) as error:
            raise ModelLoadFailed(f"OpenVINO cannot load {model}: {error}") from error
        return OpenVinoSession(compiled, options, self._tensor)

    def _compile(
        self, content: bytes, options: SessionOptions, properties: Mapping[str, object]
    ) -> openvino.CompiledModel:
        if self._kept is None or self._surroundings is None:
            return self._compile_anew(content, options, properties)
        key = of_model(content, options, properties, self._surroundings)
        found = self._kept.get(key)
        if found is not None:
            try:
                return self._core.import_model(found, "CPU", properties)
            except RuntimeError as error:
                _log.warning("a compiled model cannot be used, and is compiled anew: %s", error)
        compiled = self._compile_anew(content, options, properties)
        try:
            with _EXPORTING:
                stream = io.BytesIO()
                compiled.export_model(stream)
                self._kept.put(key, stream.getbuffer())
        except (RuntimeError, MemoryError) as error:
            _log.warning("a compiled model is not kept: %s", error)
        return compiled

    def _compile_anew(
        self, content: bytes, options: SessionOptions, properties: Mapping[str, object]
    ) -> openvino.CompiledModel:
        if options.few_shapes:
            content = rewritten(content, [pool_early]) or content
        network = self._core.read_model(content)
        with _REWRITING:
            network = faster(network, options)
        return self._core.compile_model(network, "CPU", properties)


def precision_hint(core: openvino.Core, precision: Precision) -> str:
    """What OpenVINO calls the precision of all that is not done with 8 bits."""
    if precision == "int8":
        able = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    else:
        able = precision == "bfloat16"
    return "bf16" if able else "f32"


def faster(network: openvino.Model, options: SessionOptions) -> openvino.Model:
    """The network, changed in place, as OpenVINO runs it faster."""
    network = add_gates(shuffle_late(network))
    if options.few_shapes:
        network = straighten_tokens(split_heads(fold_norms(clamp_gates(network))))
    else:  # of lines, whose pictures stay in the processor's caches, nothing is gained
        network = add_branches(network)
    if options.pixels is not None:
        network = take_pixels(network, options.pixels)
    return in_eight_bits(network, options.ranges) if options.precision == "int8" else network
