"""What is run next: in bounds, fair, nothing late, nothing lost, and nobody idle while something waits."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.batching.claim import Claim, Lane
from shizi.batching.queue import BatchLimits, BatchQueue, Item, Turn

ONE = BatchLimits(items=1)
LIMITS = BatchLimits(items=4, pixels=1024, quantum=256)
WIDTHS = (64, 128, 320, 2048)


def pieces(claim: Claim, count: int, width: int = 128) -> list[Item[int]]:
    return [Item(claim, width, width, number) for number in range(count)]


def queue(limits: BatchLimits, *items: list[Item[int]]) -> BatchQueue[int]:
    made: BatchQueue[int] = BatchQueue(limits)
    for some in items:
        made.add(some)
    return made


def drain(
    waiting: BatchQueue[int], turns: int = 10**6, hint: Callable[[Turn[int]], object] = lambda _: None
) -> list[Item[int]]:
    """Items in the order in which they are handed out."""
    taken: list[Item[int]] = []
    last: object = None
    while len(waiting) and turns:
        turns -= 1
        turn = waiting.next_batch(0.0, last)
        last = hint(turn)
        taken += turn.items
    return taken


@dataclass(slots=True, eq=False)
class Draw:
    """A drawn request."""

    tenant: str
    deadline: float
    lane: Lane
    widths: list[int]
    gone: list[bool] = field(default_factory=lambda: [False])

    def claim(self) -> Claim:
        return Claim(self.tenant, self.deadline, self.lane, lambda: self.gone[0])


draws = st.lists(
    st.builds(
        Draw,
        st.sampled_from("abc"),
        st.sampled_from([5.0, 50.0, float("inf")]),
        st.sampled_from(("interactive", "bulk")),
        st.lists(st.sampled_from(WIDTHS), min_size=1, max_size=12),
    ),
    max_size=12,
)
# What happens to the queue: a request comes, a batch is taken with a hint, a request is given up or taken out, time passes.
steps = st.lists(
    st.tuples(st.sampled_from(["add", "take", "take", "leave", "drop", "wait"]), st.integers(0, 11)), max_size=60
)


@given(draws, steps)
def test_nothing_is_lost_late_or_out_of_bounds_and_something_runs_while_something_waits(
    requests: list[Draw], script: list[tuple[str, int]]
) -> None:
    waiting: BatchQueue[tuple[int, int]] = BatchQueue(LIMITS)
    claims: dict[Claim, Draw] = {}
    out: list[Item[tuple[int, int]]] = []
    now, added, asked = 0.0, 0, list(requests)
    for what, number in [*script, *[("take", 0)] * 150]:
        known = list(claims)
        if what == "add" and asked:
            draw = asked.pop()
            claim = draw.claim()
            claims[claim] = draw
            waiting.add(Item(claim, width, width, (len(claims), piece)) for piece, width in enumerate(draw.widths))
            added += len(draw.widths)
        elif what == "leave" and known:
            claims[known[number % len(known)]].gone[0] = True
        elif what == "drop" and known:
            out += waiting.drop(known[number % len(known)])
        elif what == "wait":
            now += number
        elif what == "take":
            before = len(waiting)
            turn = waiting.next_batch(now, WIDTHS[number % 4])
            check(turn, now)
            assert before == len(waiting) + len(turn.items) + len(turn.dropped)
            assert turn.items or not len(waiting)
            out += [*turn.items, *turn.dropped]
    assert len(waiting) == 0
    assert [waiting.waiting(lane) for lane in ("interactive", "bulk")] == [(0, 0, 0)] * 2
    assert len(out) == added == len({item.content for item in out})


def check(turn: Turn[tuple[int, int]], now: float) -> None:
    """A batch is of one shape and within bounds, and nothing in it is late; only what is late or given up is dropped."""
    assert len({item.bucket for item in turn.items}) <= 1
    assert len(turn.items) <= LIMITS.items
    assert len(turn.items) == 1 or sum(item.pixels for item in turn.items) <= LIMITS.pixels
    assert all(item.claim.deadline > now and not item.claim.abandoned() for item in turn.items)
    assert all(item.claim.deadline <= now or item.claim.abandoned() for item in turn.dropped)


@given(
    st.lists(st.sampled_from(WIDTHS), min_size=30, max_size=60),
    st.lists(st.sampled_from(WIDTHS), min_size=30, max_size=60),
    st.integers(0, 20),
)
def test_two_requests_get_equal_pixels_while_both_wait(left: list[int], right: list[int], ahead: int) -> None:
    """But for the rounds that one may be ahead for the taker's shape."""
    one, two = Claim("a"), Claim("a")
    waiting: BatchQueue[int] = BatchQueue(BatchLimits(items=1, ahead=ahead))
    for claim, widths in ((one, left), (two, right)):
        waiting.add(Item(claim, width, width, 0) for width in widths)
    served: Counter[Claim] = Counter({one: 0, two: 0})
    remaining = {one: len(left), two: len(right)}
    hint: object = None
    while all(remaining.values()):
        (item,) = waiting.next_batch(0.0, hint).items
        hint = item.bucket
        served[item.claim] += item.pixels
        remaining[item.claim] -= 1
        assert abs(served[one] - served[two]) <= max(WIDTHS) + (2 + ahead) * ONE.quantum


