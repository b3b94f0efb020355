from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.jobs.job import FINISHED, JobLimits, Order, after, document_state, job_state

LIMITS = JobLimits()
TASKS = ("queued", "running", "succeeded", "failed", "quarantined", "cancelled")
DOCUMENTS = ("queued", "running", "succeeded", "failed", "partial", "cancelled")


@pytest.mark.parametrize(
    ("tasks", "pages", "state"),
    [
        (["queued"], 0, "queued"),
        (["succeeded", "queued"], 0, "running"),
        (["succeeded", "queued", "running"], 3, "running"),
        (["succeeded", "succeeded"], 2, "succeeded"),
        (["succeeded", "failed"], 2, "partial"),
        (["succeeded", "quarantined"], 0, "failed"),
        (["succeeded", "cancelled"], 2, "cancelled"),
        (["cancelled", "failed"], 0, "cancelled"),
    ],
)
def test_a_document_is_what_its_tasks_are(tasks: list[str], pages: int, state: str) -> None:
    assert document_state(tasks, pages) == state


@pytest.mark.parametrize(
    ("documents", "state"),
    [
        (["queued", "queued"], "queued"),
        (["queued", "succeeded"], "running"),
        (["running", "cancelled"], "running"),
        (["succeeded", "succeeded"], "succeeded"),
        (["succeeded", "failed"], "partial"),
        (["partial"], "partial"),
        (["failed", "failed"], "failed"),
        (["succeeded", "cancelled"], "cancelled"),
    ],
)
def test_a_job_is_what_its_documents_are(documents: list[str], state: str) -> None:
    assert job_state(documents) == state


@given(st.lists(st.sampled_from(TASKS), min_size=1), st.integers(0, 5))
def test_a_document_is_finished_when_all_its_tasks_are(tasks: list[str], pages: int) -> None:
    is_open = bool({"queued", "running"} & set(tasks))
    assert (document_state(tasks, pages) in FINISHED) != is_open


@given(st.lists(st.sampled_from(DOCUMENTS), min_size=1))
def test_a_job_is_finished_when_all_its_documents_are(documents: list[str]) -> None:
    is_open = bool({"queued", "running"} & set(documents))
    assert (job_state(documents) in FINISHED) != is_open


@given(st.integers(1, 1000), st.integers(0, 2))
def test_every_ending_has_one_meaning(attempts: int, crashes: int) -> None:
    assert after("succeeded", attempts, crashes, LIMITS).state == "succeeded"
    assert after("refused", attempts, crashes, LIMITS).state == "failed"
    crashed = after("crashed", attempts, crashes, LIMITS)
    assert (crashed.state, crashed.crashes) == ("quarantined" if crashes == 2 else "queued", crashes + 1)
    put_back = after("put back", attempts, crashes, LIMITS)
    assert (put_back.state, put_back.crashes) == ("queued", crashes)
    assert 5 <= put_back.delay_s <= 60
    released = after("released", attempts, crashes, LIMITS)
    assert (released.state, released.crashes, released.delay_s) == ("queued", crashes, 0)


@pytest.mark.parametrize("priority", [-1, 10])
def test_priorities_go_from_0_to_9(priority: int) -> None:
    with pytest.raises(InvalidRequest, match="between 0 and 9"):
        Order(tenant="a", priority=priority)


def test_a_key_goes_with_a_digest() -> None:
    for key, digest in (("k", None), (None, "d")):
        with pytest.raises(InvalidRequest, match="needs the digest"):
            Order(tenant="a", idempotency_key=key, request_sha256=digest)
