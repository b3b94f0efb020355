"""Accuracy and speed of shizi and its peers, side by side in one run: every image goes to every engine in turn.

    python -m benchmarks.accuracy --data DIR [--data DIR ...] [--engine NAME ...] [--limit N] [--json FILE] [--markdown FILE]

DIR is a set, or holds sets: folders with `labels.jsonl` (one object a line: `image`, `lines[] {text, ignore?}`) and the images.
The peers are installed into environments of their own below `--peers` on first use; Tesseract is taken from the system.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import venv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.scoring import Score
from benchmarks.sets import find_sets
from benchmarks.tables import Row, as_markdown, summary

HERE = Path(__file__).resolve().parent
RAPIDOCR = ("rapidocr==3.10.0", "onnxruntime", "openvino")
ENGINES = {
    "shizi": ("shizi_worker.py", ("auto", "auto"), ()),
    "shizi-openvino-f32": ("shizi_worker.py", ("openvino", "float32"), ()),
    "shizi-onnx": ("shizi_worker.py", ("onnx", "float32"), ()),
    "rapidocr-onnx": ("rapidocr_worker.py", ("onnxruntime",), RAPIDOCR),
    "rapidocr-openvino": ("rapidocr_worker.py", ("openvino",), RAPIDOCR),
    "tesseract": ("tesseract_worker.py", ("eng+chi_sim",), ()),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine says of one image, or that it is ready."""

    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    timings_ms: dict[str, float] = field(default_factory=dict)
    ready: bool = False


class Worker:
    """An engine in a process of its own."""

    def __init__(self, name: str, peers: Path) -> None:
        script, arguments, packages = ENGINES[name]
        python = _environment(peers / "rapidocr", packages) if packages else sys.executable
        command = [str(python), str(HERE / "peers" / script), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def read(self, image: Path) -> Answer:
        """Lines, seconds and peak memory (MB) of one image."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{image}\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return Answer(**json.loads(line))
        raise SystemExit(f"{self._process.args!r} ended with {self._process.wait()}")


def _environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """A virtual environment with these packages."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "ready").touch()
    return python


@dataclass(slots=True)
class Result:
    """What one engine did on one set."""

    score: Score = field(default_factory=Score)
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def row(self) -> Row:
        """For the tables."""
        return {
            "images": len(self.seconds),
            "bigram_f1": self.score.bigram.value,
            "word_f1": self.score.word.value,
            "seconds_per_page": statistics.fmean(self.seconds),
            "median_seconds": statistics.median(self.seconds),
            "peak_mb": self.peak_mb,
            "stages_ms": dict(self.stages),
        }


def run_set(folder: Path, workers: dict[str, Worker], limit: int | None, keep: Path | None) -> dict[str, Result]:
    """Reads every image of a set with every engine."""
    results = {name: Result() for name in workers}
    rows = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()][:limit]
    for worker in workers.values():
        worker.read(folder / rows[0]["image"])  # warm-up, not counted
    for row in rows:
        expected = [line["text"] for line in row["lines"] if not line.get("ignore")]
        for name, worker in workers.items():
            answer = worker.read(folder / row["image"])
            result = results[name]
            result.score.add(expected, answer.lines)
            result.seconds.append(answer.seconds)
            result.peak_mb = answer.peak_mb
            for stage, value in answer.timings_ms.items():
                result.stages[stage] += value / len(rows)
            if keep:
                with (keep / f"{folder.name}.{name}.jsonl").open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"image": row["image"], "lines": answer.lines}, ensure_ascii=False) + "\n")
    return results


def main() -> None:
    """Prints a table per set and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: all that can run here")
    parser.add_argument("--limit", type=int, help="only the first N images of each set")
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "shizi-peers")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--keep", type=Path, help="folder for every engine's lines, to look at differences")
    options = parser.parse_args()
    names = options.engine or [name for name in ENGINES if name != "tesseract" or shutil.which("tesseract")]
    if options.engine is None and not shutil.which("tesseract"):
        print(
            "tesseract is not installed (Debian: tesseract-ocr tesseract-ocr-chi-sim); it is left out", file=sys.stderr
        )
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    workers = {name: Worker(name, options.peers) for name in names}
    report: dict[str, dict[str, Row]] = {}
    print(
        f"{'set':<12} {'engine':<20} {'bigram F1':>9} {'word F1':>8} {'s/page':>8} {'median':>8} {'peak MB':>8}  ms by stage",
        flush=True,
    )
    for folder in find_sets(options.data):
        report[folder.name] = {}
        for name, result in run_set(folder, workers, options.limit, options.keep).items():
            row = report[folder.name][name] = result.row()
            numbers = f"{row['bigram_f1']:>9.4f} {row['word_f1']:>8.4f} {row['seconds_per_page']:>8.3f} {row['median_seconds']:>8.3f}"
            stages = " ".join(f"{stage} {value:.0f}" for stage, value in row["stages_ms"].items())
            print(f"{folder.name:<12} {name:<20} {numbers} {row['peak_mb']:>8.0f}  {stages}".rstrip(), flush=True)
    for worker in workers.values():
        worker.close()
    print("\n" + as_markdown(report), end="")
    if options.markdown:
        options.markdown.write_text(as_markdown(report), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps({"sets": report, "summary": summary(report)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
