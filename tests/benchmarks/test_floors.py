"""The floors fail where the engine is slower, and only there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import floor_checks, floors
from benchmarks.floor_checks import Bed
from benchmarks.floors import Floor
from shizi import OCR
from shizi.bench.documents import draw_letter
from shizi.bench.recording import Recorder
from shizi.errors import ShiziError
from shizi.runtime.base import Batch, Input, Runtime, Session, SessionOptions, T
from shizi.runtime.choose import choose, load_runtime
from shizi.types import Document

pytestmark = pytest.mark.alone


class SleepySession:
    """A model that sleeps before it runs."""

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        time.sleep(self._seconds)
        return self._session.run(batch, read)


class SleepyRuntime:
    """Stands around another runtime, and sleeps before every run."""

    def __init__(self, runtime: Runtime, seconds: float) -> None:
        self.name = runtime.name
        self._runtime = runtime
        self._seconds = seconds

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> SleepySession:
        return SleepySession(self._runtime.load(model, options, content=content), self._seconds)


@pytest.fixture
def slow_bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """The engine with 50 ms before every model run, which the models alone do not take."""
    monkeypatch.setattr(floor_checks, "ROUNDS", 1)
    choice = choose()
    recorder = Recorder(load_runtime(choice.runtime))
    with ExitStack() as stack:
        ocr = stack.enter_context(OCR(runtime=SleepyRuntime(recorder, 0.05)))
        page = tmp_path / "few-lines.png"
        draw_letter(random.Random(1), 500, 300, 26).save(page)
        yield Bed(ocr, recorder, choice, (page,))


def test_a_slow_engine_fails_and_is_told(slow_bed: Bed, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {name: floors.load()[name] for name in ("reading_over_models", "naive_over_reading")}
    assert not floors.check(slow_bed, wanted)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "WORSE in each of 3 attempts" in line] == list(wanted)


class Leaky:
    """An engine that keeps what it read."""

    def __init__(self) -> None:
        self.kept: list[bytearray] = []

    def read(self, source: Path) -> Document:
        self.kept.append(bytearray(source.read_bytes()[:1] * (20 << 20)))
        return Document(())

    def read_many(self, sources: Iterable[Path]) -> Iterator[Document | ShiziError]:
        return map(self.read, sources)


def test_an_engine_that_keeps_memory_fails(tmp_path: Path) -> None:
    recorder = Recorder(load_runtime("onnx"))
    bed = Bed(Leaky(), recorder, choose(), floor_checks.draw_pages(tmp_path))
    assert not floors.load()["memory_growth"].passes(floor_checks.memory_growth(bed))


def test_bounds_leave_the_margin() -> None:
    lower, higher = Floor(1.2, "lower", 0.3), Floor(1.3, "higher", 0.3)
    assert lower.bound == pytest.approx(1.56)
    assert higher.bound == pytest.approx(1.0)
    assert [lower.passes(1.55), lower.passes(1.57), higher.passes(1.01), higher.passes(0.99)] == [
        True,
        False,
        True,
        False,
    ]
    assert (lower.best([1.9, 1.7, 1.8]), higher.best([0.7, 0.9])) == (1.7, 0.9)


def test_an_attempt_ends_with_the_first_that_passes() -> None:
    values = iter([2.0, 1.0, 1.0])
    assert floors.attempt(Floor(1.0, "lower", 0.3), lambda: next(values)) == [2.0, 1.0]
    assert floors.attempt(Floor(1.0, "lower", 0.3), lambda: 5.0) == [5.0, 5.0, 5.0]


def test_measuring_anew_keeps_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "floors.toml"
    text = floors.FILE.read_text(encoding="utf-8")
    file.write_text(floors.written(text, "memory_growth", 1.2345), encoding="utf-8")
    before, after = floors.load(), floors.load(file)
    assert after["memory_growth"].measured == 1.23
    assert {name for name in before if before[name] != after[name]} <= {"memory_growth"}
    assert [line for line in file.read_text().splitlines() if line.startswith("#")] == [
        line for line in text.splitlines() if line.startswith("#")
    ]
    with pytest.raises(ValueError, match="no ratio speed"):
        floors.written(text, "speed", 1.0)


def test_a_ratio_without_a_check_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "floors.toml"
    file.write_text('margin = 0.3\n[ratios.speed]\nmeasured = 1.0\nbetter = "lower"\n')
    with pytest.raises(ValueError, match="speed"):
        floors.load(file)
