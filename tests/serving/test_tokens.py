"""Tokens: the few that hold, and the many that must not."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest, Unauthenticated
from shizi.serving.caller import Caller
from shizi.serving.signing import ASYMMETRIC, StaticKeys, public_key, shared_secret
from shizi.serving.tokens import TokenOptions, TokenVerifier
from tests.serving.issuer import (
    AUDIENCE,
    ISSUER,
    SECRET,
    b64,
    claims,
    compact,
    ec_key,
    header,
    hs256,
    pem,
    rs256,
    rsa_key,
    token,
)
from tests.serving.wrong_tokens import WRONG, es_token

OPTIONS: Final = TokenOptions(issuer=ISSUER, audiences=(AUDIENCE, "other-door"), algorithms=(*ASYMMETRIC, "HS256"))


def verifier(options: TokenOptions = OPTIONS) -> TokenVerifier:
    keys = [public_key("rsa", "RS256", pem(rsa_key())), public_key("ec", "ES256", pem(ec_key()))]
    return TokenVerifier(options, StaticKeys(*keys, shared_secret("hs", "HS256", SECRET)))


def verify(text: str, options: TokenOptions = OPTIONS) -> Caller:
    return asyncio.run(verifier(options).verify(text))


HOLD: Final[dict[str, Callable[[], str]]] = {
    "RS256": token,
    "ES256": lambda: es_token(),
    "HS256": lambda: token(header(alg="HS256", kid="hs"), sign=hs256(SECRET)),
    "no typ": lambda: token(header(typ=None)),
    "access token": lambda: token(header(typ="at+jwt")),
    "several audiences": lambda: token(body=claims(aud=["elsewhere", AUDIENCE])),
    "foreign scopes": lambda: token(body=claims(scope="openid ocr profile jobs email")),
    "fractions of seconds": lambda: token(body=claims(exp=time.time() + 60.5)),
    "expired within the leeway": lambda: token(body=claims(exp=int(time.time()) - 10, nbf=int(time.time()) - 60)),
    "begins within the leeway": lambda: token(body=claims(nbf=int(time.time()) + 15)),
    "other people's keys in the header": lambda: token(header(jku="https://evil.example/", jwk={"kty": "oct"})),
}


@pytest.mark.parametrize("make", HOLD.values(), ids=HOLD)
def test_tokens_that_hold(make: Callable[[], str]) -> None:
    assert verify(make()) == Caller("bank", "token:reader-7", frozenset({"ocr", "jobs"}), anonymous=False)


def test_without_scopes_a_caller_may_do_nothing_and_the_tenant_claim_can_be_another() -> None:
    options = TokenOptions(issuer=ISSUER, audiences=(AUDIENCE,), tenant_claim="org_id")
    assert (
        verify(token(body=claims(scope=None, org_id="mill"))).scopes
        == verify(token(body=claims(scope=""))).scopes
        == set()
    )
    assert verify(token(body=claims(org_id="mill")), options).tenant == "mill"
    with pytest.raises(Unauthenticated, match="org_id"):
        verify(token(), options)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_tokens_are_refused(name: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        verify(WRONG[name])
    assert caught.value.http_status == 401
    assert str(caught.value).startswith("the token is not accepted: ")


def test_there_are_enough_wrong_tokens_and_each_is_its_own() -> None:
    times = Counter(WRONG.values())
    assert [name for name, text in WRONG.items() if times[text] > 1] == []
    assert len(WRONG) > 150


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (WRONG["expired"], "it has expired"),
        (WRONG["not yet"], "it is not valid yet"),
        (WRONG["aud another"], "another audience"),
        (WRONG["iss another"], "another issuer"),
        (WRONG["exp missing"], "one of the claims iss, aud, sub, exp, nbf is missing"),
        (WRONG["crit unknown"], "extension"),
        (WRONG["kid unknown"], "no key of its `kid`"),
        (WRONG["too long"], "8192 are allowed"),
        (WRONG["exp in a thousand years"], "longer than"),
        (WRONG["another key"], "signature"),
    ],
)
def test_the_reason_is_said_and_nothing_is_quoted(text: str, why: str) -> None:
    with pytest.raises(Unauthenticated, match=why) as caught:
        verify(text)
    said = f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
    for hidden in ("reader-7", "evil", "shizi2", *(part for part in text.split(".") if len(part) > 8)):
        assert hidden not in said


@given(st.binary(max_size=200), st.binary(max_size=400), st.binary(max_size=80))
def test_any_bytes_in_three_parts_are_refused(head: bytes, body: bytes, signature: bytes) -> None:
    with pytest.raises(Unauthenticated):
        verify(".".join(map(b64, (head, body, signature))))


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        verify(text)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)))  # fmt: skip
def test_any_header_is_refused_when_the_signature_is_not_ours(head: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify(compact(head, claims(), rs256(rsa_key("evil"))))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": ""}, "issuer"),
        ({"audiences": ()}, "audience"),
        ({"audiences": ("",)}, "audience"),
        ({"algorithms": ("none",)}, "algorithms"),
        ({"algorithms": ()}, "algorithms"),
        ({"leeway_s": 301}, "leeway"),
        ({"leeway_s": -1}, "leeway"),
        ({"max_bytes": 0}, "1 or more"),
    ],
)
def test_options_that_are_unsafe_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        TokenOptions(**({"issuer": ISSUER, "audiences": (AUDIENCE,)} | changes))


def test_shared_secrets_need_to_be_allowed_by_name() -> None:
    with pytest.raises(Unauthenticated, match="algorithm"):
        verify(
            token(header(alg="HS256", kid="hs"), sign=hs256(SECRET)), TokenOptions(issuer=ISSUER, audiences=(AUDIENCE,))
        )
