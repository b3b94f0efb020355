"""What a measurement found: a table for people, JSON for programs, and whether it is what it should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Check:
    """One figure and its aim.

    Attributes:
        what: it is.
        value: that was measured.
        aim: in words.
        holds: whether it was met.
    """

    what: str
    value: float
    aim: str
    holds: bool


@dataclass(slots=True)
class Report:
    """All of one measurement.

    Attributes:
        name: of the measurement.
        figures: by name.
        checks: figures with an aim.
    """

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    def at_least(self, what: str, value: float, least: float) -> None:
        """A figure that should not be below another."""
        self.checks.append(Check(what, value, f"≥ {least:g}", value >= least))

    def at_most(self, what: str, value: float, most: float) -> None:
        """A figure that should not be above another."""
        self.checks.append(Check(what, value, f"≤ {most:g}", value <= most))

    @property
    def holds(self) -> bool:
        """Whether all aims were met."""
        return all(check.holds for check in self.checks)

    def table(self) -> str:
        """For people."""
        rows = [f"{self.name}", *(f"  {name:<52} {_said(value)}" for name, value in self.figures.items())]
        for check in self.checks:
            rows.append(f"{'✓' if check.holds else '✗'} {check.what:<52} {_said(check.value)}   (aim: {check.aim})")
        return "\n".join(rows)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(each)}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(_said(each) for each in value)
    return str(value)
