"""Who calls: a tenant, and what it may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shizi.errors import Forbidden, InvalidRequest, Unauthenticated

OCR: Final = "ocr"
JOBS: Final = "jobs"
FEEDBACK: Final = "feedback"
ADMIN: Final = "admin"
SCOPES: Final = (OCR, JOBS, FEEDBACK, ADMIN)

ANONYMOUS: Final = "anonymous"

# Tenants become parts of cache keys, queue names and log lines: no spaces, separators of paths or control characters.
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_LONGEST_SUBJECT: Final = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        tenant: owner of everything the request makes; `anonymous` where nobody signed in.
        subject: the person or program within the tenant, for audit: `key:<id>`, `token:<sub>` or `anonymous`.
        scopes: of `SCOPES`; none includes another.
        anonymous: nobody signed in.
    """

    tenant: str
    subject: str
    scopes: frozenset[str]
    anonymous: bool


def anonymous_caller(scopes: Iterable[str]) -> Caller:
    """A caller that did not sign in, with the scopes that the server grants to anybody."""
    return Caller(ANONYMOUS, ANONYMOUS, frozenset(scopes), anonymous=True)


def require(caller: Caller, scope: str) -> None:
    """Let only callers with this scope pass.

    Raises:
        Unauthenticated: nobody signed in, and strangers may not do this.
        Forbidden: the caller's key or token lacks the scope.
    """
    if scope in caller.scopes:
        return
    if caller.anonymous:
        raise Unauthenticated(f"this needs a key or token with the scope `{scope}`; none came with the request")
    granted = ", ".join(sorted(caller.scopes)) or "none"
    raise Forbidden(f"this needs the scope `{scope}`; the key or token has: {granted}")


def valid_tenant(name: object) -> bool:
    """True for a name that a tenant may have; `anonymous` is nobody's."""
    return isinstance(name, str) and _TENANT.fullmatch(name) is not None and name != ANONYMOUS


def valid_subject(name: object) -> bool:
    """True for what may stand in a line of the audit log: 1 to 256 printable characters."""
    return isinstance(name, str) and 0 < len(name) <= _LONGEST_SUBJECT and name.isprintable()


def known_scopes(names: Iterable[str]) -> frozenset[str]:
    """The names as a set.

    Raises:
        InvalidRequest: one of them is no scope.
    """
    chosen = frozenset(names)
    unknown = sorted(chosen - set(SCOPES))
    if unknown:
        raise InvalidRequest(f"{unknown[0]!r} is no scope; there are {', '.join(SCOPES)}")
    return chosen
