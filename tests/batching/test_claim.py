"""A request that nobody waits for goes no further."""

from __future__ import annotations

import threading

import pytest

from shizi.batching.claim import Claim
from shizi.errors import DeadlineExceeded


def test_a_claim_holds_until_its_deadline() -> None:
    claim = Claim(deadline=10.0)
    claim.check(9.9)
    with pytest.raises(DeadlineExceeded, match="deadline of this request has passed"):
        claim.check(10.0)


def test_a_claim_that_was_given_up_does_not_hold() -> None:
    gone = threading.Event()
    claim = Claim(abandoned=gone.is_set)
    claim.check(1e9)
    gone.set()
    with pytest.raises(DeadlineExceeded, match="nobody waited"):
        claim.check(0.0)


def test_claims_that_look_alike_are_two_requests() -> None:
    assert Claim("a", 1.0) != Claim("a", 1.0)
    assert len({Claim(), Claim()}) == 2
