"""One store over each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.database.connect import connect
from shizi.jobs.job import JobLimits
from tests.jobs.places import Place
from tests.jobs.stores import Stores
from tests.servers import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Of a new database; None for a file."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def stores(database_url: str | None, tmp_path: Path) -> Iterator[Stores]:
    stores = Stores(database_url, tmp_path, JobLimits())
    yield stores
    stores.database.close()


@pytest.fixture
def place(database_url: str | None, tmp_path: Path) -> Iterator[Place]:
    database = connect(database_url, tmp_path)
    yield Place(database)
    database.close()
