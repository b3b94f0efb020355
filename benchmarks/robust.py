"""Feed every file of a folder to shizi and count what comes back: a result or exactly one clear error, nothing else.

    python benchmarks/robust.py --data DIR [--stage decode|read] [--recycle 20]

DIR holds the files, in any depth; DIR/../<name>_index.jsonl with `image` and `category` per line, if there, groups
them. Files are handled by child processes, so that a crash, a hang or a memory blow is seen and costs one file. Exit
code 1 if there was any.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HANG_S = 30.0
START_S = 60.0  # a child that reads loads models first
MAX_RSS_MB = 1500.0
BAD = ("CRASH", "HANG", "LEAK", "NOISE", "FAT")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one file gave; rss_mb is 0.0 where the process had been larger before."""

    file: str
    code: str
    seconds: float
    rss_mb: float
    message: str


class Child:
    """A process that handles one file after the other."""

    def __init__(self, stage: str) -> None:
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self._seen = 0
        self.handled = 0
        command = [sys.executable, "-W", "always", __file__, "--child", stage, "--data", "."]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._noise, text=True
        )
        self._line(START_S)

    def handle(self, path: Path) -> Outcome:
        """One file; the child is dead afterwards if it crashed or hung."""
        assert self._process.stdin
        start = time.perf_counter()
        self.handled += 1
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return Outcome(str(path), "CRASH", 0.0, 0.0, "the process was dead")
        line = self._line(HANG_S)
        seconds = time.perf_counter() - start
        if not line:
            code = "HANG" if seconds >= HANG_S else "CRASH"
            return Outcome(str(path), code, seconds, 0.0, f"status {self._process.wait()}: {self._new_noise()[-300:]}")
        reply = json.loads(line)
        noise = self._new_noise()
        code, message = ("NOISE", noise) if noise and reply["code"] not in BAD else (reply["code"], reply["message"])
        if reply["rss_mb"] > MAX_RSS_MB:
            code = "FAT"
        return Outcome(str(path), code, seconds, reply["rss_mb"], message)

    @property
    def alive(self) -> bool:
        """Whether it can take another file."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._noise.close()

    def _line(self, seconds: float) -> str:
        assert self._process.stdout
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            return self._process.stdout.readline()
        finally:
            timer.cancel()

    def _new_noise(self) -> str:
        self._noise.seek(self._seen)
        text = self._noise.read().decode(errors="replace").strip()
        self._seen = self._noise.seek(0, os.SEEK_END)
        return text


def run_child(stage: str) -> None:
    """Handle the paths on stdin; one JSON line each."""
    from shizi.errors import ShiziError
    from shizi.imaging.decode import open_pages

    if stage == "read":
        from shizi import OCR

        engine = OCR()

    def handle(path: str) -> str:
        if stage == "read":
            return f"{len(engine.read(path).pages)} pages"
        return f"{sum(1 for _ in open_pages(path, text_layer='auto'))} pages"

    print("ready", flush=True)
    peak = _rss_mb()
    for line in sys.stdin:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                code, message = "result", handle(line.rstrip("\n"))
            except ShiziError as error:
                code, message = error.code, str(error)
            except BaseException as error:
                code, message = "LEAK", f"{type(error).__name__}: {error}"
        if caught and code != "LEAK":
            code, message = "NOISE", str(caught[0].message)
        rose = _rss_mb()
        reply = {"code": code, "message": message, "rss_mb": rose if rose > peak + 1 else 0.0}
        peak = max(peak, rose)
        print(json.dumps(reply), flush=True)


def _rss_mb() -> float:
    """The larger of this process's and its largest child's peak resident memory."""
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(peaks) / (2**20 if sys.platform == "darwin" else 2**10)


def run(files: list[Path], stage: str, recycle: int) -> list[Outcome]:
    """Outcomes in the order of the files."""
    outcomes: list[Outcome] = []
    child: Child | None = None
    for number, path in enumerate(files, 1):
        if child is None or not child.alive or child.handled >= recycle:
            if child:
                child.close()
            child = Child(stage)
        outcomes.append(child.handle(path))
        if sys.stderr.isatty():
            print(f"\r{number}/{len(files)}", end="", file=sys.stderr)
    if child:
        child.close()
    return outcomes


def report(outcomes: list[Outcome], categories: dict[str, str]) -> None:
    """A line per category, then every bad file."""
    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[categories[outcome.file]].append(outcome)
    print(f"{'category':<20}{'files':>6}{'worst s':>9}{'worst MB':>10}  outcomes")
    for name, group in [*sorted(groups.items()), ("all", outcomes)]:
        counts = ", ".join(f"{code} {count}" for code, count in Counter(item.code for item in group).most_common())
        seconds, rss = max(item.seconds for item in group), max(item.rss_mb for item in group)
        print(f"{name:<20}{len(group):>6}{seconds:>9.2f}{rss:>10.0f}  {counts}")
    for outcome in outcomes:
        if outcome.code in BAD:
            print(f"{outcome.code} {outcome.file}: {outcome.message[:300]}")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stage", choices=("decode", "read"), default="decode")
    parser.add_argument("--recycle", type=int, default=20, help="files that one process handles")
    parser.add_argument("--json", type=Path, help="write every outcome here")
    parser.add_argument("--child", choices=("decode", "read"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_child(arguments.child)
        return 0
    files = sorted(path for path in arguments.data.rglob("*") if path.is_file())
    categories = _categories(arguments.data, files)
    outcomes = run(files, arguments.stage, arguments.recycle)
    report(outcomes, categories)
    if arguments.json:
        rows: list[dict[str, Any]] = [{name: getattr(item, name) for name in Outcome.__slots__} for item in outcomes]
        arguments.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    return int(any(outcome.code in BAD for outcome in outcomes))


def _categories(data: Path, files: list[Path]) -> dict[str, str]:
    index = data.parent / f"{data.name}_index.jsonl"
    named = {}
    if index.exists():
        named = {row["image"]: row["category"] for row in map(json.loads, index.read_text().splitlines())}
    return {str(path): named.get(path.relative_to(data).as_posix(), "unlisted") for path in files}


if __name__ == "__main__":
    sys.exit(main())
