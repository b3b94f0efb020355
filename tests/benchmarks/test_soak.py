"""The program of the memory run, on few pages; whether memory grows, only thousands can say."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.rss import rss_mb
from benchmarks.soak import draw, main, soak

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.alone


def test_growth_after_the_warm_up_is_found() -> None:
    memory = iter([50.0, 90.0, 100.0, 100.5, 101.0, 101.5])
    found = soak(lambda _page: None, 6, 2, lambda: next(memory))
    assert found.slope_mb == pytest.approx(0.5)
    assert found.faults(0.4, None) == ["memory grows by 0.5000 MB a page; the bound is 0.4"]
    assert found.faults(0.6, None) == []
    assert "the peak is" in found.faults(0.6, 1.0)[0]


def test_pages_are_of_many_sizes_and_the_same_again() -> None:
    seen: list[tuple[int, ...]] = []

    def look(page: NDArray[np.uint8]) -> None:
        seen.append(page.shape)

    soak(look, 12, 2)
    first = seen.copy()
    seen.clear()
    soak(look, 12, 2)
    assert seen == first
    assert len(set(first)) > 6
    assert min(height for height, _, _ in first) < 500


def test_a_page_in_fifty_is_a_large_scan() -> None:
    source = random.Random(0)
    source.random = lambda: 0.99  # type: ignore[method-assign]
    assert draw(source).size == (2480, 3508)


def test_too_few_pages_are_an_error() -> None:
    with pytest.raises(ValueError, match="leave no two"):
        soak(lambda _page: None, 5, 4)


def test_thirty_pages_with_the_real_engine(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    # A process of its own: what other tests hold is not what the pages take.
    command = [sys.executable, "-m", "benchmarks.soak", "--pages", "30", "--warm-up", "20", "--most-slope", "1000"]
    run = subprocess.run([*command, "--json", str(file)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "MB a page after the first 20, peak" in run.stdout
    assert "30 of 30 pages" in run.stderr
    record = json.loads(file.read_text())
    assert 100 < record["peak_mb"] < 2000
    assert len(record["rss_mb"]) == 1


def test_a_bound_that_is_broken_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pages", "2", "--warm-up", "0", "--most-slope", "1000", "--most-peak", "1"]) == 1
    assert "the bound is 1" in capsys.readouterr().out


def test_memory_of_this_process_is_known() -> None:
    before = rss_mb()
    kept = bytearray(b"x" * (64 << 20))
    assert rss_mb() - before > 50
    assert len(kept) == 64 << 20