def changes(limits: BatchLimits, *items: list[Item[int]]) -> int:
    """How often a single taker's shape changes until all is done."""
    order = [item.bucket for item in drain(queue(limits, *items), hint=lambda turn: turn.items[0].bucket)]
    return sum(one != other for one, other in pairwise(order))


def pages(count: int) -> list[list[Item[int]]]:
    """Long requests of many shapes, those that take longest first."""
    random = Random(1)
    drawn = [sorted(random.choices(range(64, 1024, 64), k=30), reverse=True) for _ in range(count)]
    return [[Item(claim, width, width, 0) for width in widths] for widths in drawn for claim in [Claim("a")]]


def test_where_all_are_long_pieces_of_one_shape_run_in_a_row() -> None:
    strict = changes(BatchLimits(items=1, ahead=0), *pages(5))
    assert changes(ONE, *pages(5)) < 0.6 * strict


@pytest.mark.parametrize("others", [1, 4])
def test_a_tenant_whose_page_could_run_ahead_gets_a_line_of_its_own_as_soon(others: int) -> None:
    """Tenants keep to strict rounds."""
    waited = []
    for ahead in (0, 16):
        waiting = queue(BatchLimits(items=1, ahead=ahead), pieces(Claim("a"), 60))
        for number in range(others):
            waiting.add(pieces(Claim(f"other {number}"), 60, 192))
        drain(waiting, 30, lambda _: 128)
        line = Claim("a")
        waiting.add(pieces(line, 1, 64))
        after = [item.claim for item in drain(waiting, 60, lambda _: 128)]
        waited.append(after.index(line))
    assert waited[0] == waited[1]


def test_one_with_little_left_is_not_kept_waiting() -> None:
    many, few = Claim("a"), Claim("a")
    waiting = queue(ONE, pieces(few, 17, 192))
    drain(waiting, 10)
    waiting.add(pieces(many, 100))
    served = [waiting.next_batch(0.0, 128).items[0].claim for _ in range(20)]
    assert served.count(few) == 7


def test_while_a_short_one_waits_nobody_runs_ahead() -> None:
    """Of two long requests one was served alone; its shape is the taker's."""
    ahead, behind, short = Claim("a"), Claim("a"), Claim("a")
    for comes in (False, True):
        waiting = queue(ONE, pieces(ahead, 40), pieces(behind, 40, 192))
        served = [waiting.next_batch(0.0, 128).items[0].claim for _ in range(8)]
        assert served == [ahead] * 8
        if comes:
            waiting.add(pieces(short, 1, 64))
        assert waiting.next_batch(0.0, 128).items[0].claim == (behind if comes else ahead)


def test_a_tenant_with_many_requests_gets_no_more_than_one_with_a_single_one() -> None:
    many = [Claim("many") for _ in range(50)]
    single = Claim("single")
    waiting = queue(ONE, *[pieces(claim, 10) for claim in many], pieces(single, 100))
    taken = drain(waiting, 180)
    served = Counter(item.claim.tenant for item in taken)
    assert abs(served["many"] - served["single"]) <= 4


