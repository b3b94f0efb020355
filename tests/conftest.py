"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

from tests.servers import postgres, redis_server

__all__ = ["postgres", "redis_server"]

# How long one example takes says more about what else the machine does than about shizi; `timeout` bounds each test.
settings.register_profile("shizi", deadline=None)
settings.load_profile("shizi")
