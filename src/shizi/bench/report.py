"""All that a bench found out, ready for JSON. Names of documents are in it only as far as the caller put them in."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shizi.bench.ablation import Comparison
from shizi.bench.measure import Many, Measured, per_page
from shizi.bench.peers import PeerTimes
from shizi.bench.stats import percentile
from shizi.runtime.choose import Choice
from shizi.runtime.machine import cpu_count, cpu_model, cpu_quota
from shizi.types import ModelInfo

_LIBRARIES = ("shizi", "numpy", "onnxruntime", "openvino", "opencv-python-headless", "pillow", "rapidocr")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures were measured on and with."""

    cpu: str
    cpu_quota: float
    threads: int
    system: str
    python: str
    runtime: str
    precision: str
    tier: str
    models: tuple[ModelInfo, ...]
    libraries: dict[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one bench.

    Attributes:
        drawn: whether the documents were drawn by the bench.
        many: documents two at a time.
        peak_mb: resident memory of the process after every document was read once and then by `read_many`; what follows
            keeps inputs of its own.
    """

    machine: Machine
    drawn: bool
    rounds: int
    documents: tuple[Measured, ...]
    many: Many
    peak_mb: float | None
    ablation: tuple[Comparison, ...] = ()
    peers: tuple[PeerTimes, ...] = ()

    @property
    def pages(self) -> int:
        """Of all documents."""
        return sum(one.pages for one in self.documents)

    @property
    def median_ms(self) -> float:
        """Per page, over all pages and rounds."""
        return statistics.median(per_page(self.documents))

    @property
    def p95_ms(self) -> float:
        """The same, of which 95 % are not above it (`shizi.bench.stats.percentile`)."""
        return percentile(per_page(self.documents), 0.95)

    @property
    def ratio(self) -> float | None:
        """End to end ÷ pure model time, over all documents of which both are known."""
        known = [one for one in self.documents if one.models_ms]
        models = sum(sum(one.models_ms.values()) for one in known)
        return sum(one.median_ms for one in known) / models if models else None

    @property
    def pages_per_second(self) -> float:
        """Of `read_many`."""
        return statistics.median(self.many.pages_per_second)

    @property
    def ratio_of_many(self) -> float | None:
        """Time of `read_many` ÷ pure model time, by the median of the rounds; None where that is not known."""
        return statistics.median(self.many.ratios) if self.many.ratios else None

    @property
    def stages_ms(self) -> dict[str, float]:
        """Mean milliseconds per page of each stage."""
        return self._per_page([one.stages_ms for one in self.documents])

    @property
    def models_ms(self) -> dict[str, float]:
        """Mean milliseconds per page of each model when it runs alone."""
        return self._per_page([one.models_ms for one in self.documents])

    def _per_page(self, parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
        names = dict.fromkeys(name for part in parts for name in part)
        return {name: sum(part.get(name, 0.0) for part in parts) / self.pages for name in names}


def machine(choice: Choice, tier: str, models: Sequence[ModelInfo]) -> Machine:
    """The facts of this process; nothing about the user, and no path."""
    return Machine(
        cpu=cpu_model(),
        cpu_quota=cpu_quota(),
        threads=cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        runtime=choice.runtime,
        precision=choice.precision,
        tier=tier,
        models=tuple(models),
        libraries={name: version for name in _LIBRARIES if (version := _version(name))},
    )


def peak_mb() -> float | None:
    """The most resident memory that this process ever had; None on Windows, which does not tell in this way."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def as_json(report: Report) -> str:
    """All figures, and those that are made of them."""
    record: dict[str, Any] = dataclasses.asdict(report)
    record["summary"] = {
        "pages": report.pages,
        "median_ms_per_page": report.median_ms,
        "p95_ms_per_page": report.p95_ms,
        "pages_per_second": report.pages_per_second,
        "stages_ms_per_page": report.stages_ms,
        "models_ms_per_page": report.models_ms,
        "end_to_end_over_models": report.ratio,
        "many_end_to_end_over_models": report.ratio_of_many,
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""
