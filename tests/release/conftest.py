from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shizi.database.connect import Database, connect
from shizi.release.feedback import FeedbackLimits, FeedbackStore
from tests.servers import PostgresServer

MakeStore = Callable[..., FeedbackStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.database()
    made = connect(url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(database: Database) -> MakeStore:
    """Makes stores over the same database."""
    return lambda **limits: FeedbackStore(database, FeedbackLimits(**limits))
