"""Who may work at the same time: many together, or one alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Turns:
    """Whoever wants to be alone waits for the end of the others' work, and nobody begins before it is done."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._together = 0
        self._alone = 0  # at work, or waiting for it

    @contextlib.asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """For work beside others'."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._alone == 0)
            self._together += 1
        try:
            yield
        finally:
            await asyncio.shield(self._leave())

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """For work that is part of `together` and goes on alone."""
        async with self._changed:
            self._alone += 1
            self._together -= 1
            self._changed.notify_all()
            try:
                await self._changed.wait_for(lambda: self._together == 0)
                self._together += 1
            except BaseException:
                self._together += 1
                self._alone -= 1
                raise
        try:
            yield
        finally:
            await asyncio.shield(self._not_alone())

    async def _leave(self) -> None:
        async with self._changed:
            self._together -= 1
            self._changed.notify_all()

    async def _not_alone(self) -> None:
        async with self._changed:
            self._alone -= 1
            self._changed.notify_all()
