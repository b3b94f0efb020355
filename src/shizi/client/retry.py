"""Whether a call is tried again, and after how long. Pure: neither clock nor chance is in here."""

from __future__ import annotations

from typing import Final

from shizi.client.options import ClientOptions
from shizi.errors import EngineUnavailable, ShiziError, TryLater

_FIRST_PAUSE_S: Final = 0.5
NOT_BEGUN: Final = (429, 503)


class NobodyListens(EngineUnavailable):
    """The connection was refused: nothing was sent."""


def pause_between_streams(error: ShiziError | None, failures: int, options: ClientOptions) -> float:
    """Seconds until a stream that ended is asked for again.

    Args:
        error: that it ended with; None where its server just went home.
        failures: in a row, this one included.
        options: of the client.

    Raises:
        ShiziError: the error itself, where there were too many.
    """
    if error is not None and failures >= options.attempts:
        raise error
    said = error.retry_after if isinstance(error, TryLater) and error.retry_after is not None else 0.0
    return min(max(said, _FIRST_PAUSE_S * 2.0 ** min(failures, 16)), options.longest_pause_s)


def pause(error: ShiziError, status: int, attempt: int, options: ClientOptions, chance: float) -> float | None:
    """Seconds to wait before the next attempt; None where there is to be none.

    Only what was not begun, or what the server says may be asked again, is. It says itself how long to wait (Retry-After); else each
    pause is twice the one before, spread by chance so that clients who were refused together do not come back together.

    Args:
        error: of the attempt.
        status: of its answer; 0 where none came.
        attempt: counted from 1.
        options: of the client.
        chance: between 0 and 1.
    """
    if attempt >= options.attempts:
        return None
    if not isinstance(error, NobodyListens) and not (status in NOT_BEGUN and error.retryable):
        return None
    spread = 1 + chance / 2
    said = error.retry_after if isinstance(error, TryLater) else None
    if said is not None:
        wait = said if said > options.longest_pause_s else min(said * spread, options.longest_pause_s)
    else:
        wait = min(_FIRST_PAUSE_S * 2.0 ** (attempt - 1) * spread, options.longest_pause_s)
    return None if wait > options.longest_pause_s else wait
