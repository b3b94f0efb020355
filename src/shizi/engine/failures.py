"""Errors on the way between the processes: a status of gRPC that any client understands, and a code from which ours is made again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import grpc

from shizi.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    ImageTooLarge,
    InvalidRequest,
    Overloaded,
    ShiziError,
    TryLater,
    taxonomy,
)

CODE: Final = "shizi-code"
RETRY_AFTER: Final = "shizi-retry-after"
LONGEST_MESSAGE: Final = 1000  # characters; headers are bounded
_SOON_S = 1.0  # an engine that just died is not known to be started again before

Metadata = tuple[tuple[str, str], ...]

# What gRPC says where a connection was never made.
_NOT_REACHED: Final = ("failed to connect", "resolution failed", "no address")


class EngineDied(EngineUnavailable):
    """The engine, or the connection to it, ended while it had this page.

    Attributes:
        begun: whether it read the page just then, which may be why it ended; else the page only waited.
    """

    def __init__(self, message: str, retry_after: float | None = None, *, begun: bool = False) -> None:
        super().__init__(message, retry_after)
        self.begun = begun


_STATUS: Final = {
    "INVALID_REQUEST": grpc.StatusCode.INVALID_ARGUMENT,
    "UNSUPPORTED_FORMAT": grpc.StatusCode.INVALID_ARGUMENT,
    "CORRUPT_DOCUMENT": grpc.StatusCode.INVALID_ARGUMENT,
    "ENCRYPTED_DOCUMENT": grpc.StatusCode.INVALID_ARGUMENT,
    "IMAGE_TOO_LARGE": grpc.StatusCode.INVALID_ARGUMENT,
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "FORBIDDEN": grpc.StatusCode.PERMISSION_DENIED,
    "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "RATE_LIMITED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "OVERLOADED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "OUT_OF_MEMORY": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "TIMEOUT": grpc.StatusCode.DEADLINE_EXCEEDED,
    "MODEL_LOAD_FAILED": grpc.StatusCode.UNAVAILABLE,
    "ENGINE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
}


def status(error: ShiziError) -> grpc.StatusCode:
    """The status of gRPC nearest to an error."""
    return _STATUS.get(error.code, grpc.StatusCode.INTERNAL)


def details(error: ShiziError) -> str:
    """Its message, not longer than a header may be."""
    text = str(error)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def trailers(error: ShiziError) -> Metadata:
    """What `restored` makes the same error from."""
    code: Metadata = ((CODE, error.code),)
    if isinstance(error, TryLater) and error.retry_after is not None:
        return (*code, (RETRY_AFTER, f"{error.retry_after:.3f}"))
    return code


def restored(
    code: grpc.StatusCode, message: str, metadata: Iterable[tuple[str, str | bytes]], *, begun: bool = False
) -> ShiziError:
    """The error that the other side raised; of a side that says none of our codes, the one nearest to its status.

    Args:
        code: of the call.
        message: what the other side said.
        metadata: that came at the end of the call.
        begun: whether the other side said that it had begun.
    """
    said = {key: value for key, value in metadata if isinstance(value, str)}
    kind = {error.code: error for error in taxonomy()}.get(said.get(CODE, ""))
    if kind is not None and issubclass(kind, TryLater):
        return kind(message, _seconds(said.get(RETRY_AFTER)))
    return _nearest(code, message, begun) if kind is None else kind(message)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _nearest(code: grpc.StatusCode, message: str, begun: bool) -> ShiziError:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("the engine did not answer within the time that was allowed; allow more, or send less")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in message:
        return ImageTooLarge("the page is larger than a message to this engine may be; raise its max_message_bytes")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Overloaded("the engine has as many requests as it takes; try again later")
    if code is grpc.StatusCode.UNAVAILABLE and any(words in message.lower() for words in _NOT_REACHED):
        return EngineUnavailable("the engine is not there; try again later", _SOON_S)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return EngineDied("the engine ended while it had this page; try again later", _SOON_S, begun=begun)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return EngineUnavailable("what listens there is no engine of shizi; look at the address")
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return InvalidRequest(message)
    return ShiziError(f"the engine failed with {code.name}; its log says more")
