"""The database of a server, opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shizi.database.connect import Database, connect, default_data_dir


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """Where jobs and corrections are kept.

    Attributes:
        url: of a PostgreSQL; None for a file in the folder.
        folder: None for the user's folder for data.
    """

    url: str | None = field(default=None, repr=False)
    folder: Path | None = None


@asynccontextmanager
async def opened(options: StorageOptions) -> AsyncIterator[Database]:
    """The database, its tables up to date.

    Raises:
        InvalidRequest: its address is none, or it is one of a newer version.
        StorageUnavailable: it cannot be reached.
    """
    database = await asyncio.to_thread(connect, options.url, options.folder or default_data_dir())
    try:
        yield database
    finally:
        await asyncio.to_thread(database.close)
