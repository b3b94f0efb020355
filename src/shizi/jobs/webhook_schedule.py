"""When a webhook is tried again, and when no more; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shizi.errors import InvalidRequest

_MOST_STEPS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """How patient the sender is.

    Attributes:
        first_s: seconds to the second attempt.
        factor: by which each wait is longer than the one before.
        longest_s: the longest wait, also of those that a receiver asks for.
        jitter: part of a wait by which it is shortened or lengthened, so that receivers are not met by all at once.
        attempts: in all.
        age_s: seconds from the event after which nothing is tried any more.
    """

    first_s: float = 5.0
    factor: float = 4.0
    longest_s: float = 4 * 3600.0
    jitter: float = 0.2
    attempts: int = 12
    age_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        if (
            min(self.first_s, self.longest_s, self.age_s, self.attempts) <= 0
            or self.factor < 1
            or not 0 <= self.jitter < 1
        ):
            raise InvalidRequest(
                "waits, attempts and age of webhooks must be positive, the factor at least 1, jitter below 1"
            )


def next_wait(rules: RetryRules, attempts: int, age_s: float, asked_s: float | None, chance: float) -> float | None:
    """Seconds until the next attempt; None where there is none.

    Args:
        rules: the sender's patience.
        attempts: made so far, at least 1.
        age_s: seconds since the event.
        asked_s: what the receiver's Retry-After says.
        chance: evenly from [0, 1).
    """
    if attempts >= rules.attempts:
        return None
    wait = min(rules.first_s, rules.longest_s)
    for _ in range(min(attempts - 1, _MOST_STEPS)):  # not a power: 4.0 ** 600 is no number any more
        wait = min(wait * rules.factor, rules.longest_s)
    wait *= 1 + rules.jitter * (2 * chance - 1)
    if asked_s is not None:
        wait = max(wait, min(asked_s, rules.longest_s))
    return wait if age_s + wait <= rules.age_s else None
