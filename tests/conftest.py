"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long one example takes says more about what else the machine does than about shizi; `timeout` bounds each test.
settings.register_profile("shizi", deadline=None)
settings.load_profile("shizi")
