from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from shizi.errors import StorageUnavailable
from shizi.jobs import spool as module
from shizi.jobs.job import Claim, LeaseLostError
from shizi.jobs.spool import Spool
from tests.jobs.stores import IMAGE, PDF, Stores


class Fetched(NamedTuple):
    """A spool, a claim of a document, and how often its bytes were fetched."""

    spool: Spool
    claim: Claim
    times: list[int]


def fetched(stores: Stores, monkeypatch: pytest.MonkeyPatch, most_bytes: int = 1000) -> Fetched:
    stores.order(IMAGE)
    claim, times, document = stores.claim(), [0], stores.tasks.document

    def count(asked: Claim) -> object:
        times[0] += 1
        return document(asked)

    monkeypatch.setattr(stores.tasks, "document", count)
    return Fetched(Spool(stores.tasks, None, most_bytes), claim, times)


def test_a_document_is_fetched_once_and_read_from_its_beginning(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, claim, times = fetched(stores, monkeypatch)
    for _ in range(3):
        with spool.open(claim) as first, spool.open(claim) as second:
            assert first.file.read() == IMAGE
            second.file.seek(0)
            assert second.file.read() == IMAGE
            assert (first.size, first.sha256) == (len(IMAGE), claim.sha256)
    assert times == [1]
    spool.close()


def test_what_is_not_asked_for_any_more_is_let_go(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, claim, times = fetched(stores, monkeypatch)
    with spool.open(claim):
        spool.tidy()
    monkeypatch.setattr(module, "KEPT_S", 0.0)
    spool.tidy()
    with spool.open(claim):
        assert times == [2]
    spool.close()


def test_the_disk_is_bounded(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, claim, times = fetched(stores, monkeypatch, len(IMAGE) + len(PDF) - 1)
    stores.order(PDF)
    other = stores.claim()
    for asked in (claim, other, claim):
        with spool.open(asked):
            pass
    assert times == [3], "the second made the first go"
    small = Spool(stores.tasks, None, 5)
    with small.open(claim) as source:
        assert source.file.read() == IMAGE, "one that is larger is not kept, and read all the same"
    small.close()
    spool.close()


def test_a_document_that_was_deleted_meanwhile_is_not_read(stores: Stores) -> None:
    job = stores.order(IMAGE)
    claim = stores.claim()
    stores.jobs.delete(job.tenant, job.id)
    with pytest.raises(LeaseLostError), Spool(stores.tasks, None, 1000).open(claim):
        pass


def test_a_folder_that_cannot_be_written_is_said(stores: Stores, tmp_path: Path) -> None:
    stores.order(IMAGE)
    with (
        pytest.raises(StorageUnavailable, match="on its disk"),
        Spool(stores.tasks, tmp_path / "none", 1000).open(stores.claim()),
    ):
        pass
