"""Every error that shizi raises on purpose: its code, number, HTTP status, exit code, and whether trying again can help.

The table of codes is a fixed contract: further codes may join it, none changes its meaning. A message always says what is
wrong, which limit or parameter it is about, and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class ShiziError(Exception):
    """Base of all errors of shizi; catch this one to catch them all.

    Attributes:
        code: stable upper-case name, for programs.
        number: stable number, for programs that speak numbers.
        http_status: status of the HTTP answer that carries it.
        exit_code: exit code of the command line when this error ends it.
        retryable: True where the same request may succeed later.
    """

    code: ClassVar[str] = "INTERNAL"
    number: ClassVar[int] = 5000
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70
    retryable: ClassVar[bool] = False


class InvalidRequest(ShiziError):
    """A parameter is wrong; the message says which one and what is allowed."""

    code = "INVALID_REQUEST"
    number = 4000
    http_status = 422
    exit_code = 2


class UnsupportedFormat(ShiziError):
    """The first bytes are none of an accepted format (the file's name is never looked at)."""

    code = "UNSUPPORTED_FORMAT"
    number = 4001
    http_status = 415
    exit_code = 65


class CorruptDocument(ShiziError):
    """The document cannot be decoded."""

    code = "CORRUPT_DOCUMENT"
    number = 4002
    http_status = 422
    exit_code = 65


class EncryptedDocument(ShiziError):
    """A PDF that needs a password, or another one than was given."""

    code = "ENCRYPTED_DOCUMENT"
    number = 4004
    http_status = 422
    exit_code = 77


class Unauthenticated(ShiziError):
    """Nobody signed in, or with a key or token that does not hold."""

    code = "UNAUTHENTICATED"
    number = 4010
    http_status = 401
    exit_code = 77


class Forbidden(ShiziError):
    """Whoever signed in may not do this."""

    code = "FORBIDDEN"
    number = 4030
    http_status = 403
    exit_code = 77


class NotFound(ShiziError):
    """A file, model or other named thing does not exist."""

    code = "NOT_FOUND"
    number = 4040
    http_status = 404
    exit_code = 66


class Conflict(ShiziError):
    """The request contradicts what is there already, such as another request with the same key; the message says which."""

    code = "CONFLICT"
    number = 4090
    http_status = 409
    exit_code = 65


class TryLater(ShiziError):
    """Base of the errors that say when to come again.

    Attributes:
        retry_after: seconds; None where nobody knows.
    """

    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(TryLater):
    """A tenant asked for more than its quota."""

    code = "RATE_LIMITED"
    number = 4290
    http_status = 429
    exit_code = 75


class Overloaded(TryLater):
    """More work is waiting than can be done in time; this request was not begun."""

    code = "OVERLOADED"
    number = 4291
    http_status = 429
    exit_code = 75


class ImageTooLarge(ShiziError):
    """Bytes, pixels, sides, frames or pages over the limit; the message says the limit and the value."""

    code = "IMAGE_TOO_LARGE"
    number = 5001
    http_status = 413
    exit_code = 65


class ModelLoadFailed(ShiziError):
    """A model cannot be fetched or loaded, or its checksum is not the published one."""

    code = "MODEL_LOAD_FAILED"
    number = 5002
    http_status = 503
    exit_code = 69


class OutOfMemory(ShiziError):
    """Not enough memory for this document."""

    code = "OUT_OF_MEMORY"
    number = 5003
    http_status = 503
    exit_code = 71
    retryable = True


class DeadlineExceeded(ShiziError):
    """The time allowed for this document has passed."""

    code = "TIMEOUT"
    number = 5004
    http_status = 504
    exit_code = 75
    retryable = True


class EngineUnavailable(TryLater):
    """The engine is not ready, or its circuit breaker is open."""

    code = "ENGINE_UNAVAILABLE"
    number = 5030
    http_status = 503
    exit_code = 69


class StorageUnavailable(TryLater):
    """The database does not answer, or cannot be written; nothing was changed."""

    code = "STORAGE_UNAVAILABLE"
    number = 5031
    http_status = 503
    exit_code = 74


def taxonomy() -> tuple[type[ShiziError], ...]:
    """All error classes by number, the base class first."""
    classes = (*ShiziError.__subclasses__(), *TryLater.__subclasses__())
    return (ShiziError, *sorted((error for error in classes if error is not TryLater), key=lambda error: error.number))
