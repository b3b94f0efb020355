from __future__ import annotations

import grpc
import pytest

from shizi.engine.failures import LONGEST_MESSAGE, EngineDied, details, restored, status, trailers
from shizi.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    ImageTooLarge,
    InvalidRequest,
    Overloaded,
    ShiziError,
    taxonomy,
)


@pytest.mark.parametrize("kind", taxonomy())
def test_every_error_is_the_same_on_the_other_side(kind: type[ShiziError]) -> None:
    error = kind("第 3 页 is wrong")
    again = restored(status(error), details(error), trailers(error))
    assert type(again) is kind
    assert str(again) == "第 3 页 is wrong"
    assert status(error) is not grpc.StatusCode.OK


def test_when_to_come_again_is_told() -> None:
    error = restored(*(lambda e: (status(e), details(e), trailers(e)))(Overloaded("full", 1.25)))
    assert isinstance(error, Overloaded)
    assert error.retry_after == 1.25


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon", ""])
def test_a_strange_time_is_not_believed(seconds: str) -> None:
    error = restored(grpc.StatusCode.UNAVAILABLE, "x", (("shizi-code", "OVERLOADED"), ("shizi-retry-after", seconds)))
    assert isinstance(error, Overloaded)
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, "failed to connect", EngineUnavailable),
        (grpc.StatusCode.UNAVAILABLE, "DNS resolution failed for x", EngineUnavailable),
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", EngineDied),
        (grpc.StatusCode.UNAVAILABLE, "recvmsg:Connection reset by peer", EngineDied),
        (grpc.StatusCode.CANCELLED, "stopping", EngineDied),
        (grpc.StatusCode.UNIMPLEMENTED, "no such method", EngineUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "late", DeadlineExceeded),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded", Overloaded),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (9 vs. 4)", ImageTooLarge),
        (grpc.StatusCode.INVALID_ARGUMENT, "wrong", InvalidRequest),
        (grpc.StatusCode.DATA_LOSS, "?", ShiziError),
    ],
)
def test_a_status_without_a_code_becomes_the_nearest_error(
    code: grpc.StatusCode, message: str, kind: type[ShiziError]
) -> None:
    assert type(restored(code, message, (("shizi-code", "NEVER_HEARD_OF"),))) is kind


def test_a_long_message_is_cut() -> None:
    assert len(details(InvalidRequest("x" * 10**6))) == LONGEST_MESSAGE + 1
