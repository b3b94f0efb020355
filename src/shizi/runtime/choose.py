"""Which runtime and precision fit this machine, and why."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.runtime.base import Precision, Runtime
from shizi.runtime.compiled import CompiledModels
from shizi.runtime.machine import cpu_features

RuntimeName = Literal["auto", "onnx", "openvino"]
PrecisionName = Literal["auto", "float32", "bfloat16", "int8"]

_MODULES = {"openvino": "openvino", "onnx": "onnxruntime"}
# What a CPU must have, by precision: any of these flags. Without its own instructions, products of 8 bits overflow.
_FLAGS: Final[Mapping[str, frozenset[str]]] = {
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8"}),
    "bfloat16": frozenset({"avx512_bf16", "amx_bf16"}),
}
_WHY: Final = {"int8": "; this CPU multiplies numbers of 8 bits", "bfloat16": "; this CPU computes in bfloat16"}


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

    OpenVINO where it is installed (x86): the same float32 models run faster in it than in ONNX Runtime, and it computes with 8
    bits and in bfloat16 where the CPU does: over whole benchmark sets bigram F1 is within .001 of ONNX Runtime's float32
    (docs/performance.md).

    Raises:
        InvalidRequest: a name is unknown, or the two do not go together.
        ModelLoadFailed: the runtime is not installed.
    """
    names = available()
    if runtime not in ("auto", *_MODULES):
        raise InvalidRequest(f"runtime {runtime!r} is unknown; known are auto, {', '.join(_MODULES)}")
    if precision not in get_args(PrecisionName):
        raise InvalidRequest(f"precision {precision!r} is unknown; known are {', '.join(get_args(PrecisionName))}")
    if runtime == "auto":
        if not names:
            raise ModelLoadFailed("no runtime is installed; install onnxruntime or openvino")
        runtime, why = names[0], "the fastest one installed"
    elif runtime not in names:
        raise ModelLoadFailed(f"the runtime {runtime!r} is not installed; install {_MODULES[runtime]}")
    else:
        why = "as asked for"
    if precision == "auto":
        able = features() if runtime == "openvino" else frozenset[str]()
        precision = next((name for name, flags in _FLAGS.items() if flags & able), "float32")
        why += _WHY.get(precision, "")
    elif precision != "float32" and runtime != "openvino":
        raise InvalidRequest(f"precision {precision!r} needs the runtime 'openvino'")
    elif precision == "int8" and not _FLAGS["int8"] & features():
        raise InvalidRequest(f"precision 'int8' needs a CPU with one of {', '.join(sorted(_FLAGS['int8']))}")
    return Choice(cast(Literal["onnx", "openvino"], runtime), cast(Precision, precision), why)


def load_runtime(name: Literal["onnx", "openvino"], compiled: Path | None = None) -> Runtime:
    """Imports and starts a runtime; its library takes a tenth of a second and more, so only the chosen one is loaded.

    Args:
        name: which one.
        compiled: the folder where OpenVINO keeps what it compiles; ONNX Runtime keeps nothing.
    """
    if name == "openvino":
        from shizi.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(None if compiled is None else CompiledModels(compiled))
    from shizi.runtime.onnx import OnnxRuntime

    return OnnxRuntime()
