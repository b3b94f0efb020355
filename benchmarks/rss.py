"""Resident memory of this process, on Linux."""

from __future__ import annotations

import os
from pathlib import Path


def rss_mb(statm: Path = Path("/proc/self/statm")) -> float:
    """Now; `resource` knows the peak only."""
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