@pytest.mark.parametrize("hinted", [False, True])
def test_a_page_of_400_lines_does_not_keep_a_line_waiting(hinted: bool) -> None:
    """Even where each taker goes on with its own shape, and the page's deadline is the earlier one."""
    page, line = Claim(deadline=10.0), Claim(deadline=20.0)
    waiting = queue(ONE, pieces(page, 400))
    taken = drain(waiting, 100, lambda turn: turn.items[0].bucket if hinted else None)
    waiting.add(pieces(line, 1, 192))
    after = drain(waiting, 6, lambda turn: turn.items[0].bucket if hinted else None)
    assert len(taken) == 100
    assert line in [item.claim for item in after]


def test_the_earliest_deadline_is_first_among_equals() -> None:
    claims = [Claim(deadline=deadline) for deadline in (30.0, 10.0, 20.0)]
    waiting = queue(ONE, *[pieces(claim, 1) for claim in claims])
    waiting.add(pieces(Claim(deadline=5.0), 2))
    order = [item.claim.deadline for item in drain(waiting)]
    assert order[0] == 30.0  # it came when nobody else waited: its round was on
    assert order[1:] == [5.0, 5.0, 10.0, 20.0]


def test_a_taker_goes_on_with_its_shape_then_begins_one_of_its_own_then_helps() -> None:
    claim = Claim()
    waiting: BatchQueue[int] = BatchQueue(ONE)
    waiting.add(Item(claim, shape, 1, number) for number, shape in enumerate("abbcccc"))
    order = []
    for hint in (None, None, None, "a", "b", "b", "c"):
        (item,) = waiting.next_batch(0.0, hint).items
        order.append((item.bucket, item.content))
    assert order == [("a", 0), ("b", 1), ("c", 3), ("c", 4), ("b", 2), ("c", 5), ("c", 6)]


def test_in_a_round_another_request_with_the_takers_shape_goes_first() -> None:
    first = Claim(deadline=1.0)
    others = [Claim(deadline=2.0 + number) for number in range(6)]
    waiting = queue(
        ONE, pieces(first, 1, 64), *[pieces(claim, 1, 64 * (1 + number % 2)) for number, claim in enumerate(others)]
    )
    order = [item.bucket for item in drain(waiting, hint=lambda turn: turn.items[0].bucket)]
    assert order == [64, 64, 64, 64, 128, 128, 128]


def test_lines_of_different_requests_stand_in_one_batch() -> None:
    claims = [Claim(tenant) for tenant in "abcde"]
    waiting = queue(LIMITS, *[pieces(claim, 1) for claim in claims], pieces(claims[0], 1, 64))
    turn = waiting.next_batch(0.0, 128)
    assert len({item.claim for item in turn.items}) == 4
    assert {item.bucket for item in turn.items} == {128}


def test_a_batch_takes_one_line_of_each_request_in_turn() -> None:
    long, short = Claim(), Claim()
    waiting = queue(LIMITS, pieces(long, 100), pieces(short, 2))
    assert [item.claim for item in waiting.next_batch(0.0).items] == [long, short, long, short]


def test_what_stands_in_a_batch_of_another_is_paid_for() -> None:
    """Two requests of one shape fill the batches of each other; a third of another shape still gets its half of the turns."""
    pair, third = [Claim(), Claim()], Claim()
    waiting = queue(LIMITS, *[pieces(claim, 200) for claim in pair], pieces(third, 100, 320))
    served: Counter[Claim] = Counter()
    for _ in range(60):
        for item in waiting.next_batch(0.0).items:
            served[item.claim] += item.pixels
    assert max(served.values()) - min(served.values()) <= 2 * LIMITS.pixels


def test_bulk_work_gets_its_share_and_no_more() -> None:
    bulk, interactive = Claim("a", lane="bulk"), Claim("b")
    waiting = queue(BatchLimits(items=1, bulk_share=0.1), pieces(bulk, 1000), pieces(interactive, 1000))
    taken = Counter(item.claim.lane for item in drain(waiting, 500))
    assert taken["bulk"] == pytest.approx(50, abs=1)


