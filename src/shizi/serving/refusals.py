"""Errors of the taxonomy that HTTP has a status of its own for; codes and numbers are those of their base."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.errors import DeadlineExceeded, InvalidRequest, UnsupportedFormat


class BadRequest(InvalidRequest):
    """The body is not what its own header says: no JSON, no form."""

    http_status = 400


class MethodNotAllowed(InvalidRequest):
    """The address exists, but not with this method.

    Attributes:
        allowed: those that it knows, as the header Allow has them.
    """

    http_status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this address does not know this method; it knows {allowed}")
        self.allowed = allowed


class NotAcceptable(InvalidRequest):
    """None of the formats that the client accepts is made here."""

    http_status = 406


class UploadTooSlow(DeadlineExceeded):
    """The client did not send its request in time."""

    http_status = 408


class WrongMediaType(UnsupportedFormat):
    """The body is of a kind that this address does not take."""


class InvalidParameters(InvalidRequest):
    """Some parameters are wrong.

    Attributes:
        faults: name of the parameter and what is wrong with it.
    """

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {said}" if name else said for name, said in faults))
        self.faults = tuple(faults)
