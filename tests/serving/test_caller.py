"""Callers and what they may do."""

from __future__ import annotations

import pytest

from shizi.errors import Forbidden, InvalidRequest, Unauthenticated
from shizi.serving.caller import SCOPES, Caller, anonymous_caller, known_scopes, require, valid_subject, valid_tenant


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_lets_pass_what_needs_it_and_nothing_else(scope: str) -> None:
    caller = Caller("bank", "key:abc", frozenset({scope}), anonymous=False)
    require(caller, scope)
    for other in set(SCOPES) - {scope}:
        with pytest.raises(Forbidden, match=f"needs the scope `{other}`.*has: {scope}") as caught:
            require(caller, other)
        assert caught.value.http_status == 403


def test_strangers_are_asked_to_sign_in_rather_than_forbidden() -> None:
    stranger = anonymous_caller({"ocr"})
    assert (stranger.tenant, stranger.subject, stranger.anonymous) == ("anonymous", "anonymous", True)
    require(stranger, "ocr")
    with pytest.raises(Unauthenticated, match="`admin`"):
        require(stranger, "admin")


def test_without_scopes_nothing_passes() -> None:
    with pytest.raises(Forbidden, match="has: none"):
        require(Caller("bank", "token:x", frozenset(), anonymous=False), "ocr")


@pytest.mark.parametrize("name", ["bank", "b", "Bank-1", "a.b_c:d@e", "0" * 128])
def test_names_of_tenants(name: str) -> None:
    assert valid_tenant(name)


@pytest.mark.parametrize(
    "name", ["", "anonymous", "-a", ".a", "a/b", "a b", "a\n", "\na", "银行", "a" * 129, "a\0", "a,b", None, 5, ["a"]]
)
def test_names_that_no_tenant_has(name: object) -> None:
    assert not valid_tenant(name)


def test_subjects_are_printable() -> None:
    assert valid_subject("王 reader@example.org")
    assert not any(map(valid_subject, ["", "a\nb", "a\x1b[0m", "x" * 257, None, 1]))


def test_scopes_are_known_ones() -> None:
    assert known_scopes(["ocr", "jobs", "ocr"]) == {"ocr", "jobs"}
    with pytest.raises(InvalidRequest, match=r"'root' is no scope; there are ocr, jobs, feedback, admin"):
        known_scopes(["ocr", "root"])
