"""Those who wait get equal shares, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from shizi.batching.rounds import Rounds

QUANTUM = 10
MOST = 35


def serve(rounds: Rounds[str], cost: int) -> str:
    key = rounds.first()
    assert key is not None
    rounds.charge(key, cost, 0.0)
    return key


@given(st.lists(st.integers(1, MOST), min_size=20, max_size=200), st.integers(2, 5))
def test_shares_of_those_who_wait_all_the_time_differ_by_a_piece_and_a_round_at_most(costs: list[int], n: int) -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    for key in "abcde"[:n]:
        rounds.join(key, 0.0, behind=False)
    served: Counter[str] = Counter(dict.fromkeys("abcde"[:n], 0))
    for cost in costs:
        served[serve(rounds, cost)] += cost
        assert max(served.values()) - min(served.values()) <= MOST + QUANTUM


def test_in_a_round_the_earliest_deadline_is_first() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    for key, deadline in (("late", 9.0), ("early", 1.0), ("middle", 5.0)):
        rounds.join(key, deadline, behind=False)
    order = []
    for _ in range(6):
        following = rounds.first()
        assert following is not None
        rounds.charge(following, QUANTUM, {"late": 9.0, "early": 1.0, "middle": 5.0}[following])
        order.append(following)
    assert order == ["early", "middle", "late"] * 2


def test_a_piece_larger_than_a_share_makes_its_owner_miss_rounds() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("large", 0.0, behind=False)
    rounds.join("small", 0.0, behind=False)
    order = []
    for _ in range(8):
        key = rounds.first()
        assert key is not None
        rounds.charge(key, 3 * QUANTUM if key == "large" else QUANTUM, 0.0)
        order.append(key)
    assert order == ["large", "small", "small", "small", "large", "small", "small", "small"]


@given(st.integers(1, 8), st.lists(st.integers(1, MOST), min_size=30, max_size=30))
def test_whoever_comes_later_and_in_a_hurry_does_not_keep_another_from_its_turn(hurried: int, costs: list[int]) -> None:
    """After each turn newcomers join whose deadlines are earlier; the one who waited is served before they have had two."""
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("patient", 1e9, behind=True)
    rounds.join("first", 0.0, behind=True)
    numbers = count()
    for cost in costs:
        if serve(rounds, cost) == "patient":
            break
        for _ in range(hurried):
            rounds.join(f"new {next(numbers)}", 0.0, behind=True)
    else:
        raise AssertionError("never served")


def test_leaving_and_coming_back_in_a_round_gives_no_second_share() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("stays", 5.0, behind=False)
    rounds.join("returns", 0.0, behind=False)
    served: Counter[str] = Counter()
    for _ in range(100):
        key = serve(rounds, QUANTUM)
        served[key] += 1
        if key == "returns":
            rounds.leave(key)
            rounds.join(key, 0.0, behind=False)
    assert served == {"stays": 50, "returns": 50}


def test_whoever_comes_while_another_works_off_a_large_piece_goes_first() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("large", 0.0, behind=True)
    serve(rounds, 4 * QUANTUM)
    assert rounds.first() == "large"  # asking who is next passes no round
    rounds.join("new", 9.0, behind=True)
    assert [serve(rounds, QUANTUM) for _ in range(5)] == ["new", "new", "new", "large", "new"]


def test_who_is_due() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("a", 0.0, behind=False)
    rounds.join("b", 1.0, behind=False)
    assert rounds.due("a")
    assert rounds.due("b")
    assert not rounds.due("c")
    rounds.charge("a", QUANTUM, 0.0)
    assert not rounds.due("a")
    assert rounds.due("b")
    rounds.charge("b", QUANTUM, 1.0)
    assert rounds.due("a")  # the round is over: the next one is on


def test_nobody_is_first_where_nobody_waits() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    assert rounds.first() is None
    rounds.join("a", 0.0, behind=True)
    assert "a" in rounds
    assert len(rounds) == 1
    rounds.leave("a")
    assert rounds.first() is None
    assert "a" not in rounds


def test_those_who_left_are_forgotten() -> None:
    rounds: Rounds[str] = Rounds(QUANTUM)
    rounds.join("stays", 0.0, behind=False)
    for number in range(5000):
        key = f"{number}"
        rounds.join(key, 0.0, behind=False)
        rounds.charge(key, QUANTUM // 2, 0.0)
        rounds.leave(key)
        serve(rounds, QUANTUM)
    assert len(rounds._left) < 200
    assert len(rounds._heap) < 200
