"""Settings for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers import postgres, redis_server

__all__ = ["postgres", "redis_server"]

# How long one example takes says more about what else the machine does than about shizi; `timeout` bounds each test.
settings.register_profile("shizi", deadline=None)
settings.load_profile("shizi")


@pytest.fixture(scope="session", autouse=True)
def _data_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests start keeps nothing among the data of whoever runs them, and compiles the models of the code as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIZI_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("SHIZI_COMPILED_DIR", str(tmp_path_factory.mktemp("compiled")))
        yield
