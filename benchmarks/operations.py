"""Which operations the models spend their time in: a page's batches, run again with OpenVINO's own counters.

python -m benchmarks.operations [--page FILE] [--output FILE.md]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flame import PAGE
from shizi import OCR
from shizi.bench.recording import Recorder, Run
from shizi.runtime.base import Batch, Input, SessionOptions, T
from shizi.runtime.choose import choose, load_runtime
from shizi.runtime.openvino import faster, precision_hint

ROUNDS = 3
_BAR = 30
_LEAST = 0.005


@dataclass(slots=True)
class Counted:
    """Milliseconds of a page by the kind of operation, and how many of them ran."""

    ms: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    runs: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


class CountingSession:
    """A model compiled with OpenVINO's counters on."""

    def __init__(self, request: Any) -> None:  # noqa: ANN401 (OpenVINO has no types)
        self._request = request
        self.counted = Counted()

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """See `Session.run`; also adds up the times of the operations."""
        self._request.infer({0: batch})
        for entry in self._request.get_profiling_info():
            if (ms := entry.real_time.total_seconds() * 1000) > 0:
                self.counted.ms[f"{entry.node_type} ({entry.exec_type})"] += ms
                self.counted.runs[f"{entry.node_type} ({entry.exec_type})"] += 1
        return read(np.asarray(self._request.get_output_tensor(0).data))


class CountingRuntime:
    """Loads models with counters, one run at a time on one thread: times of runs side by side could not be added up."""

    name = "openvino"

    def __init__(self) -> None:
        load_runtime("openvino")  # keeps OpenVINO from calling home
        import openvino

        self._core = openvino.Core()

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> CountingSession:
        """See `Runtime.load`."""
        network = faster(self._core.read_model(str(model) if content is None else content), options)
        hint = precision_hint(self._core, options.precision)
        properties = {"PERF_COUNT": True, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": hint}
        return CountingSession(self._core.compile_model(network, "CPU", properties).create_infer_request())


def count(runs: Sequence[Run]) -> dict[str, Counted]:
    """Milliseconds of a page by model and operation, means over a few rounds after a first that does not count."""
    sessions: dict[str, CountingSession] = {}
    for number in range(ROUNDS + 1):
        for run in runs:
            session = run.model.session
            assert isinstance(session, CountingSession)
            if number == 0:
                sessions[run.model.name] = session
            session.run(run.batch, lambda _output: None)
        if number == 0:
            for session in sessions.values():
                session.counted = Counted()
    return {name: session.counted for name, session in sessions.items()}


def as_markdown(found: dict[str, Counted], page: str, precision: str) -> str:
    """A table for each model; operations below half a percent are added up."""
    parts = [
        f"Milliseconds of one thread for `{page}` by the kind of operation and the kernel that ran it, OpenVINO, {precision}."
    ]
    for name, counted in found.items():
        total = sum(counted.ms.values()) or 1.0
        rows = []
        rest = 0.0
        for kind, ms in sorted(counted.ms.items(), key=lambda item: -item[1]):
            if ms < _LEAST * total:
                rest += ms
                continue
            bar = "█" * max(1, round(_BAR * ms / total))
            rows.append(
                f"| {kind} | {counted.runs[kind] // ROUNDS} | {ms / ROUNDS:.1f} | {100 * ms / total:.1f} % | {bar} |"
            )
        rows.append(f"| all others | | {rest / ROUNDS:.1f} | {100 * rest / total:.1f} % | |")
        head = f"| {name}: {total / ROUNDS:.0f} ms | times | ms | share | |\n|---|---|---|---|---|"
        parts.append("\n".join([head, *rows]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--output", type=Path, metavar="FILE.md")
    options = parser.parse_args()
    precision = choose("openvino").precision
    recorder = Recorder(CountingRuntime())
    # Counters are of one request, so one thread reads.
    with OCR(runtime=recorder, threads=1) as ocr, recorder.record() as recording:
        ocr.read(options.page)
    text = as_markdown(count(recording.runs), options.page.name, precision)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main()
