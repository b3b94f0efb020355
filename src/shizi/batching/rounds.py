"""Equal shares for those who wait, in rounds.

Deficit round-robin (Shreedhar and Varghese, "Efficient fair queuing using deficit round-robin", 1996), with two liberties: work
is paid for after it was handed out, so that a piece larger than a round's share makes its owner miss rounds instead of saving
up for it; and inside a round whoever must be done first goes first.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

# Those who left are forgotten from so many on, where their rounds are over.
_MANY = 64


@dataclass(slots=True)
class _Seat:
    """One who waits: what was spent, counted from the first round on, and the entry in the heap that holds."""

    spent: int
    deadline: float
    entry: int = -1


class Rounds(Generic[K]):
    """Who is next among those who wait. Every call takes O(log n), amortised.

    Args:
        quantum: what each may spend in a round.
    """

    def __init__(self, quantum: int) -> None:
        self._quantum = quantum
        self._round = 0
        self._seats: dict[K, _Seat] = {}
        self._left: dict[K, int] = {}
        self._many = _MANY
        # (round, deadline, number of the entry, key); an entry that is not its seat's own any more is skipped.
        self._heap: list[tuple[int, float, int, K]] = []
        self._entries = 0

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, key: object) -> bool:
        return key in self._seats

    def join(self, key: K, deadline: float, *, behind: bool) -> None:
        """Takes a seat, with the debts of the one that was left in this round or in rounds to come.

        Args:
            key: who; must not wait already.
            deadline: whoever has an earlier one goes first in a round.
            behind: not before the next round, so that nobody waits for ever behind those who come later and are in a hurry.
        """
        first = self._round + (1 if behind and self._seats else 0)
        self._seats[key] = _Seat(max(self._left.pop(key, 0), first * self._quantum), deadline)
        self._push(key)

    def leave(self, key: K) -> None:
        """Gives the seat up."""
        seat = self._seats.pop(key)
        if not self._seats:
            # Where nobody waits there is nobody to be fair to.
            self._heap.clear()
            self._left.clear()
            return
        over = self._round * self._quantum
        if seat.spent > over:
            self._left[key] = seat.spent
        if len(self._left) > self._many:
            self._left = {other: spent for other, spent in self._left.items() if spent > over}
            self._many = max(_MANY, 2 * len(self._left))

    def charge(self, key: K, cost: int, deadline: float) -> None:
        """Makes one who waits pay for what was handed out.

        Args:
            key: who.
            cost: in the unit of the quantum.
            deadline: the one that holds from now on.
        """
        seat = self._seats[key]
        # Rounds that nobody was served in are over only now: until then, whoever came could still have been.
        self._round = max(self._round, self._next_round())
        before = seat.spent // self._quantum
        seat.spent += cost
        if seat.spent // self._quantum != before or deadline != seat.deadline:
            seat.deadline = deadline
            self._push(key)

    def first(self) -> K | None:
        """Who is next; None where nobody waits."""
        while self._heap:
            _, _, entry, key = self._heap[0]
            seat = self._seats.get(key)
            if seat is not None and seat.entry == entry:
                return key
            heapq.heappop(self._heap)
        return None

    def due(self, key: K, ahead: int = 0) -> bool:
        """Whether this one may be served in the round that is on, or in the next one where nobody is left in it.

        Args:
            key: who.
            ahead: rounds that it may be ahead of that one.
        """
        seat = self._seats.get(key)
        return seat is not None and seat.spent // self._quantum <= max(self._round, self._next_round()) + ahead

    def _next_round(self) -> int:
        return self._heap[0][0] if self.first() is not None else self._round

    def _push(self, key: K) -> None:
        seat = self._seats[key]
        seat.entry = self._entries
        self._entries += 1
        heapq.heappush(self._heap, (seat.spent // self._quantum, seat.deadline, seat.entry, key))
