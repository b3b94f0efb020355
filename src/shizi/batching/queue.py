"""The queue in front of a model: what is run next, and together with what."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from shizi.batching.claim import LANES, Claim, Lane
from shizi.batching.rounds import Rounds

T = TypeVar("T")

# Requests looked at for one that has work of the shape a taker had before; more would make a turn dearer the more wait.
_LOOK = 16
# Deadlines of requests that no longer wait are forgotten from so many on.
_MANY = 256


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A piece of work.

    Attributes:
        claim: the request that it belongs to.
        bucket: its shape; only items of one bucket run together.
        pixels: padded pixels, which is what it costs; at least 1.
        content: what is to be done; not looked at.
    """

    claim: Claim
    bucket: Hashable
    pixels: int
    content: T


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of a batch, and how turns are shared.

    Attributes:
        items: most items of a batch.
        pixels: most padded pixels of a batch; a larger item runs alone.
        quantum: padded pixels that a tenant, and a request of a tenant, gets in a round; about a short line.
        bulk_share: part of all pixels that the bulk lane gets while both lanes have work, between 0 and 1.
        short: padded pixels that a request asked for since it last waited for nothing; for one with no more, all others of the lane
            keep to their rounds, and so they do when it is the turn of one that has no more left.
        ahead: rounds that a request may else be ahead of others of its tenant for a taker's shape.
    """

    items: int = 8
    pixels: int = 4096
    quantum: int = 256
    bulk_share: float = 0.1
    short: int = 2048
    ahead: int = 16


@dataclass(frozen=True, slots=True)
class Turn(Generic[T]):
    """What a taker gets.

    Attributes:
        items: to be run together, all of one bucket; empty where nothing waits.
        dropped: items that will never be run, for their deadline has passed or their request was abandoned; to be told
            to whoever waits for them.
    """

    items: tuple[Item[T], ...]
    dropped: tuple[Item[T], ...]


class BatchQueue(Generic[T]):
    """Work of many requests, handed out batch by batch.

    Shares are fair by padded pixels: between tenants, and between the requests of each, by deficit round-robin, so that a page
    of 400 lines takes as many turns as a single line while both wait. In a round a taker's own shape goes first (a change of
    shape costs a runtime time), then the earliest deadline. Where all that wait are long, a taker's shape goes first for more
    rounds than one, among the requests of a tenant. Nothing is held back: while something waits, a turn is never empty.

    It has no clock and no lock of its own. Adding an item and taking one are O(log n) in the number of requests.
    """

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        shares: dict[Lane, float] = {"interactive": 1 - limits.bulk_share, "bulk": limits.bulk_share}
        self._lanes: dict[Lane, _LaneQueue[T]] = {name: _LaneQueue(limits, share) for name, share in shares.items()}
        self._deadlines: list[tuple[float, int, Claim]] = []
        self._most_deadlines = _MANY
        self._added = 0

    def __len__(self) -> int:
        """Items that wait."""
        return sum(lane.items for lane in self._lanes.values())

    def waiting(self, lane: Lane) -> tuple[int, int, int]:
        """Requests, items and padded pixels that wait in a lane."""
        queue = self._lanes[lane]
        return len(queue.flows), queue.items, queue.pixels

    def add(self, items: Iterable[Item[T]]) -> None:
        """Puts items at the end of what their requests wait for; of one request, those that take longest should come first."""
        for item in items:
            lane = self._lanes[item.claim.lane]
            if not lane.items:
                # Turns that nobody wanted are not saved up.
                lane.clock = max(lane.clock, *(other.clock for other in self._lanes.values() if other.items), 0.0)
            if item.claim not in lane.flows and item.claim.deadline < math.inf:
                self._watch(item.claim)
            lane.add(item)

    def drop(self, claim: Claim) -> tuple[Item[T], ...]:
        """Takes all items of a request out and returns them."""
        return tuple(self._lanes[claim.lane].drop(claim))

    def next_batch(self, now: float, shape_hint: Hashable | None = None, lanes: Collection[Lane] = LANES) -> Turn[T]:
        """What to run next.

        Args:
            now: seconds, as deadlines are counted.
            shape_hint: bucket of the taker's last batch.
            lanes: from which it takes; the others wait.
        """
        dropped: list[Item[T]] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            dropped += self.drop(heapq.heappop(self._deadlines)[2])
        # Between two lanes that are level, the first one named is served.
        while lane := min(
            (lane for name, lane in self._lanes.items() if lane.items and name in lanes),
            key=lambda lane: lane.clock,
            default=None,
        ):
            claim = lane.choose(shape_hint)
            if claim.abandoned():
                dropped += lane.drop(claim)
                continue
            return Turn(tuple(self._fill(lane, lane.take(claim, shape_hint), dropped)), tuple(dropped))
        return Turn((), tuple(dropped))

    def _watch(self, claim: Claim) -> None:
        """Remembers a deadline; those of requests that no longer wait are forgotten when they are the greater part."""
        if len(self._deadlines) > self._most_deadlines:
            waiting = {flow for lane in self._lanes.values() for flow in lane.flows}
            self._deadlines = [entry for entry in self._deadlines if entry[2] in waiting]
            heapq.heapify(self._deadlines)
            self._most_deadlines = max(_MANY, 2 * len(self._deadlines))
        self._added += 1
        heapq.heappush(self._deadlines, (claim.deadline, self._added, claim))

    def _fill(self, lane: _LaneQueue[T], first: Item[T], dropped: list[Item[T]]) -> Iterator[Item[T]]:
        """The first item, and others of its bucket as far as the bounds allow, one of each request in turn."""
        yield first
        items, pixels = 1, first.pixels
        while items < self._limits.items and (claim := lane.mate(first.bucket)) is not None:
            if claim.abandoned():
                dropped += lane.drop(claim)
                continue
            if pixels + lane.flows[claim].peek(first.bucket).pixels > self._limits.pixels:
                return
            item = lane.take(claim, first.bucket)
            items, pixels = items + 1, pixels + item.pixels
            yield item


class _Flow(Generic[T]):
    """What one request waits for, by bucket."""

    def __init__(self) -> None:
        self.buckets: dict[Hashable, deque[Item[T]]] = {}
        self._begun: set[Hashable] = set()
        self.pixels = 0
        """Of all its items, those that were handed out included."""
        self.left = 0
        """Of those that wait."""

    def peek(self, bucket: Hashable) -> Item[T]:
        return self.buckets[bucket][0]

    def choose(self, hint: Hashable | None) -> Hashable:
        """The taker's own shape; else the first that nobody has begun; else the one of which most is left."""
        if hint in self.buckets:
            return hint
        fresh = (bucket for bucket in self.buckets if bucket not in self._begun)
        return next(fresh, max(self.buckets, key=lambda bucket: len(self.buckets[bucket])))

    def take(self, bucket: Hashable) -> Item[T]:
        self._begun.add(bucket)
        items = self.buckets[bucket]
        item = items.popleft()
        self.left -= item.pixels
        if not items:
            del self.buckets[bucket]
        return item


