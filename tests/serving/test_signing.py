"""Keys for tokens: each for one algorithm, none that is weak, private or not a key."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.serving.signing import StaticKeys, public_key, published_key, shared_secret
from tests.serving.issuer import b64, ec_key, jwk, pem, rsa_key


def test_a_static_key_is_found_by_exactly_its_name_and_shows_nothing_of_itself() -> None:
    secret = os.urandom(32)
    key = shared_secret("hs", "HS256", secret)
    keys = StaticKeys(key, public_key("rsa", "PS256", pem(rsa_key())))
    assert asyncio.run(keys.find("hs")) is key
    assert asyncio.run(keys.find("HS")) is None
    assert repr(key) == "VerificationKey(kid='hs', algorithm='HS256')"
    with pytest.raises(InvalidRequest, match="same `kid`"):
        StaticKeys(key, key)


def test_every_kind_of_public_key_can_be_used() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    text = edwards.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert public_key("ed", "EdDSA", text).algorithm == "EdDSA"
    assert public_key("ec", "ES256", pem(ec_key())).algorithm == "ES256"
    assert public_key("rsa", "RS512", pem(rsa_key())).algorithm == "RS512"


def private() -> bytes:
    return ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("kid", "algorithm", "text", "why"),
    [
        ("k", "RS256", pem(ec_key()), "not of the kind"),
        ("k", "ES256", pem(rsa_key()), "not of the kind"),
        ("k", "ES384", pem(ec_key()), "not of the kind"),
        ("k", "RS256", pem(rsa_key("small", 1024)), "too short"),
        ("k", "ES256", private(), "private"),
        ("k", "RS256", b"ssh-rsa AAAA", "PEM"),
        ("k", "RS256", b"", "PEM"),
        ("k", "HS256", pem(rsa_key()), "cannot be used with 'HS256'"),
        ("k", "none", pem(rsa_key()), "cannot be used with 'none'"),
        ("", "RS256", pem(rsa_key()), "`kid`"),
        ("a b", "RS256", pem(rsa_key()), "`kid`"),
        ("k" * 257, "RS256", pem(rsa_key()), "`kid`"),
    ],
)
def test_keys_that_do_not_fit_are_refused(kid: str, algorithm: str, text: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        public_key(kid, algorithm, text)


@pytest.mark.parametrize(
    ("algorithm", "secret", "why"),
    [
        ("HS256", b"x" * 31, "31 bytes"),
        ("HS384", b"x" * 47, "47 bytes"),
        ("HS512", b"x" * 63, "63 bytes"),
        ("HS256", b"", "0 bytes"),
        ("HS256", pem(rsa_key()), "not of the kind"),
        ("RS256", b"x" * 64, "cannot be used"),
    ],
)
def test_secrets_that_are_none_are_refused_and_not_shown(algorithm: str, secret: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        shared_secret("k", algorithm, secret)
    assert "xxxx" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_published_keys_are_bound_to_the_algorithm_of_their_kind() -> None:
    made = [
        published_key(jwk(rsa_key(), "a")),
        published_key(jwk(rsa_key(), "b", alg="PS256", use="sig")),
        published_key(jwk(ec_key(), "c", key_ops=["verify"])),
    ]
    assert [(key.kid, key.algorithm) for key in made if key] == [("a", "RS256"), ("b", "PS256"), ("c", "ES256")]


def off_the_curve() -> dict[str, Any]:
    good = jwk(ec_key(), "k")
    return good | {"y": good["x"]}


@pytest.mark.parametrize(
    "member",
    [
        {"kty": "oct", "k": b64(b"x" * 32), "kid": "k", "alg": "HS256"},
        jwk(rsa_key(), "k") | {"d": "AQAB"},
        jwk(ec_key(), "k") | {"d": b64(ec_key().private_numbers().private_value.to_bytes(32, "big"))},
        jwk(rsa_key(), "k", alg="HS256"),
        jwk(rsa_key(), "k", alg="ES256"),
        jwk(rsa_key(), "k", alg="none"),
        jwk(rsa_key(), "k", alg=["RS256"]),
        jwk(rsa_key(), "k", use="enc"),
        jwk(rsa_key(), "k", key_ops=["encrypt"]),
        jwk(rsa_key(), "k", key_ops="verify"),
        jwk(rsa_key("small", 1024), "k"),
        jwk(rsa_key(), "k") | {"e": b64(b"\x01")},
        jwk(rsa_key(), "k") | {"n": 5},
        jwk(rsa_key(), "k") | {"n": ""},
        jwk(rsa_key(), ""),
        jwk(rsa_key(), "k") | {"kid": 1},
        {name: value for name, value in jwk(rsa_key(), "k").items() if name != "kid"},
        off_the_curve(),
        jwk(ec_key(), "k") | {"crv": "P-384"},
        jwk(ec_key(), "k") | {"x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
        jwk(ec_key(), "k", alg="ES512"),
        jwk(ec.generate_private_key(ec.SECP256K1()), "k"),
        {"kty": "OKP", "crv": "X25519", "x": b64(b"x" * 32), "kid": "k"},
        {"kty": {"a": 1}, "kid": "k"},
        [],
        "key",
        None,
    ],
)
def test_published_keys_that_must_not_be_used_are_left_out(member: object) -> None:
    assert published_key(member) is None


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.lists(st.text(max_size=5), max_size=2)


@given(
    st.dictionaries(
        st.sampled_from(["n", "e", "x", "y", "crv", "alg", "use", "key_ops", "kid", "kty"]), JUNK, max_size=4
    ),
    st.booleans(),
)
def test_any_change_of_a_published_key_is_answered_and_not_raised(changes: dict[str, Any], elliptic: bool) -> None:
    good = jwk(ec_key(), "k") if elliptic else jwk(rsa_key(), "k")
    found = published_key(good | changes)
    assert found is None or found.kid == (good | changes)["kid"]
