from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from shizi.bench.measure import Many, Subject, many, measure, per_page, read_all, warm_up
from shizi.bench.recording import Recorder
from shizi.errors import CorruptDocument, ShiziError
from shizi.runtime.fake import FakeRuntime, Slow
from shizi.types import Document
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


def test_many_documents_are_measured_against_their_models_in_turn() -> None:
    clock = Clock()
    recorder, engine = recorded(clock, 4.0)
    steps: list[float] = []
    found = many(engine, recorder, [subject("a", 2)], 3, lambda: steps.append(clock.now), clock)
    assert found.pages_per_second == pytest.approx((2 / 5,) * 3)
    assert found.ratios == pytest.approx((5 / 4,) * 3)
    # Once to know what the models are given, the models, and then 12 documents and the models again in each round.
    assert steps == pytest.approx([5 + 4 + 64, 5 + 4 + 2 * 64, 5 + 4 + 3 * 64])


class Listed(FakeEngine):
    """Documents of a list take five seconds each, or cannot be read."""

    fails = False

    def read_many(self, sources: Iterable[Path]) -> Iterator[Document | ShiziError]:
        for _ in sources:
            self.clock.sleep(5.0)
            yield CorruptDocument("it is damaged") if self.fails else Document(())


def test_what_slows_down_meanwhile_is_compared_with_what_it_was_before_and_after() -> None:
    clock = Clock()
    seconds = iter([1.0, 2.0, 3.0])  # what is recorded, and twice alone

    def sleep(_seconds: float) -> None:
        clock.sleep(next(seconds))

    recorder = Recorder(FakeRuntime({"": Slow(lambda batch: batch, 1.0, sleep)}))
    engine = Listed(clock, {"a": 0.0}, session=recorder.load(Path("rec.onnx"), options()))
    assert many(engine, recorder, [subject("a")], 1, nothing, clock).ratios == pytest.approx((5 / 2.5,))


@pytest.mark.parametrize(
    ("count", "pages", "listed"), [(1, 1, 24), (5, 1, 25), (24, 1, 48), (25, 1, 50), (1, 100, 2), (2, 5, 6)]
)
def test_a_list_is_so_long_that_its_ends_weigh_little_and_no_longer(count: int, pages: int, listed: int) -> None:
    engine = FakeEngine(Clock(), {"a": 1.0}, pages=pages)
    many(engine, Recorder(FakeRuntime({})), [subject("a", pages)] * count, 1, nothing, engine.clock)
    assert len(engine.order) == 1 + listed  # the first one ran no model, so that the others are not looked at


def test_without_a_model_run_many_documents_have_a_rate_and_no_ratio() -> None:
    clock = Clock()
    found = many(
        FakeEngine(clock, {"a": 1.0, "b": 3.0}),
        Recorder(FakeRuntime({})),
        [subject("a", 4), subject("b", 4)],
        2,
        nothing,
        clock,
    )
    assert found == Many((2.0, 2.0), ())


def test_inputs_that_are_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    recorder, engine = recorded(clock, 4.0)
    monkeypatch.setattr("shizi.bench.measure._MAX_BYTES", 2 * 2 * 3 * 48 * 64 * 4 - 1)
    assert many(engine, recorder, [subject("a", 2)], 1, nothing, clock).ratios
    assert not many(engine, recorder, [subject("a", 2)] * 2, 1, nothing, clock).ratios


def test_a_document_that_fails_among_many_is_not_counted_as_read() -> None:
    engine = Listed(Clock(), {})
    read_all(engine, [Path("a.png")])
    engine.fails = True
    with pytest.raises(CorruptDocument):
        read_all(engine, [Path("a.png")])


def test_longer_documents_weigh_more() -> None:
    clock = Clock()
    recorder = Recorder(FakeRuntime({}))
    engine = FakeEngine(clock, {"short": 1.0, "long": 30.0})
    found = [measure(engine, recorder, subject(*of), 1, nothing, clock) for of in (("short", 1), ("long", 10))]
    assert statistics.median(per_page(found)) == pytest.approx(3000)
