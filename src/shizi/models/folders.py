"""Where models, and what runtimes make of them, are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shizi.errors import InvalidRequest

OFF = "off"


def default_root() -> Path:
    """`$SHIZI_HOME/models`, else a folder of this user's caches.

    Raises:
        InvalidRequest: this user has no home folder.
    """
    if home := os.environ.get("SHIZI_HOME"):
        return Path(home).expanduser() / "models"
    try:
        return _caches() / "models"
    except RuntimeError:
        raise InvalidRequest("this user has no home folder to keep models in; set SHIZI_HOME to a folder") from None


def compiled_root() -> Path | None:
    """`$SHIZI_COMPILED_DIR`, else a folder of this user's caches; None where that is "off", or this user has no home folder.

    Never beside the models: their folder is copied from machine to machine and shared, for they can be verified. What was made of
    them cannot.
    """
    if folder := os.environ.get("SHIZI_COMPILED_DIR"):
        return None if folder == OFF else Path(folder).expanduser()
    try:
        return _caches() / "compiled"
    except RuntimeError:
        return None


def _caches() -> Path:
    """The folder for shizi's caches that this platform has.

    Raises:
        RuntimeError: this user has no home folder.
    """
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        # The XDG Base Directory Specification: a relative path is to be ignored.
        configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = configured if configured.is_absolute() else Path.home() / ".cache"
    return base / "shizi"
