"""What the engine asks of a runtime: load a model, run a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from shizi.runtime.normalization import Normalization
from shizi.runtime.ranges import Ranges

Batch = NDArray[np.float32]
Input = Batch | NDArray[np.uint8]
"""What a model is given: numbers as it takes them, or pictures for one loaded with `SessionOptions.pixels`."""
T = TypeVar("T")
Precision = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a model runs.

    Attributes:
        threads: CPU threads of one run.
        precision: of the arithmetic inside the model; outputs are always float32. "int8" multiplies with 8 bits in
            the layers that have a range, and is the best that the CPU has (bfloat16, else float32) elsewhere.
        concurrency: runs at a time; further callers wait. It bounds memory, whatever the number of threads that call.
        few_shapes: the model meets the same shapes again and again, so what was prepared for one is worth keeping.
        ranges: what numbers come into some layers of the model.
        pixels: the model is given pictures of RGB bytes, (N, H, W, 3), of which this makes its input; None where its input is
            made already, in float32.
    """

    threads: int
    precision: Precision = "float32"
    concurrency: int = 1
    few_shapes: bool = False
    ranges: Ranges = field(default_factory=dict)
    pixels: Normalization | None = None


class Session(Protocol):
    """A loaded model with one input and one output; may be called from any number of threads."""

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """Runs the model and hands its output to `read`, returning what that returns.

        The output is only valid inside `read`: a runtime may hand out its own buffer, and copying 18,710 probabilities per
        column costs more than reading them.

        Raises:
            OutOfMemory: the runtime could not get the memory for a batch of this shape.
        """
        ...


class Runtime(Protocol):
    """A library that runs ONNX models."""

    name: str

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> Session:
        """Loads an ONNX file.

        Args:
            model: the file.
            options: how it runs.
            content: a part of the file to load in its place; the file stays the name of it.

        Raises:
            ModelLoadFailed: the file is no model that this runtime can run.
        """
        ...


def as_numbers(batch: Input, pixels: Normalization | None) -> Batch:
    """What a model takes, of what its session was given.

    Raises:
        TypeError: numbers where pixels are wanted, or the other way round.
    """
    check_kind(batch, pixels)
    if pixels is None:
        return np.asarray(batch, dtype=np.float32)
    return pixels.of_pictures(np.asarray(batch, dtype=np.uint8))


def check_kind(batch: Input, pixels: Normalization | None) -> None:
    """Refuses what a program gave by mistake, which would run and mean nothing.

    Raises:
        TypeError: numbers where pixels are wanted, or the other way round.
    """
    wanted = np.float32 if pixels is None else np.uint8
    if batch.dtype != wanted:
        raise TypeError(f"the model takes {np.dtype(wanted)}, and was given {batch.dtype}")