class _LaneQueue(Generic[T]):
    """One lane: tenants in rounds, and the requests of each tenant in rounds.

    Attributes:
        clock: pixels handed out over the lane's share of them; the lane that is behind is served.
    """

    def __init__(self, limits: BatchLimits, share: float) -> None:
        self._limits = limits
        self._share = share
        self.clock = 0.0
        self.items = 0
        self.pixels = 0
        self.flows: dict[Claim, _Flow[T]] = {}
        self._tenants: Rounds[str] = Rounds(limits.quantum)
        self._requests: dict[str, Rounds[Claim]] = {}
        self._by_bucket: dict[Hashable, dict[Claim, None]] = {}
        self._short: set[Claim] = set()

    def add(self, item: Item[T]) -> None:
        claim = item.claim
        if claim not in self.flows:
            self.flows[claim] = _Flow()
            requests = self._requests.setdefault(claim.tenant, Rounds(self._limits.quantum))
            requests.join(claim, claim.deadline, behind=True)
            if claim.tenant not in self._tenants:
                self._tenants.join(claim.tenant, claim.deadline, behind=False)
        flow = self.flows[claim]
        flow.buckets.setdefault(item.bucket, deque()).append(item)
        flow.pixels += item.pixels
        flow.left += item.pixels
        (self._short.add if flow.pixels <= self._limits.short else self._short.discard)(claim)
        self._by_bucket.setdefault(item.bucket, {})[claim] = None
        self.items += 1
        self.pixels += item.pixels

    def choose(self, hint: Hashable | None) -> Claim:
        """Whose turn it is: one with work of the taker's shape that is not too far ahead, else the one with the earliest deadline."""
        first = self._first()
        if hint is None or hint in self.flows[first].buckets:
            return first
        ahead = 0 if self._short or self.flows[first].left <= self._limits.short else self._limits.ahead
        for claim, _ in zip(self._by_bucket.get(hint, ()), range(_LOOK), strict=False):
            if self._tenants.due(claim.tenant) and self._requests[claim.tenant].due(claim, ahead):
                return claim
        return first

    def mate(self, bucket: Hashable) -> Claim | None:
        """The request that waited longest since it last gave an item of this bucket."""
        return next(iter(self._by_bucket.get(bucket, ())), None)

    def take(self, claim: Claim, hint: Hashable | None) -> Item[T]:
        """An item of a request, paid for by it, by its tenant and by the lane."""
        flow = self.flows[claim]
        bucket = flow.choose(hint)
        item = flow.take(bucket)
        mates = self._by_bucket[bucket]
        del mates[claim]
        if bucket in flow.buckets:
            mates[claim] = None
        elif not mates:
            del self._by_bucket[bucket]
        self.items -= 1
        self.pixels -= item.pixels
        self.clock += item.pixels / self._share
        requests = self._requests[claim.tenant]
        requests.charge(claim, item.pixels, claim.deadline)
        following = requests.first() or claim
        self._tenants.charge(claim.tenant, item.pixels, following.deadline)
        if not flow.buckets:
            self._forget(claim)
        return item

    def drop(self, claim: Claim) -> list[Item[T]]:
        flow = self.flows.get(claim)
        if flow is None:
            return []
        for bucket in flow.buckets:
            mates = self._by_bucket[bucket]
            del mates[claim]
            if not mates:
                del self._by_bucket[bucket]
        items = [item for waiting in flow.buckets.values() for item in waiting]
        self.items -= len(items)
        self.pixels -= sum(item.pixels for item in items)
        self._forget(claim)
        return items

    def _first(self) -> Claim:
        tenant = self._tenants.first()
        claim = None if tenant is None else self._requests[tenant].first()
        if claim is None:
            raise LookupError("nobody waits in this lane")
        return claim

    def _forget(self, claim: Claim) -> None:
        del self.flows[claim]
        self._short.discard(claim)
        requests = self._requests[claim.tenant]
        requests.leave(claim)
        if not len(requests):
            del self._requests[claim.tenant]
            self._tenants.leave(claim.tenant)
