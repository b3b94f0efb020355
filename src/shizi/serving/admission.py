"""Who is let in: bounded numbers, bounded bytes, and only what can be done before its deadline."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from shizi.errors import InvalidRequest, Overloaded
from shizi.serving.cost import CostModel, Pace, Stages, Surprise, Work

Reason = Literal["queue", "bytes", "tenant", "deadline"]

_SOONEST_S = 0.1


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """Bounds of what is under way, that is let in and not answered yet.

    Attributes:
        max_queue_size: requests under way.
        max_queue_bytes: bytes of their documents.
        tenant_share: part of the requests, of the bytes and of the time that one tenant may hold; 1 where there is but one.
        model_timeout: seconds that a request may take; one that allows less says so.
        margin: part of the time left that the estimated wait and work may fill; the rest is for what estimates miss.
    """

    max_queue_size: int = 100
    max_queue_bytes: int = 2**30
    tenant_share: float = 0.7
    model_timeout: float = 30.0
    margin: float = 0.8

    def __post_init__(self) -> None:
        """Refuses bounds that let nothing in, or everything."""
        if self.max_queue_size < 1 or self.max_queue_bytes < 1 or not 0 < self.model_timeout < float("inf"):
            raise InvalidRequest("max_queue_size, max_queue_bytes and model_timeout must be positive and finite")
        if not 0 < self.tenant_share <= 1 or not 0 < self.margin <= 1:
            raise InvalidRequest(
                f"tenant_share is {self.tenant_share} and margin is {self.margin}; both must be above 0 and at most 1"
            )


class Ticket:
    """A request under way; a context manager that gives its place back whatever happens inside, cancellation too."""

    def __init__(self, admission: Admission, tenant: str, size: int, work: Work, deadline: float) -> None:
        self._admission = admission
        self._guess = work
        self.tenant = tenant
        self.size = size
        self.deadline = deadline
        self.since = 0.0
        """When it was let in."""
        self.foreseen = 0.0
        """Seconds that it was then expected to take, waiting included."""
        self._is_learnt = admission.model.knows(size)
        self.cost = admission.model.of_size(size, work)
        """Seconds of work that are expected to be left."""

    def revise(self, work: Work) -> None:
        """Says what is left to do, by the pixels of a page, as soon as it is decoded.

        Where documents of as many bytes were seen before, what they took says more, and stays.
        """
        if not self._is_learnt:
            self._admission.change(self, self._admission.model.seconds(work))

    def observe(self, work: Work, took: Stages) -> None:
        """Says what the whole work was and what it took, for the next estimate."""
        self._admission.model.observe(work, took)
        self._admission.model.learn_size(self.size, self._guess, work)

    def done(self, *, finished: bool) -> None:
        """Gives the place back, and says whether the work was done or dropped; once more does nothing."""
        self._admission.release(self, finished=finished)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done(finished=error is None)


class Admission:
    """Lets requests in or refuses them, in microseconds; belongs to one event loop, and waits for nothing.

    Args:
        options: the bounds.
        clock: of deadlines; `time.monotonic`.
        pace: what the machine is expected to do in a second before it was seen to.
    """

    def __init__(
        self, options: AdmissionOptions, clock: Callable[[], float] = time.monotonic, pace: float = 1.0
    ) -> None:
        self._options = options
        self._clock = clock
        self._pace = Pace(pace)
        self._surprise = Surprise()
        self._tickets: dict[Ticket, None] = {}
        self.model = CostModel()
        self.refused: Counter[Reason] = Counter()
        """Requests that were refused, by reason."""

    @property
    def requests(self) -> int:
        """Requests under way."""
        return len(self._tickets)

    @property
    def bytes(self) -> int:
        """Bytes of their documents."""
        return sum(ticket.size for ticket in self._tickets)

    @property
    def backlog_seconds(self) -> float:
        """Seconds until everything under way is likely to be done."""
        return sum(ticket.cost for ticket in self._tickets) / self._pace.value

    def deadline(self, allowed: float | None = None) -> float:
        """When a request that comes now must be answered.

        Args:
            allowed: seconds that its client allows; None for as many as there are.

        Raises:
            InvalidRequest: no time at all.
        """
        if allowed is not None and not allowed > 0:
            raise InvalidRequest(f"the time allowed is {allowed} s; it must be more than 0")
        most = self._options.model_timeout
        return self._clock() + (most if allowed is None else min(allowed, most))

    def admit(self, tenant: str, work: Work, size: int, deadline: float) -> Ticket:
        """Lets a request in; use what it returns in a `with` statement at once.

        Args:
            tenant: whose it is.
            work: what it asks for, as far as it is known.
            size: bytes of its document.
            deadline: see `deadline`.

        Raises:
            Overloaded: it would not be done in time, or there are too many.
        """
        ticket = Ticket(self, tenant, size, work, deadline)
        self._check_room(ticket)
        ticket.foreseen = self._check_time(ticket)
        ticket.since = self._clock()
        self._tickets[ticket] = None
        self._pace.begin(ticket.since)
        return ticket

    def change(self, ticket: Ticket, cost: float) -> None:
        """See `Ticket.revise`."""
        if ticket in self._tickets:
            # Less is left: that much was done. More is left: the estimate was wrong, and nothing was.
            if cost < ticket.cost:
                self._pace.done(ticket.cost - cost, self._clock(), idle=False)
            ticket.cost = cost

    def release(self, ticket: Ticket, *, finished: bool) -> None:
        """See `Ticket.done`."""
        if ticket in self._tickets:
            now = self._clock()
            del self._tickets[ticket]
            # What was dropped is no work done: a machine that misses deadlines must not look fast.
            self._pace.done(ticket.cost if finished else 0.0, now, idle=not self._tickets)
            if finished or now >= ticket.deadline:  # not where a client went away
                self._surprise.observe(ticket.foreseen, now - ticket.since if finished else math.inf)

    def _check_room(self, new: Ticket) -> None:
        options = self._options
        own = [ticket for ticket in self._tickets if ticket.tenant == new.tenant]
        if self.requests >= options.max_queue_size:
            raise self._refusal(
                "queue",
                f"{self.requests} requests are under way, the limit (max_queue_size) is {options.max_queue_size}",
                self.backlog_seconds / self.requests,
            )
        # A document larger than the bound is let in where it is the only one: its own limit is another.
        if self._tickets and (held := self.bytes + new.size) > options.max_queue_bytes:
            raise self._refusal(
                "bytes",
                f"the documents under way have {held} bytes with this one, the limit (max_queue_bytes) is "
                f"{options.max_queue_bytes}",
                self.backlog_seconds / self.requests,
            )
        if own and (
            len(own) + 1 > options.tenant_share * options.max_queue_size
            or sum(ticket.size for ticket in own) + new.size > options.tenant_share * options.max_queue_bytes
        ):
            raise self._refusal(
                "tenant",
                f"{len(own)} requests of this tenant are under way, which is all of its share (tenant_share is "
                f"{options.tenant_share:g})",
                sum(ticket.cost for ticket in own) / self._pace.value / len(own),
            )

    def _check_time(self, new: Ticket) -> float:
        """Seconds that it is expected to take: work is shared out fairly, so that it waits for no more of each other request than it
        asks for itself. There must be time for what nearly all requests take where so much is expected."""
        options, pace = self._options, self._pace.value
        ahead = sum(min(ticket.cost, new.cost) for ticket in self._tickets)
        own = sum(ticket.cost for ticket in self._tickets if ticket.tenant == new.tenant)
        left = options.margin * (new.deadline - self._clock())
        most = options.margin * options.model_timeout
        foreseen = (ahead + new.cost) / pace
        if self._tickets and (late := foreseen - left / self._surprise.value) > 0:
            raise self._refusal("deadline", _late(foreseen, left / self._surprise.value), late)
        if self._tickets and (late := self.backlog_seconds + new.cost / pace - most) > 0:
            raise self._refusal("deadline", _late(self.backlog_seconds + new.cost / pace, most), late)
        if own and (late := (own + new.cost) / pace - options.tenant_share * most) > 0:
            raise self._refusal(
                "tenant",
                f"the requests of this tenant would take {(own + new.cost) / pace:.1f} s with this one, its share "
                f"(tenant_share) is {options.tenant_share * most:.1f} s",
                late,
            )
        return foreseen

    def _refusal(self, reason: Reason, message: str, after: float) -> Overloaded:
        self.refused[reason] += 1
        return Overloaded(f"{message}; try again later", max(_SOONEST_S, after))


def _late(estimated: float, allowed: float) -> str:
    return (
        f"with what is under way this request would take about {estimated:.1f} s, and {allowed:.1f} s are left for it"
    )