def test_bulk_work_gets_everything_while_nothing_else_waits_and_saves_nothing_up() -> None:
    bulk, interactive = Claim("a", lane="bulk"), Claim("b")
    waiting = queue(BatchLimits(items=1, bulk_share=0.1), pieces(bulk, 1000))
    assert {item.claim for item in drain(waiting, 300)} == {bulk}
    waiting.add(pieces(interactive, 500))
    taken = drain(waiting, 200)
    assert taken[0].claim is interactive
    assert Counter(item.claim.lane for item in taken)["bulk"] == pytest.approx(20, abs=1)
    assert waiting.waiting("bulk")[0] == waiting.waiting("interactive")[0] == 1


def test_an_idle_lane_has_no_claim_to_the_time_it_was_idle() -> None:
    waiting = queue(BatchLimits(items=1, bulk_share=0.1), pieces(Claim("b"), 1000))
    drain(waiting, 900)
    waiting.add(pieces(Claim("a", lane="bulk"), 100))
    assert Counter(item.claim.lane for item in drain(waiting, 50))["bulk"] == pytest.approx(5, abs=1)


def test_expired_items_are_told_at_once_wherever_they_stand() -> None:
    late, fine = Claim(deadline=5.0), Claim(deadline=50.0)
    waiting = queue(ONE, pieces(fine, 3), pieces(late, 400))
    turn = waiting.next_batch(5.0)
    assert [item.claim for item in turn.items] == [fine]
    assert [item.content for item in turn.dropped] == list(range(400))
    assert waiting.next_batch(50.0).items == ()


def test_dropping_an_unknown_request_drops_nothing() -> None:
    waiting = queue(ONE, pieces(Claim(), 2))
    assert waiting.drop(Claim()) == ()
    assert len(waiting) == 2


def test_deadlines_of_requests_that_were_served_are_forgotten() -> None:
    waiting: BatchQueue[int] = BatchQueue(ONE)
    waiting.add(pieces(Claim(deadline=1e9), 2))
    for _ in range(5000):
        waiting.add(pieces(Claim(deadline=1e8), 1))
        drain(waiting, 1)
    assert len(waiting._deadlines) < 600


def test_a_hundred_thousand_items_take_microseconds_each() -> None:
    """And twenty times as many requests may not take six times as long an item: turns are O(log n)."""

    def seconds_an_item(requests: int) -> float:
        claims = [Claim(f"tenant {number % 40}", deadline=1e6 + number) for number in range(requests)]
        each = 100_000 // requests
        start = time.process_time()
        waiting: BatchQueue[int] = BatchQueue(LIMITS)
        for number, claim in enumerate(claims):
            waiting.add(pieces(claim, each, 64 + 32 * (number % 9)))
        assert len(waiting) == each * requests
        taken = drain(waiting, hint=lambda turn: turn.items[0].bucket)
        assert len(taken) == each * requests
        return (time.process_time() - start) / len(taken)

    few, many = min(seconds_an_item(1000) for _ in range(2)), min(seconds_an_item(20_000) for _ in range(2))
    assert many < 100e-6
    assert many < 6 * few


@given(st.integers(0, 3), st.integers(1, 40))
def test_every_tenant_is_served_within_a_round(hurry: int, crowd: int) -> None:
    """However many others come later and in a hurry, a line is served after one turn of each tenant and two rounds of its own."""
    waiting: BatchQueue[int] = BatchQueue(ONE)
    target = Claim("t", deadline=1e6)
    for number in range(crowd):
        waiting.add(pieces(Claim(f"{number}", deadline=1.0), 50))
    waiting.add(pieces(target, 1))
    turns: defaultdict[str, int] = defaultdict(int)
    while (item := waiting.next_batch(0.0).items[0]).claim is not target:
        turns[item.claim.tenant] += 1
        for _ in range(hurry):
            waiting.add(pieces(Claim(item.claim.tenant, deadline=0.5), 3))
    assert max(turns.values()) <= 4
