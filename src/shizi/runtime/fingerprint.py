"""What a compiled model depends on, as one string: where any of it differs, the model is compiled anew."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from shizi.runtime.base import SessionOptions
from shizi.runtime.machine import cpu_features, cpu_model


def of_model(content: bytes, options: SessionOptions, properties: Mapping[str, object], surroundings: str) -> str:
    """Of one model.

    Args:
        content: its file.
        options: how it runs.
        properties: what the library that compiles it is told.
        surroundings: where and with what it is compiled.
    """
    facts: list[Any] = [
        _hash(content),
        [options.threads, options.precision, options.concurrency, options.few_shapes],
        [[name, known.least, known.greatest.tobytes().hex()] for name, known in sorted(options.ranges.items())],
        [options.pixels.reverse, options.pixels.scale, options.pixels.shift] if options.pixels else None,
        sorted((name, str(value)) for name, value in properties.items()),
        surroundings,
    ]
    return json.dumps(facts)


@cache
def of_surroundings(library: str) -> str | None:
    """Of this processor, a library by its name and version, and the code that changes models before they are compiled.

    That code is looked at itself, so that whoever changes it need not think of a number to raise; once in a process, for what runs
    is what was there when it began.

    Returns:
        None where the code cannot be looked at, as in a program packed into one file: then nothing is known of what was compiled.
    """
    root = Path(__file__).parent
    files = [*root.rglob("*.py"), *(root.parent / "onnx").rglob("*.py")]
    try:
        code = {str(file.relative_to(root.parent)): _hash(file.read_bytes()) for file in sorted(files)}
    except OSError:
        return None
    facts = [cpu_model(), sorted(cpu_features()), os.environ.get("ONEDNN_MAX_CPU_ISA"), library, code]
    return json.dumps(facts) if code else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
