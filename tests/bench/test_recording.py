from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from shizi.bench import recording
from shizi.bench.recording import Recorder, replay
from shizi.runtime.base import Batch
from shizi.runtime.fake import FakeRuntime, Slow
from tests.bench.engines import Clock, options

DETECT, READ = Path("models/det-0123456789ab.onnx"), Path("models/rec-0123456789ab.onnx")


def doubled(batch: Batch) -> Batch:
    return 2 * batch


def batch(count: int, width: int = 8) -> Batch:
    return np.full((count, 3, 4, width), count, dtype=np.float32)


def total(output: Batch) -> float:
    return float(output.sum())


def test_the_engine_gets_what_the_runtime_answers_and_its_name() -> None:
    recorder = Recorder(FakeRuntime({"": doubled}))
    assert recorder.name == "fake"
    session = recorder.load(DETECT, options())
    assert session.run(batch(1), total) == 2 * 3 * 4 * 8


def test_only_runs_inside_the_block_are_kept_as_they_were() -> None:
    recorder = Recorder(FakeRuntime({"": doubled}))
    detect, read = recorder.load(DETECT, options()), recorder.load(READ, options(2))
    detect.run(batch(5), total)
    with recorder.record() as kept:
        given = batch(1)
        detect.run(given, total)
        given.fill(9)
        read.run(batch(2, 16), total)
    read.run(batch(5), total)
    assert [(run.model.name, run.batch.shape, run.batch.max()) for run in kept.runs] == [
        ("det", (1, 3, 4, 8), 1),
        ("rec", (2, 3, 4, 16), 2),
    ]
    assert kept.runs[1].model.options.concurrency == 2


def test_parts_of_a_file_are_told_apart() -> None:
    recorder = Recorder(FakeRuntime({"": doubled}))
    with recorder.record() as kept:
        for _ in range(2):
            recorder.load(READ, options(), content=b"part").run(batch(1), total)
    assert [run.model.name for run in kept.runs] == ["rec part 1", "rec part 2"]


def test_runs_of_all_threads_are_kept() -> None:
    recorder = Recorder(FakeRuntime({"": doubled}))
    session = recorder.load(READ, options(4))
    with recorder.record() as kept:
        threads = [threading.Thread(target=session.run, args=(batch(1), total)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(kept.runs) == 8


def test_inputs_that_would_fill_the_memory_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_BYTES", 3 * batch(1).nbytes)
    recorder = Recorder(FakeRuntime({"": doubled}))
    session = recorder.load(DETECT, options())
    with recorder.record() as kept:
        for _ in range(5):
            session.run(batch(1), total)
    assert kept.overflown
    assert kept.runs == []


def test_who_records_may_bound_it_further() -> None:
    recorder = Recorder(FakeRuntime({"": doubled}))
    session = recorder.load(DETECT, options())
    for most, runs in ((2 * batch(1).nbytes, 2), (2 * batch(1).nbytes - 1, 0)):
        with recorder.record(most) as kept:
            session.run(batch(1), total)
            session.run(batch(1), total)
        assert (len(kept.runs), kept.overflown) == (runs, runs == 0)


def test_a_replay_takes_what_the_models_take_and_nothing_else() -> None:
    clock = Clock()
    slow = {"det": Slow(doubled, 0.5, clock.sleep), "rec": Slow(doubled, 0.25, clock.sleep)}
    recorder = Recorder(FakeRuntime(slow))
    detect, read = recorder.load(DETECT, options()), recorder.load(READ, options())
    with recorder.record() as kept:
        for session in (detect, read, read, detect, read):
            session.run(batch(1), total)
            clock.sleep(10)  # work around the models
    assert replay(kept.runs, clock) == {"det": pytest.approx(1.0), "rec": pytest.approx(0.75)}


def test_a_replay_runs_as_many_at_a_time_as_the_engine_may() -> None:
    together: list[int] = []
    inside = 0
    lock = threading.Lock()

    def answer(given: Batch) -> Batch:
        nonlocal inside
        with lock:
            inside += 1
            together.append(inside)
        time.sleep(0.02)
        with lock:
            inside -= 1
        return given

    recorder = Recorder(FakeRuntime({"": answer}))
    session = recorder.load(READ, options(3))
    with recorder.record() as kept:
        for _ in range(6):
            session.run(batch(1), total)
    assert max(together) == 1
    replay(kept.runs)
    assert max(together) == 3
