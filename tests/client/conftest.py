from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shizi import AsyncClient, Client
from shizi.client import ClientOptions

Ask = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Calls a method of a client of either kind: `ask(url, "read", b"…", pages=[1])`; `key` and `options` are the client's."""

    def blocking(url: str, method: str, *sent: object, **named: object) -> object:
        key, options = named.pop("key", None), named.pop("options", None)
        assert isinstance(key, str | None)
        assert isinstance(options, ClientOptions | None)
        with Client(url, key, options=options) as client:
            return getattr(client, method)(*sent, **named)

    def on_a_loop(url: str, method: str, *sent: object, **named: object) -> object:
        key, options = named.pop("key", None), named.pop("options", None)
        assert isinstance(key, str | None)
        assert isinstance(options, ClientOptions | None)

        async def call() -> object:
            async with AsyncClient(url, key, options=options) as client:
                return await getattr(client, method)(*sent, **named)

        return asyncio.run(call())

    return blocking if request.param == "sync" else on_a_loop
