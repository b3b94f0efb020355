"""Compare the engine with ratios measured before, loosely: a slow-down by 30 % fails, and so does memory that grows so.

    python -m benchmarks.floors             check; exit code 1 where a ratio is worse than floors.toml allows
    python -m benchmarks.floors --measure   measure anew, and write floors.toml

Both sides of every ratio are measured in turn on this machine, so that no absolute time of any machine is in the file. Each is a
median. A check is repeated, up to three times, while it fails, and the best attempt counts: on a small shared machine one
attempt may be wrong either way by what else runs there, but an engine that has become slower fails all three.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.floor_checks import CHECKS, Bed

FILE = Path(__file__).resolve().parent / "floors.toml"
ATTEMPTS = 3
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Floor:
    """A ratio measured before, which way is better, and how much worse it may become."""

    measured: float
    better: Literal["lower", "higher"]
    margin: float

    @property
    def bound(self) -> float:
        """The worst value that passes."""
        return self.measured * (1 + self.margin) if self.better == "lower" else self.measured / (1 + self.margin)

    def passes(self, value: float) -> bool:
        """Whether a ratio is good enough."""
        return value <= self.bound if self.better == "lower" else value >= self.bound

    def best(self, values: list[float]) -> float:
        """Of several attempts."""
        return min(values) if self.better == "lower" else max(values)


def load(file: Path = FILE) -> dict[str, Floor]:
    """The ratios of a file, by name.

    Raises:
        ValueError: the file names other ratios than there are checks.
    """
    record = tomllib.loads(file.read_text(encoding="utf-8"))
    floors = {
        name: Floor(entry["measured"], entry["better"], record["margin"]) for name, entry in record["ratios"].items()
    }
    if set(floors) != set(CHECKS):
        raise ValueError(f"{file} has the ratios {sorted(floors)}, but there are checks for {sorted(CHECKS)}")
    return floors


def attempt(floor: Floor, measure: Callable[[], float]) -> list[float]:
    """Measures until one value passes, three times at most."""
    values: list[float] = []
    while len(values) < ATTEMPTS and not any(map(floor.passes, values)):
        values.append(measure())
    return values


def check(bed: Bed, floors: dict[str, Floor]) -> bool:
    """Prints a line for every ratio; whether all are good enough."""
    good = True
    print(f"{'ratio':<22} {'now':>6} {'before':>7} {'bound':>8}")
    for name, floor in floors.items():
        values = attempt(floor, lambda name=name: CHECKS[name](bed))  # type: ignore[misc]
        value = floor.best(values)
        good = good and floor.passes(value)
        sign = "≤" if floor.better == "lower" else "≥"
        verdict = "ok" if floor.passes(value) else f"WORSE in each of {len(values)} attempts"
        print(f"{name:<22} {value:>6.2f} {floor.measured:>7.2f} {sign} {floor.bound:>6.2f}  {verdict}", flush=True)
    return good


def measure(bed: Bed, repeats: int, file: Path = FILE) -> None:
    """Measures every ratio several times, one after the other, and writes the medians into the file."""
    found: dict[str, list[float]] = {name: [] for name in CHECKS}
    for _ in range(repeats):
        for name, ratio in CHECKS.items():
            found[name].append(ratio(bed))
    text = file.read_text(encoding="utf-8")
    for name, values in found.items():
        print(
            f"{name:<22} {statistics.median(values):>6.2f}  of {', '.join(f'{value:.2f}' for value in sorted(values))}"
        )
        text = written(text, name, statistics.median(values))
    file.write_text(text, encoding="utf-8", newline="\n")


def written(text: str, name: str, value: float) -> str:
    """The file's text with another value for this ratio; comments stay.

    Raises:
        ValueError: it has no such ratio.
    """
    changed, count = re.subn(rf"(\[ratios\.{name}\]\n(?:.*\n)*?measured = )[\d.]+", rf"\g<1>{value:.2f}", text, count=1)
    if count != 1:
        raise ValueError(f"there is no ratio {name} in the file")
    return changed


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="write the ratios of now into floors.toml")
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help="with --measure: the median of so many (default: 5)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shizi-floors-") as folder, Bed.made(Path(folder)) as bed:
        if arguments.measure:
            measure(bed, arguments.repeats)
            return 0
        return 0 if check(bed, load()) else 1


if __name__ == "__main__":
    sys.exit(main())
