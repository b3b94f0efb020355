"""Models lie where the user says, or among the user's caches; what was compiled never lies beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shizi.errors import InvalidRequest
from shizi.models.folders import compiled_root, default_root
from shizi.models.store import ModelStore


@pytest.fixture(autouse=True)
def _a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SHIZI_HOME", "SHIZI_COMPILED_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_models_live_in_the_home_that_is_set_or_else_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_root() == tmp_path / ".cache" / "shizi" / "models"

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_root() == tmp_path / ".cache" / "shizi" / "models"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "shizi" / "models"

    monkeypatch.setenv("SHIZI_HOME", "~/shizi")
    assert default_root() == tmp_path / "shizi" / "models" == ModelStore().root


def test_what_was_compiled_lives_in_the_cache_wherever_the_models_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIZI_HOME", str(tmp_path / "shared"))
    assert compiled_root() == tmp_path / ".cache" / "shizi" / "compiled"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert compiled_root() == tmp_path / "xdg" / "shizi" / "compiled"

    monkeypatch.setenv("SHIZI_COMPILED_DIR", "~/mine")
    assert compiled_root() == tmp_path / "mine"

    monkeypatch.setenv("SHIZI_COMPILED_DIR", "off")
    assert compiled_root() is None


def test_a_user_without_a_home_is_told_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(InvalidRequest, match="SHIZI_HOME"):
        default_root()
    assert compiled_root() is None
