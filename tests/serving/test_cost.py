"""What requests cost is learnt from what earlier ones took, and a few odd ones do not matter."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.serving.cost import CostModel, Learnt, Pace, Stages, Surprise, Work, line_pixels, page_work
from shizi.types import Line

A4 = page_work(2480, 3508)


def line(width: float, height: float, *, standing: bool = False) -> Line:
    box = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return Line("text", 1.0, (*box[1:], box[0]) if standing else box)


def teach(model: CostModel, pages: int, noise: random.Random, slow: float = 1.0) -> None:
    """Pages on a machine that decodes 100, detects 10 and reads 0.1 million pixels a second; one in ten takes 30 times as long."""
    for _ in range(pages):
        work = Work(noise.uniform(1e5, 9e6), noise.uniform(1e5, 1e6), noise.uniform(1e3, 3e4))
        odd = 30 if noise.random() < 0.1 else 1
        assert work.lines is not None
        times = (work.decoded / 100e6, work.detected / 10e6, work.lines / 0.1e6)
        model.observe(work, Stages(*(slow * odd * noise.lognormvariate(0, 0.2) * seconds for seconds in times)))


@pytest.mark.parametrize("slow", [0.1, 1.0, 20.0])
def test_a_model_learns_how_fast_a_machine_is_in_spite_of_odd_pages(slow: float) -> None:
    model = CostModel()
    teach(model, 200, random.Random(1), slow)
    for work, seconds in ((Work(8e6, 1e6, 2e4), 0.38), (Work(1e5, 1e5, 200), 0.013)):
        assert model.seconds(work) == pytest.approx(slow * seconds, rel=0.35, abs=0.0025)


def test_a_machine_that_becomes_slower_is_noticed() -> None:
    model, noise = CostModel(), random.Random(2)
    teach(model, 300, noise)
    before = model.seconds(Work(8e6, 1e6, 2e4))
    teach(model, 100, noise, slow=4.0)
    assert model.seconds(Work(8e6, 1e6, 2e4)) == pytest.approx(4 * before, rel=0.3)


def test_a_single_absurd_observation_moves_an_estimate_by_little() -> None:
    learnt = Learnt(1.0)
    for _ in range(40):
        learnt.observe(1.0)
    for absurd in (1e30, 0.0, -1.0, float("nan"), float("inf")):
        learnt.observe(absurd)
    assert learnt.value == pytest.approx(1.0, rel=0.05)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50))
def test_no_observation_makes_an_estimate_useless(values: list[float]) -> None:
    learnt = Learnt(2.0)
    for value in values:
        learnt.observe(value)
    assert 0 < learnt.value < float("inf")


def test_how_much_text_pages_have_is_learnt_for_those_that_were_not_looked_at_yet() -> None:
    model = CostModel()
    for _ in range(60):
        model.observe(Work(1e6, 1e6, 4e4), Stages(0.01, 0.1, 0.4))
    assert model.seconds(Work(1e6, 1e6)) == pytest.approx(0.51, rel=0.1)
    for _ in range(200):
        model.observe(Work(1e6, 1e6, 0.0), Stages(0.01, 0.1, None))
    assert model.seconds(Work(1e6, 1e6)) < 0.2


def test_reading_is_learnt_where_only_its_time_is_known() -> None:
    model = CostModel()
    for _ in range(60):
        model.observe(Work(1e6, 1e6), Stages(0.01, 0.1, 3.0))
    assert model.seconds(Work(1e6, 1e6)) == pytest.approx(3.11, rel=0.1)


def test_a_stage_that_did_not_run_teaches_nothing() -> None:
    model = CostModel()
    before = model.rates()
    model.observe(Work(1e6, 1e6, 100.0), Stages())
    assert model.rates() == before
    assert set(before) == {"decode", "detect", "read"}


def test_what_documents_of_so_many_bytes_take_is_learnt() -> None:
    """Signs and forms have as many pixels for the detector, and a form takes five times as long."""
    model, guess = CostModel(), Work(1e6, 1e6)
    sign, form = Work(9e5, 9e5, 2e3), Work(9e6, 1e6, 4e4)
    for _ in range(30):
        model.learn_size(90_000, guess, sign)
        model.learn_size(1_400_000, guess, form)
    assert model.of_size(80_000, guess) == pytest.approx(model.seconds(sign), rel=0.1)
    assert model.of_size(1_700_000, guess) == pytest.approx(model.seconds(form), rel=0.1)
    assert [model.knows(size) for size in (80_000, 400_000, 1_700_000)] == [True, False, True]
    assert model.of_size(400_000, guess) == model.seconds(guess)


def test_the_first_document_of_a_size_does_not_decide() -> None:
    model, guess = CostModel(), Work(1e6, 1e6)
    model.learn_size(1_500_000, guess, Work(9e8, 9e7, 4e6))
    assert model.of_size(1_500_000, guess) <= 2.01 * model.seconds(guess)
    for _ in range(5):
        model.learn_size(1_500_000, guess, guess)
    assert model.of_size(1_500_000, guess) < 1.5 * model.seconds(guess)


def test_where_bytes_say_nothing_the_guess_does() -> None:
    model, noise = CostModel(), random.Random(3)
    for _ in range(200):
        guess = noise.choice((Work(1e5, 1e5, 1e3), Work(9e6, 1e6, 4e4)))
        model.learn_size(1000, guess, guess)
    for guess in (Work(1e5, 1e5, 1e3), Work(9e6, 1e6, 4e4)):
        assert model.of_size(1000, guess) == pytest.approx(model.seconds(guess), rel=0.01)


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_sizes_are_told_apart_by_factors_of_two(one: int, other: int) -> None:
    model = CostModel()
    model.learn_size(one, A4, A4)
    least, most = sorted((one, other))
    if model.knows(other):
        assert most < 2 * max(1, least)
    if most == least:
        assert model.knows(other)


def test_what_a_page_asks_for() -> None:
    assert A4.decoded == 2480 * 3508
    assert A4.detected == 1_050_000
    assert page_work(300, 60) == Work(18_000, 18_000)


def test_pixels_of_lines_at_the_height_at_which_they_are_read() -> None:
    assert line_pixels([line(480, 24)]) == pytest.approx(960)
    assert line_pixels([line(480, 24), line(24, 480, standing=True)]) == pytest.approx(1920)
    assert line_pixels([line(0, 0)]) == 0


def test_pace_is_work_over_busy_time_alone() -> None:
    pace = Pace()
    now = 0.0
    for _ in range(60):
        pace.begin(now)
        now += 1.0
        pace.done(2.5, now, idle=True)
        now += 100.0  # idle
    assert pace.value == pytest.approx(2.5, rel=0.02)


def test_pace_counts_no_dropped_work() -> None:
    pace = Pace()
    for second in range(200):
        pace.begin(float(second))
        pace.done(0.0 if second % 2 else 1.0, second + 1.0, idle=False)
    assert pace.value == pytest.approx(0.5, rel=0.1)
    pace = Pace()
    pace.done(1.0, 5.0, idle=True)  # nothing had begun
    assert pace.value == 1.0


@pytest.mark.parametrize("spread", [0.05, 0.2, 0.3])
def test_one_request_in_fifty_takes_longer_than_foreseen_with_the_surprise(spread: float) -> None:
    surprise, noise = Surprise(), random.Random(5)
    longer = 0
    for number in range(6000):
        took = 2.0 * noise.lognormvariate(0, spread)
        longer += number >= 2000 and took > 2.0 * surprise.value
        surprise.observe(2.0, took)
    assert 0.012 <= longer / 4000 <= 0.03


def test_a_surprise_is_bounded_and_nothing_is_sooner_than_foreseen() -> None:
    surprise = Surprise()
    for _ in range(100):
        surprise.observe(1.0, 0.1)
        surprise.observe(0.01, 0.4)
    assert surprise.value == 1.0, "a moment is no surprise"
    for _ in range(100):
        surprise.observe(1.0, float("inf"))
    assert surprise.value == pytest.approx(2.0)
    for _ in range(1000):
        surprise.observe(0.01, 0.02)
    assert surprise.value == 1.0, "where only short ones are let in, they bring it down"
