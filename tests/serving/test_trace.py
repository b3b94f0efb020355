"""Ids of requests."""

from __future__ import annotations

import pytest

from shizi.serving.trace import begin_trace, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "trace_id"),
    [
        (f"00-{TRACE}-{SPAN}-01", TRACE),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", TRACE),
        (f"00-{TRACE}-{SPAN}-01-more", ""),
        (f"ff-{TRACE}-{SPAN}-01", ""),
        (f"00-{'0' * 32}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{SPAN}-01", ""),
        ("", ""),
    ],
)
def test_traceparent_as_the_standard_wants_it(header: str, trace_id: str) -> None:
    scope = {"headers": [(b"traceparent", header.encode())]}
    trace = begin_trace(scope)
    assert trace is trace_of(scope)
    assert (trace.trace_id, trace.parent_id) == (trace_id, SPAN if trace_id else "")


def test_every_request_has_an_id_of_its_own() -> None:
    assert len({begin_trace({"headers": []}).request_id for _ in range(50)}) == 50
