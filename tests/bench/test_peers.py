from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shizi.bench.documents import draw_all
from shizi.bench.measure import Subject
from shizi.bench.peers import Peer, Read, compare, peers
from tests.bench.engines import Clock, FakeEngine, nothing

A = Subject("a", Path("a.png"), 1)


def open_slow(clock: Clock) -> Read:
    def read(_path: Path) -> int:
        clock.sleep(6.0)
        return 3

    return read


def test_a_peer_is_measured_beside_the_engine() -> None:
    clock = Clock()
    engine = FakeEngine(clock, {"a": 2.0}, text="t e x t")
    found = compare(engine, Peer("other", lambda: open_slow(clock), ""), [A], 3, nothing, clock)
    assert (found.ratio, found.ms_per_image, found.characters) == pytest.approx((3, 6000, 3 / 4))


def test_a_peer_that_is_not_there_says_so_and_is_not_opened() -> None:
    def fail() -> Read:
        raise AssertionError("opened")

    found = compare(FakeEngine(Clock(), {}), Peer("other", fail, "not installed; pip install other"), [A], 1, nothing)
    assert (found.ratio, found.problem) == (None, "not installed; pip install other")


def test_a_peer_that_fails_costs_only_its_own_figures() -> None:
    def fail() -> Read:
        raise KeyError("model")

    found = compare(FakeEngine(Clock(), {"a": 1.0}), Peer("other", fail, ""), [A], 1, nothing)
    assert found.problem == "it failed: KeyError: 'model'"


def test_pdfs_are_not_given_to_peers() -> None:
    document = Subject("c", Path("c.PDF"), 1)
    found = compare(FakeEngine(Clock(), {}), Peer("other", lambda: open_slow(Clock()), ""), [document], 1, nothing)
    assert found.problem == "there is no image among the documents, only PDFs"


def test_tesseract_counts_what_it_reads_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesseract"
    program.write_text('#!/bin/sh\nif [ "$1" = --list-langs ]; then echo eng; else echo "two words $4"; fi\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    (peer,) = (peer for peer in peers() if peer.name == "tesseract")
    assert peer.missing == ""
    assert peer.open()(draw_all(tmp_path)[0]) == len("twowordseng")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    (peer,) = (peer for peer in peers() if peer.name == "tesseract")
    assert "apt-get install tesseract-ocr" in peer.missing
