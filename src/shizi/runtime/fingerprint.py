"""What a compiled model depends on, as one string: where any of it differs, the model is compiled anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
        hashlib.sha256(content).hexdigest(),
        [options.threads, options.precision, options.concurrency, options.few_shapes],
        [[name, known.least, known.greatest.tobytes().hex()] for name, known in sorted(options.ranges.items())],
        [options.pixels.reverse, options.pixels.scale, options.pixels.shift] if options.pixels else None,
        sorted((name, str(value)) for name, value in properties.items()),
        surroundings,
    ]
    return json.dumps(facts)


def of_surroundings(library: str) -> str:
    """Of this processor, a library by its name and version, and the code that changes models before they are compiled.

    That code is looked at itself, so that whoever changes it need not think of a number to raise.
    """
    code = sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in Path(__file__).parent.rglob("*.py"))
    return json.dumps([cpu_model(), sorted(cpu_features()), library, code])
