from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from shizi.bench.measure import Subject, measure, per_page, throughput, warm_up
from shizi.bench.recording import Recorder
from shizi.runtime.fake import FakeRuntime, Slow
from tests.bench.engines import Clock, FakeEngine, nothing, options


def subject(name: str, pages: int = 1) -> Subject:
    return Subject(name, Path(f"{name}.png"), pages)


def recorded(clock: Clock, seconds: float) -> tuple[Recorder, FakeEngine]:
    """An engine that takes a second around a model of so many seconds."""
    recorder = Recorder(FakeRuntime({"": Slow(lambda batch: batch, seconds, clock.sleep)}))
    session = recorder.load(Path("rec.onnx"), options())
    return recorder, FakeEngine(clock, {"a": 1.0}, session=session, pages=2)


def test_damaged_documents_are_left_out_with_their_reason() -> None:
    engine = FakeEngine(Clock(), {"a": 1.0}, pages=3)
    good, bad = warm_up(engine, {"first": Path("a.png"), "second": Path("b.png")})
    assert good == [Subject("first", Path("a.png"), 3)]
    assert {name: error.code for name, error in bad.items()} == {"second": "CORRUPT_DOCUMENT"}


def test_a_document_is_measured_against_its_models() -> None:
    clock = Clock()
    recorder, engine = recorded(clock, 4.0)
    steps: list[int] = []
    found = measure(engine, recorder, subject("a", 2), 3, lambda: steps.append(1), clock)
    assert found.read_ms == pytest.approx((5000, 5000, 5000))
    assert found.models_ms == {"rec": pytest.approx(4000)}
    assert found.ratio == pytest.approx(5 / 4)
    assert found.stages_ms == {"decode": pytest.approx(1), "recognize": pytest.approx(3)}
    assert found.runs == ({"model": "rec", "shape": [2, 3, 48, 64], "runs": 1},)
    assert per_page([found]) == pytest.approx([2500] * 6)
    assert len(steps) == 3


def test_a_document_without_a_model_run_has_no_ratio() -> None:
    clock = Clock()
    recorder = Recorder(FakeRuntime({}))
    found = measure(FakeEngine(clock, {"a": 1.0}), recorder, subject("a"), 1, nothing, clock)
    assert found.models_ms == {}
    assert found.ratio is None


def test_throughput_counts_pages() -> None:
    clock = Clock()
    engine = FakeEngine(clock, {"a": 1.0, "b": 3.0})
    rates = throughput(engine, [subject("a", 4), subject("b", 4)], 2, nothing, clock)
    assert rates == pytest.approx([8 / 4, 8 / 4])


def test_longer_documents_weigh_more() -> None:
    clock = Clock()
    recorder = Recorder(FakeRuntime({}))
    engine = FakeEngine(clock, {"short": 1.0, "long": 30.0})
    found = [measure(engine, recorder, subject(*of), 1, nothing, clock) for of in (("short", 1), ("long", 10))]
    assert statistics.median(per_page(found)) == pytest.approx(3000)
