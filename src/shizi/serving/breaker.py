"""A circuit breaker: what fails again and again is left alone for a while, then tried by one request.

The pattern is from Nygard, "Release It!", 2007.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from shizi.errors import DeadlineExceeded, EngineUnavailable, InvalidRequest, ModelLoadFailed

State = Literal["closed", "open", "half-open"]

_FAILURES = (EngineUnavailable, ModelLoadFailed, ConnectionError)


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """When a breaker opens, and for how long.

    Attributes:
        failures: failures with no success between them that open it.
        open_s: seconds that it stays open at first; each time a probe fails, twice as long.
        longest_open_s: the longest that it stays open.
        patience_s: a deadline that passed counts as a failure of the engine where the call had at least so many seconds: one
            that had less tells more of its client.
        probe_s: seconds after which a probe that has not ended is taken for lost, and another one is let through.
    """

    failures: int = 5
    open_s: float = 1.0
    longest_open_s: float = 30.0
    patience_s: float = 5.0
    probe_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuses bounds that open never or for ever."""
        times = (self.open_s, self.longest_open_s, self.patience_s, self.probe_s)
        if self.failures < 1 or self.open_s > self.longest_open_s or not all(0 < s < math.inf for s in times):
            raise InvalidRequest(
                "failures must be at least 1, open_s at most longest_open_s, and all times positive and finite"
            )


class Breaker:
    """Stands in front of one engine; belongs to one event loop.

        with breaker.attempt(deadline):
            page = await engine.read_page(…)

    Failures are errors that say that the engine is gone, without models or silent; never that a document is bad. Whatever else
    ends an attempt (a bad document, a client that left) says nothing: it neither opens nor closes the breaker.

    Args:
        options: bounds.
        clock: of deadlines; `time.monotonic`.
    """

    def __init__(self, options: BreakerOptions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options or BreakerOptions()
        self._clock = clock
        self._state: State = "closed"
        self._failures = 0
        self._open_s = self._options.open_s
        self._until = 0.0
        self._epoch = 0
        self._probe: Attempt | None = None
        self.opened = 0
        """How often it opened."""
        self.refused = 0
        """Attempts that it refused."""

    @property
    def state(self) -> State:
        """For metrics; an open breaker whose time is over stays "open" until somebody tries."""
        return self._state

    @property
    def open_to_calls(self) -> bool:
        """Whether an attempt made now would be let through."""
        if self._state == "closed":
            return True
        over = self._clock() >= self._until
        return over or (self._state == "half-open" and self._probe is None)

    def attempt(self, deadline: float) -> Attempt:
        """A call to the engine, to be made inside a `with` statement, which raises EngineUnavailable where it may not be made.

        Args:
            deadline: of the call.
        """
        return Attempt(self, deadline)

    def now(self) -> float:
        """Seconds, on the clock of deadlines."""
        return self._clock()

    def enter(self, attempt: Attempt) -> int:
        """Lets a call through; returns the epoch in which it began.

        Raises:
            EngineUnavailable: the breaker is open, or another call is its probe.
        """
        now = self._clock()
        if self._state == "open" and now >= self._until:
            self._move("half-open")
        if self._state == "half-open" and (self._probe is None or now >= self._until):
            self._probe, self._until = attempt, now + self._options.probe_s
            return self._epoch
        if self._state != "closed":
            self.refused += 1
            after = self._until - now if self._state == "open" else self._options.open_s
            raise EngineUnavailable(
                "the engine failed again and again and is left alone for a while (circuit breaker); try again later",
                max(0.1, after),
            )
        return self._epoch

    def leave(self, attempt: Attempt, epoch: int, allowed: float, error: BaseException | None) -> None:
        """Learns how a call ended. One of another epoch says nothing of the engine as it is now."""
        if self._probe is attempt:
            self._probe = None
        elif epoch != self._epoch or self._state == "half-open":
            return
        if error is None:
            self._failures = 0
            if self._state == "half-open":
                self._open_s = self._options.open_s
                self._move("closed")
        elif self._is_failure(error, allowed):
            self._failures += 1
            if self._state == "half-open":
                self._open_s = min(2 * self._open_s, self._options.longest_open_s)
                self._open()
            elif self._failures >= self._options.failures:
                self._open()

    def _is_failure(self, error: BaseException, allowed: float) -> bool:
        if isinstance(error, (DeadlineExceeded, TimeoutError)):
            return allowed >= self._options.patience_s
        return isinstance(error, _FAILURES)

    def _open(self) -> None:
        self._until = self._clock() + self._open_s
        self.opened += 1
        self._move("open")

    def _move(self, state: State) -> None:
        self._state = state
        self._failures = 0
        self._epoch += 1
        self._probe = None


class Attempt:
    """One call to an engine; see `Breaker.attempt`."""

    def __init__(self, breaker: Breaker, deadline: float) -> None:
        self._breaker = breaker
        self._deadline = deadline
        self._epoch = 0
        self._allowed = 0.0

    def __enter__(self) -> Self:
        self._epoch = self._breaker.enter(self)
        self._allowed = self._deadline - self._breaker.now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._breaker.leave(self, self._epoch, self._allowed, error)
