"""What each optimisation brings: the engine against itself with one thing changed."""

from __future__ import annotations

import dataclasses
import inspect
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from shizi.bench.measure import Clock, Engine, Step, Subject
from shizi.errors import ShiziError
from shizi.pipeline.tuning import Tuning
from shizi.runtime.choose import Choice, PrecisionName, RuntimeName

# Other values that are tried of a switch that is not simply on or off, by the name of the field of `Tuning`.
OTHER_VALUES: Final[Mapping[str, Sequence[object]]] = {}
RUNTIMES: Final[tuple[tuple[RuntimeName, PrecisionName], ...]] = (
    ("openvino", "int8"),
    ("openvino", "bfloat16"),
    ("openvino", "float32"),
    ("onnx", "float32"),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """An engine that differs from the one measured in one thing.

    Attributes:
        label: what is different.
        what: the thing in words, from the documentation of the switch.
    """

    label: str
    what: str
    tuning: Tuning
    runtime: RuntimeName
    precision: PrecisionName


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant beside the engine as it is, both read in turn.

    Attributes:
        ratio: its time ÷ the engine's, above 1 where the engine is the faster one; None where it cannot run here.
        changed: documents whose text came out differently.
        problem: why it cannot run here.
    """

    label: str
    what: str
    ratio: float | None = None
    changed: int = 0
    problem: str = ""


def variants(base: Choice, tuning: Tuning) -> tuple[Variant, ...]:
    """The table of what is changed: every switch of `Tuning`, then every other pair of runtime and precision."""
    runtime, precision = base.runtime, base.precision
    texts = descriptions(Tuning)
    found = []
    for field in dataclasses.fields(tuning):
        now = getattr(tuning, field.name)
        others = [not now] if isinstance(now, bool) else OTHER_VALUES[field.name]
        for value in others:
            label = f"{field.name} {_shown(value)}"
            values: dict[str, Any] = {field.name: value}
            changed = dataclasses.replace(tuning, **values)
            found.append(Variant(label, texts.get(field.name, ""), changed, runtime, precision))
    for name, arithmetic in RUNTIMES:
        if (name, arithmetic) != (runtime, precision):
            found.append(Variant(f"{name} {arithmetic}", "another runtime or precision", tuning, name, arithmetic))
    return tuple(found)


def descriptions(record: type) -> dict[str, str]:
    """What the section "Attributes" of a docstring says of each, by name."""
    _, _, section = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {6,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def compare(
    engine: Engine,
    make: Callable[[], AbstractContextManager[Engine]],
    variant: Variant,
    subjects: Sequence[Subject],
    rounds: int,
    step: Step,
    clock: Clock = time.perf_counter,
) -> Comparison:
    """Reads every document with both engines in turn; `make` makes the variant's. Documents are weighed by their time."""
    try:
        made = make()
    except ShiziError as error:
        return Comparison(variant.label, variant.what, problem=str(error))
    with made as other:
        ratio, changed = _race((engine, other), subjects, rounds, step, clock)
    return Comparison(variant.label, variant.what, ratio, changed)


def _race(
    engines: tuple[Engine, Engine], subjects: Sequence[Subject], rounds: int, step: Step, clock: Clock
) -> tuple[float, int]:
    """The second one's time ÷ the first one's, and the number of documents whose text differs."""
    sums, changed = [0.0, 0.0], 0
    for subject in subjects:
        # Once before it counts, so that both are warm.
        changed += engines[0].read(subject.path).text != engines[1].read(subject.path).text
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            # Who reads second finds the file in the processor's cache: each is second as often as the other.
            for index in (0, 1) if number % 2 else (1, 0):
                start = clock()
                engines[index].read(subject.path)
                times[index].append(clock() - start)
            step()
        sums = [total + statistics.median(values) for total, values in zip(sums, times, strict=True)]
    return sums[1] / sums[0], changed


def _shown(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
