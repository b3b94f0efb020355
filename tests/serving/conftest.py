"""One server for the tests that need no special one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.serving.feedback_desk import make
from tests.serving.processes import LocalServer

__all__ = ["make"]


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    with LocalServer(uploads={"max_bytes": 3_000_000, "max_parts": 6, "max_field_bytes": 200}) as process:
        yield process


@pytest.fixture(scope="session")
def client(server: LocalServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client
