"""Which models a server reads with, where its engines say different things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shizi.types import ModelInfo

Models = tuple[ModelInfo, ...]


def agreed(said: Sequence[Models], now: Models) -> Models:
    """The models of most engines; between equals those that hold now, then those of the engine that is named first.

    Args:
        said: by each engine that is ready; empty where one did not say yet.
        now: what was agreed before.
    """
    votes = Counter(models for models in said if models)
    if not votes:
        return ()
    most = max(votes.values())
    leading = [models for models in said if votes[models] == most]
    return now if now in leading else leading[0]
