from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.fake_engine import Bench, FakeReader


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    for name in ("SHIZI_HOME", "SHIZI_OFFLINE", "SHIZI_TIER", "SHIZI_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return Bench(FakeReader(), [], [])


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Makes a folder `in` with these files."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "in"

    return make
