"""What is packed: who installs shizi needs no Node.js."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hatch_build import WebPage

ROOT = Path(__file__).parent.parent


def hook(root: Path) -> WebPage:
    anything: Any = None
    return WebPage(str(root), {}, anything, anything, "", "wheel")


def page(root: Path) -> Path:
    """A tree with a page that was built after its sources changed last."""
    source, built = root / "web" / "src" / "main.ts", root / "src" / "shizi" / "serving" / "ui" / "index.html"
    for file, seconds in ((source, 1_000), (built, 2_000)):
        file.parent.mkdir(parents=True)
        file.write_text("")
        os.utime(file, (seconds, seconds))
    return root


def test_wheel_and_sdist_hold_the_built_page(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", tmp_path], cwd=ROOT, check=True, timeout=120)
    [wheel], [sdist] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.namelist()
        html = archive.read("shizi/serving/ui/index.html").decode()
        assert b"Permission is hereby granted" in archive.read("shizi/serving/ui/licenses.txt")
    assets = [name for name in packed if name.startswith("shizi/serving/ui/assets/")]
    assert {Path(name).suffix for name in assets} >= {".js", ".css", ".gz"}
    assert any(f'src="./{name.removeprefix("shizi/serving/ui/")}"' in html for name in assets)
    assert not [name for name in packed if "node_modules" in name or name.startswith("web")]
    with tarfile.open(sdist) as tar:
        inside = {name.partition("/")[2] for name in tar.getnames()}
    assert inside >= {"hatch_build.py", "pyproject.toml", "src/shizi/serving/ui/index.html"}
    assert {name.partition("/")[0] for name in inside} <= {
        *("src", "README.md", "LICENSE", "hatch_build.py", "pyproject.toml", "PKG-INFO", ".gitignore")
    }


def test_a_page_that_is_newer_than_its_sources_is_packed_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    hook(page(tmp_path)).initialize("standard", {})
    (tmp_path / "web").rename(tmp_path / "elsewhere")  # as in an unpacked sdist
    hook(tmp_path).initialize("standard", {})


def test_without_npm_an_old_page_is_no_wheel_but_may_be_developed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    os.utime(page(tmp_path) / "web" / "src" / "main.ts", (3_000, 3_000))
    with pytest.raises(RuntimeError, match="make web"):
        hook(tmp_path).initialize("standard", {})
    hook(tmp_path).initialize("editable", {})


def test_neither_page_nor_sources_is_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not there"):
        hook(tmp_path).initialize("standard", {})
