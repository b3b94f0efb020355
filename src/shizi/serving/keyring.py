"""API keys as the server checks them: in memory, renewed when the file of keys changes."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from shizi.errors import EngineUnavailable, InvalidRequest, Unauthenticated
from shizi.serving.caller import Caller
from shizi.serving.keys import USED_EVERY_S, KeyRecord, KeyStore, parse_key

RENEW_S: Final = 1.0
STALE_S: Final = 60.0

_UNKNOWN: Final = "the API key is not accepted"
_NO_HASH: Final = bytes(32)
_log: Final = logging.getLogger(__name__)


class KeyRing:
    """All keys of a file; belongs to one event loop.

    A key that another process makes or revokes is known after `RENEW_S`. Checking touches no disk, so wrong keys cost the
    server nothing but a hash, and an unknown id takes the same steps as a wrong secret.
    """

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._records: Mapping[str, KeyRecord] = {}
        self._changes: int | None = None
        self._looked = float("-inf")
        self._tried = float("-inf")
        self._used: set[str] = set()  # bounded by the number of keys
        self._noted: dict[str, int] = {}
        self._renewal = asyncio.Lock()

    async def verify(self, key: str) -> Caller:
        """Whose key this is.

        Raises:
            Unauthenticated: it is unknown, wrong, revoked or has expired; only who knows the secret is told which.
            EngineUnavailable: the file of keys has not been readable for `STALE_S`.
        """
        await self._renew()
        parsed = parse_key(key)
        if parsed is None:
            raise Unauthenticated(_UNKNOWN)
        key_id, digest = parsed
        record = self._records.get(key_id)
        expected = _NO_HASH if record is None else record.hash
        if not hmac.compare_digest(expected, digest) or record is None:
            raise Unauthenticated(_UNKNOWN)
        now = self._clock()
        state = record.state(now)
        if state != "active":
            raise Unauthenticated(f"the API key {key_id} is {state}; ask for a new one")
        self._note(key_id, now)
        return Caller(record.tenant, f"key:{key_id}", record.scopes, anonymous=False)

    async def close(self) -> None:
        """Write down which keys were used."""
        async with self._renewal:
            await self._write_used()

    def _note(self, key_id: str, now: float) -> None:
        hour = int(now) // USED_EVERY_S
        if self._noted.get(key_id) != hour:
            self._noted[key_id] = hour
            self._used.add(key_id)

    async def _renew(self) -> None:
        """Look for changes once a second; whoever comes meanwhile is answered from the keys that are known."""
        if self._is_due() or self._is_stale():
            async with self._renewal:
                if self._is_due():
                    await self._look()
        if self._is_stale():
            raise EngineUnavailable("API keys cannot be checked: their file cannot be read; try again", retry_after=5)

    def _is_due(self) -> bool:
        """Not tried for a second; a clock that was set back counts as a second gone by."""
        return not 0 <= self._clock() - self._tried <= RENEW_S

    def _is_stale(self) -> bool:
        return self._clock() - self._looked > STALE_S

    async def _look(self) -> None:
        self._tried = self._clock()
        try:
            changes, records = await asyncio.to_thread(_look, self._store, self._changes)
        except InvalidRequest:
            _log.warning("the file of API keys cannot be read")
            return
        if records is not None:
            self._records, self._changes = records, changes
            self._noted = {key: hour for key, hour in self._noted.items() if key in records}
        self._looked = self._clock()
        await self._write_used()

    async def _write_used(self) -> None:
        if not self._used:
            return
        used, self._used = self._used, set()
        try:
            await asyncio.to_thread(self._store.used, used, self._clock())
        except InvalidRequest:
            _log.warning("the last use of %d API keys was not noted", len(used))


def _look(store: KeyStore, known: int | None) -> tuple[int, Mapping[str, KeyRecord] | None]:
    """The number of changes, and all keys where it is another than the known one."""
    changes = store.changes()
    if changes == known:
        return changes, None
    return changes, {record.id: record for record in store.records()}
