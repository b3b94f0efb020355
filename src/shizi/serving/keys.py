"""API keys: how they look, and the file in which their hashes are kept.

A key is `shizi_<id>_<secret>`. The secret is 256 bits from the system's random source, so one SHA-256 of it is a right thing to
store: slow hashes (bcrypt, scrypt, Argon2) make guessing *passwords* expensive, of which people choose few; 2^256 secrets
cannot be guessed at any speed, and a slow hash would only hand attackers a way to keep the server busy.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shizi.database.write_ahead import write_ahead
from shizi.errors import InvalidRequest, NotFound
from shizi.serving.caller import known_scopes, valid_tenant

PREFIX: Final = "shizi_"
MOST_KEYS: Final = 10_000
LONGEST_NAME: Final = 64
USED_EVERY_S: Final = (
    3600  # last use is kept to the hour: enough to find forgotten keys, and no record of who works when
)

_FORM: Final = re.compile(r"shizi_([0-9a-z]{12})_([0-9a-f]{64})")
_ID: Final = re.compile(r"[0-9a-z]{12}")
_ID_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BUSY_S: Final = 10
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER, used INTEGER, revoked INTEGER
);
CREATE TABLE IF NOT EXISTS changes (number INTEGER NOT NULL);
INSERT INTO changes SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM changes);
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is known of a key; times are seconds since 1970, UTC.

    Attributes:
        id: its public part.
        hash: SHA-256 over id and secret.
        used: beginning of the hour in which it was used last, or None.
    """

    id: str
    hash: bytes = field(repr=False)
    tenant: str
    name: str
    scopes: frozenset[str]
    created: int
    expires: int | None
    used: int | None
    revoked: int | None

    def state(self, now: float) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


def parse_key(text: str) -> tuple[str, bytes] | None:
    """Id and hash of a key as it was sent; None where it is no key at all."""
    parts = _FORM.fullmatch(text)
    return None if parts is None else (parts[1], _hash(parts[1], parts[2]))


def default_path(home: Path | None) -> Path:
    """Where keys are kept: in `home` (SHIZI_HOME), else in the user's folder for data, which nothing clears like a cache."""
    if home is not None:
        return home.expanduser() / "keys.sqlite3"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        configured = Path(os.environ.get("XDG_DATA_HOME", ""))
        base = configured if configured.is_absolute() else Path.home() / ".local" / "share"
    return base / "shizi" / "keys.sqlite3"


class KeyStore:
    """The file of keys. Any number of processes may use it at once; each call opens it anew and blocks while it works."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, tenant: str, name: str, scopes: Iterable[str], expires: int | None) -> tuple[str, KeyRecord]:
        """Make a key; the first of the two is the key itself, which nobody can ever be told again.

        Raises:
            InvalidRequest: a value is not allowed, or there are too many keys.
        """
        record, key = _new(tenant, name, known_scopes(scopes), expires)
        with self._changing() as file:
            if file.execute("SELECT count(*) FROM keys").fetchone()[0] >= MOST_KEYS:
                raise InvalidRequest(f"there are {MOST_KEYS} keys, the most that are kept; give tenants tokens instead")
            file.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (record.id, record.hash, tenant, name, " ".join(sorted(record.scopes)), record.created, expires),
            )
        return key, record

    def revoke(self, key_id: str) -> KeyRecord:
        """End a key for good; one that was revoked before stays as it is.

        Raises:
            NotFound: there is no such key.
        """
        if _ID.fullmatch(key_id) is None:
            raise InvalidRequest(
                "a key is named by its ID, 12 characters, as `shizi auth list` shows it; never send the secret"
            )
        with self._changing() as file:
            file.execute("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (int(time.time()), key_id))
            row = file.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
            if row is None:
                raise NotFound(f"there is no key {key_id}; `shizi auth list` shows all")
        return _record(row)

    def records(self) -> list[KeyRecord]:
        """All keys, the oldest first."""
        with self._open() as file:
            return [_record(row) for row in file.execute("SELECT * FROM keys ORDER BY created, id")]

    def changes(self) -> int:
        """A number that grows whenever a key is made or revoked, by whatever process."""
        with self._open() as file:
            return int(file.execute("SELECT number FROM changes").fetchone()[0])

    def used(self, ids: Iterable[str], now: float) -> None:
        """Note, to the hour, that these keys were used."""
        hour = int(now) // USED_EVERY_S * USED_EVERY_S
        with self._open() as file:
            file.executemany(
                "UPDATE keys SET used = ? WHERE id = ? AND (used IS NULL OR used < ?)",
                [(hour, key, hour) for key in ids],
            )

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the right to write from its start, so that none has to be begun again."""
        with self._open() as file:
            file.execute("BEGIN IMMEDIATE")
            try:
                yield file
                file.execute("UPDATE changes SET number = number + 1")
            except BaseException:
                file.execute("ROLLBACK")
                raise
            file.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._prepare()
            file = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            try:
                _lay_out(file)
                yield file
            finally:
                file.close()
        except (sqlite3.Error, OSError) as error:
            raise InvalidRequest(
                f"{self._path} cannot be used as the file of keys ({error}); name another, or mend or restore it"
            ) from None

    def _prepare(self) -> None:
        """An empty file that only its owner may read or write, where there is none; SQLite's own files beside it follow it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        mode = self._path.stat().st_mode & 0o777
        if sys.platform != "win32" and mode & 0o007:
            raise InvalidRequest(
                f"{self._path} is open to every user of this machine (mode {mode:o}); run: chmod 600 on it"
            )


def _lay_out(file: sqlite3.Connection) -> None:
    """Make the tables where there are none."""
    if _is_laid_out(file):
        return
    write_ahead(file, _BUSY_S)
    file.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")


def _is_laid_out(file: sqlite3.Connection) -> bool:
    version = file.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise InvalidRequest("the file of keys was made by a newer shizi; update this one")
    return bool(version == _VERSION)


def _new(tenant: str, name: str, scopes: frozenset[str], expires: int | None) -> tuple[KeyRecord, str]:
    if not valid_tenant(tenant):
        raise InvalidRequest(
            "a tenant's name is 1 to 128 letters, digits and . _ : @ - (a letter or digit first), and not `anonymous`"
        )
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"a key's name is 1 to {LONGEST_NAME} printable characters")
    if not scopes:
        raise InvalidRequest("a key needs a scope; without one it may do nothing")
    now = int(time.time())
    if expires is not None and expires <= now:
        raise InvalidRequest("the key would have expired already; choose a later time")
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))
    secret = secrets.token_hex(32)
    record = KeyRecord(
        id=key_id, hash=_hash(key_id, secret), tenant=tenant, name=name, scopes=scopes,
        created=now, expires=expires, used=None, revoked=None,
    )  # fmt: skip
    return record, f"{PREFIX}{key_id}_{secret}"


def _hash(key_id: str, secret: str) -> bytes:
    """With the id, so that a hash moved to another row opens nothing."""
    return hashlib.sha256(f"{PREFIX}{key_id}_{secret}".encode("ascii")).digest()


def _record(row: tuple[str, bytes, str, str, str, int, int | None, int | None, int | None]) -> KeyRecord:
    key_id, digest, tenant, name, scopes, created, expires, used, revoked = row
    return KeyRecord(
        id=key_id, hash=digest, tenant=tenant, name=name, scopes=frozenset(scopes.split()),
        created=created, expires=expires, used=used, revoked=revoked,
    )  # fmt: skip
