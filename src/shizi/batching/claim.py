"""On whose behalf, and until when, something is worked out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from shizi.errors import DeadlineExceeded

Lane = Literal["interactive", "bulk"]
LANES: Final[tuple[Lane, ...]] = ("interactive", "bulk")
NOBODY: Final = "anonymous"


def _never() -> bool:
    return False


# eq=False: a claim is one request, not what is known of it; two that look alike are two.
@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A request's claim to its share of an engine; made once a request and passed down as an argument.

    Attributes:
        tenant: who pays for it: shares are by tenant first.
        deadline: seconds of `time.monotonic`; nothing of the request is begun after it.
        lane: "bulk" work gets what "interactive" work leaves, but always a share.
        abandoned: says whether nobody waits for the answer any more; asked from other threads, and must not block.
    """

    tenant: str = NOBODY
    deadline: float = math.inf
    lane: Lane = "interactive"
    abandoned: Callable[[], bool] = _never

    def check(self, now: float) -> None:
        """Goes on only where somebody still waits.

        Raises:
            DeadlineExceeded: the deadline has passed, or the request was given up.
        """
        if self.deadline <= now or self.abandoned():
            raise self.late(now)

    def late(self, now: float) -> DeadlineExceeded:
        """What to say where a request's work was not begun."""
        if self.deadline <= now:
            return DeadlineExceeded(
                "the deadline of this request has passed before it was read; ask for fewer pages, or allow more time"
            )
        return DeadlineExceeded("nobody waited for this request any more, so it was dropped")
