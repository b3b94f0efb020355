"""From headers to callers: one credential, in one place, that holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from shizi.errors import InvalidRequest, Unauthenticated
from shizi.serving.auth import CHALLENGE, Anonymous, Authenticator, AuthOptions, authenticator, is_loopback
from shizi.serving.caller import Caller, anonymous_caller
from shizi.serving.keys import KeyStore
from shizi.serving.signing import StaticKeys, public_key
from shizi.serving.tokens import TokenOptions, TokenVerifier
from tests.serving.issuer import AUDIENCE, ISSUER, pem, rsa_key, token

STRANGERS = AuthOptions(anonymous="always")
MEMBERS = AuthOptions(anonymous="never")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.sqlite3"


@pytest.fixture
def key(keys: Path) -> str:
    return KeyStore(keys).create("bank", "a", ["ocr"], None)[0]


def tokens() -> TokenVerifier:
    options = TokenOptions(issuer=ISSUER, audiences=(AUDIENCE,))
    return TokenVerifier(options, StaticKeys(public_key("rsa", "RS256", pem(rsa_key()))))


def members(keys: Path) -> Authenticator:
    return authenticator(MEMBERS, loopback_only=False, keys=keys, tokens=tokens())


def call(checks: Authenticator, headers: Mapping[str, str]) -> Caller:
    async def run() -> Caller:
        try:
            return await checks.authenticate(headers)
        finally:
            await checks.close()

    return asyncio.run(run())


def test_keys_and_tokens_are_taken_where_they_belong(keys: Path, key: str) -> None:
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer  {key} "}, {"X-API-Key": key}):
        assert call(members(keys), headers).subject.startswith("key:")
    assert call(members(keys), {"AUTHORIZATION": f"BEARER {token()}"}).subject == "token:reader-7"


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer {key}"), ("authorization", "Bearer {key}")],
        [("authorization", "Bearer {key}"), ("x-api-key", "{key}")],
        [("x-api-key", "{key}"), ("x-api-key", "{key}")],
        [("x-api-key", "{key}"), ("X-Api-Key", "")],
        [("authorization", "Bearer {key}, Bearer {key}")],
        [("authorization", "Bearer {key} {key}")],
        [("authorization", "Bearer {key},{key}")],
        [("x-api-key", "{key},{key}")],
        [("x-api-key", "{key} {key}")],
        [("x-api-key", "Bearer {key}")],
        [("x-api-key", "")],
        [("x-api-key", "{token}")],
        [("authorization", "")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer ")],
        [("authorization", "{key}")],
        [("authorization", "Basic {key}")],
        [("authorization", "Bearer:{key}")],
        [("authorization", "Bearer\t{key}")],
        [("authorization", "Bearer {key}\t")],
        [("authorization", "Bearer {key}\x00")],
        [("authorization", "Bearer \xe9")],
        [("authorization", "Bearer " + "a" * 20_000)],
        [("authorization", "Negotiate YII=")],
        [("cookie", "authorization=Bearer {key}")],
        [("proxy-authorization", "Bearer {key}")],
        [("x-api-key2", "{key}")],
        [],
    ],
)
def test_other_headers_let_nobody_in(keys: Path, key: str, headers: list[tuple[str, str]]) -> None:
    filled = [(name, value.replace("{key}", key).replace("{token}", token())) for name, value in headers]
    sent = Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in filled])
    with pytest.raises(Unauthenticated) as caught:
        call(members(keys), sent)
    assert key[20:40] not in repr(caught.value)


def test_credentials_that_do_not_hold_are_refused_where_none_are_needed(keys: Path, key: str) -> None:
    checks = authenticator(STRANGERS, loopback_only=False, keys=keys, tokens=tokens())
    assert call(checks, {}) == anonymous_caller({"ocr", "jobs", "feedback"})
    assert call(checks, {"x-api-key": key}).tenant == "bank"
    for headers in ({"x-api-key": key[:-1]}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer x.y.z"}):
        with pytest.raises(Unauthenticated):
            call(checks, headers)


@pytest.mark.parametrize(
    ("anonymous", "loopback_only", "welcome"),
    [
        ("loopback", True, True),
        ("loopback", False, False),
        ("always", True, True),
        ("always", False, True),
        ("never", True, False),
        ("never", False, False),
    ],
)
def test_strangers_are_welcome_only_where_the_options_say_so(
    keys: Path, anonymous: Anonymous, loopback_only: bool, welcome: bool
) -> None:
    checks = authenticator(AuthOptions(anonymous=anonymous), loopback_only=loopback_only, keys=keys, tokens=None)
    if welcome:
        assert call(checks, {}).anonymous
    else:
        with pytest.raises(Unauthenticated, match="no key or token came"):
            call(checks, {})


def test_a_server_that_is_open_to_the_world_needs_a_word_for_it() -> None:
    with pytest.raises(InvalidRequest, match="allow strangers explicitly"):
        authenticator(AuthOptions(), loopback_only=False, keys=None, tokens=None)
    assert call(authenticator(AuthOptions(), loopback_only=True, keys=None, tokens=None), {}).anonymous
    assert call(authenticator(STRANGERS, loopback_only=False, keys=None, tokens=None), {}).anonymous


def test_a_file_of_keys_that_cannot_be_used_is_known_at_once(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no keys " * 1000)
    path.chmod(0o600)
    with pytest.raises(InvalidRequest, match="file of keys"):
        authenticator(MEMBERS, loopback_only=False, keys=path, tokens=None)


def test_what_is_not_configured_is_refused(keys: Path, key: str) -> None:
    with pytest.raises(Unauthenticated, match="takes no API keys"):
        call(authenticator(MEMBERS, loopback_only=False, keys=None, tokens=tokens()), {"x-api-key": key})
    with pytest.raises(Unauthenticated, match="takes no tokens"):
        call(
            authenticator(MEMBERS, loopback_only=False, keys=keys, tokens=None), {"authorization": f"Bearer {token()}"}
        )


def test_options_are_checked() -> None:
    wrong: Any = "sometimes"
    with pytest.raises(InvalidRequest, match="loopback, always or never"):
        AuthOptions(anonymous=wrong)
    with pytest.raises(InvalidRequest, match="'root' is no scope"):
        AuthOptions(anonymous_scopes=frozenset({"root"}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["authorization", "x-api-key"]), value=st.text(max_size=100))
def test_any_header_is_refused_and_raises_nothing_else(keys: Path, name: str, value: str) -> None:
    for text in (value, f"Bearer {value}", f"Bearer shizi_{value}"):
        with pytest.raises(Unauthenticated):
            call(members(keys), {name: text})


def test_nothing_secret_is_logged_or_shown(keys: Path, key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    checks, good = members(keys), token()
    shown = [repr(call(checks, {"x-api-key": key})), repr(call(checks, {"authorization": f"Bearer {good}"}))]
    for wrong in (
        {"x-api-key": key + "0"},
        {"authorization": f"Bearer {good[:-3]}"},
        {"authorization": f"Bearer {key[:-2]}xx"},
    ):
        with pytest.raises(Unauthenticated) as caught:
            call(checks, wrong)
        shown.append(repr(caught.value))
    text = caplog.text + "".join(shown) + repr(checks)
    for secret in (key[20:50], good.split(".")[1], good.split(".")[2][:30]):
        assert secret not in text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "::ffff:127.0.0.1", "unix:/run/x", "/run/x"]
)
def test_hosts_that_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "localhost.example.org", "example.org", "::ffff:10.0.0.1", "127.1"]
)
def test_hosts_that_others_reach(host: str) -> None:
    assert not is_loopback(host)


def test_the_challenge_is_one_of_the_standard() -> None:
    assert CHALLENGE == 'Bearer realm="shizi"'
