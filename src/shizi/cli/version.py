"""Which shizi this is."""

from __future__ import annotations

import importlib.metadata
from typing import Final

UNKNOWN: Final = "0+unknown"


def own_version() -> str:
    """The version that is installed; `0+unknown` where shizi runs from its sources without an installation."""
    try:
        return importlib.metadata.version("shizi")
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN
