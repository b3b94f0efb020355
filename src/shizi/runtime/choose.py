"""Which runtime and precision fit this machine, and why."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.runtime.base import Precision, Runtime
from shizi.runtime.machine import cpu_features

RuntimeName = Literal["auto", "onnx", "openvino"]
PrecisionName = Literal["auto", "float32", "bfloat16"]

_MODULES = {"openvino": "openvino", "onnx": "onnxruntime"}
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


@dataclass(frozen=True, slots=True)
class Choice:
    """A runtime and a precision, with the reason in words."""

    runtime: Literal["onnx", "openvino"]
    precision: Precision
    reason: str


def installed() -> tuple[str, ...]:
    """Names of the runtimes whose library is installed, the preferred one first."""
    return tuple(name for name, module in _MODULES.items() if importlib.util.find_spec(module) is not None)


def choose(
    runtime: str = "auto",
    precision: str = "auto",
    *,
    available: Callable[[], tuple[str, ...]] = installed,
    features: Callable[[], frozenset[str]] = cpu_features,
) -> Choice:
    """Picks the runtime and the precision.

    OpenVINO where it is installed (x86): the same float32 models run faster in it than in ONNX Runtime, and it computes in
    bfloat16 where the CPU does: over whole benchmark sets bigram F1 is within .001 of ONNX Runtime's float32 (docs/performance.md).

    Raises:
        InvalidRequest: a name is unknown, or the two do not go together.
        ModelLoadFailed: the runtime is not installed.
    """
    names = available()
    if runtime not in ("auto", *_MODULES):
        raise InvalidRequest(f"runtime {runtime!r} is unknown; known are auto, {', '.join(_MODULES)}")
    if precision not in ("auto", "float32", "bfloat16"):
        raise InvalidRequest(f"precision {precision!r} is unknown; known are auto, float32, bfloat16")
    if runtime == "auto":
        if not names:
            raise ModelLoadFailed("no runtime is installed; install onnxruntime or openvino")
        runtime, why = names[0], "the fastest one installed"
    elif runtime not in names:
        raise ModelLoadFailed(f"the runtime {runtime!r} is not installed; install {_MODULES[runtime]}")
    else:
        why = "as asked for"
    if precision == "auto":
        capable = runtime == "openvino" and bool(_BFLOAT16_FLAGS & features())
        precision = "bfloat16" if capable else "float32"
        why += "; this CPU computes in bfloat16" if capable else ""
    elif precision == "bfloat16" and runtime != "openvino":
        raise InvalidRequest("precision 'bfloat16' needs the runtime 'openvino'")
    return Choice(cast(Literal["onnx", "openvino"], runtime), cast(Precision, precision), why)


def load_runtime(name: Literal["onnx", "openvino"]) -> Runtime:
    """Imports and starts a runtime; its library takes a tenth of a second and more, so only the chosen one is loaded."""
    if name == "openvino":
        from shizi.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime()
    from shizi.runtime.onnx import OnnxRuntime

    return OnnxRuntime()
