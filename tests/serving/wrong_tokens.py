"""Tokens that must not be accepted, by what is wrong with them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.serving.issuer import (
    AUDIENCE,
    ISSUER,
    b64,
    claims,
    compact,
    ec_key,
    es256,
    header,
    hs256,
    jwk,
    pem,
    rs256,
    rsa_key,
    token,
)

NOW: Final = int(time.time())
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the points of P-256


def es_token(sign: Callable[[bytes], bytes] | None = None) -> str:
    return token(header(alg="ES256", kid="ec"), sign=sign or es256(ec_key()))


def signed_apart(head: dict[str, Any] | bytes, body: dict[str, Any] | bytes) -> str:
    return compact(head, body, rs256(rsa_key()))


def raw(r: int, s: int) -> Callable[[bytes], bytes]:
    return lambda _message: r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(message: bytes) -> bytes:
    return ec_key().sign(message, ec.ECDSA(hashes.SHA256()))


def changed_payload() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{b64(json.dumps(claims(tenant='mill')).encode())}.{signature}"


def flipped(text: str, part: int) -> str:
    parts = text.split(".")
    data = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    data[-1] ^= 1
    parts[part] = b64(bytes(data))
    return ".".join(parts)


def unused_bits_set() -> str:
    """The last character of the signature holds bits beyond the last byte; a lax decoder takes 16 texts for one."""
    text = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1 if alphabet.index(text[-1]) % 2 == 0 else 1]


def doubled(name: str, first: object) -> bytes:
    """A claim that comes twice: a reader that takes the last one sees a good token."""
    return b"{" + f'"{name}": {json.dumps(first)}, '.encode() + json.dumps(claims()).encode()[1:]


def nested(depth: int) -> bytes:
    return b'{"deep": ' + b"[" * depth + b"]" * depth + b", " + json.dumps(claims()).encode()[1:]


def with_number(name: str, digits: str) -> bytes:
    return json.dumps(claims(**{name: "@"})).encode().replace(b'"@"', digits.encode())


WRONG: Final[dict[str, str]] = {
    # algorithm none, in all spellings
    **{
        f"alg {alg!r} {'with' if signature else 'without'} signature": (
            f"{b64(json.dumps(header(alg=alg)).encode())}.{b64(json.dumps(claims()).encode())}.{signature}"
        )
        for alg in ("none", "None", "NONE", "nOnE", "none ", " none", "n\u006fne\u0000", "", "ｎｏｎｅ")
        for signature in ("", "AAAA")
    },
    "alg missing": token(header(alg=None)),
    "alg null": signed_apart(header() | {"alg": None}, claims()),
    "alg a list": token(header(alg=["RS256"])),
    "alg an object": token(header(alg={"RS256": 1})),
    "alg a number": token(header(alg=256)),
    "alg in small letters": token(header(alg="rs256")),
    "alg unknown": token(header(alg="RS1")),
    "alg that the key has not: RS512": token(header(alg="RS512")),
    "alg that the key has not: PS256": token(header(alg="PS256")),
    "alg that is not allowed here": token(header(alg="HS512", kid="hs")),
    # confusion of kinds of keys
    "HS256 with the public key as the secret": token(header(alg="HS256"), sign=hs256(pem(rsa_key()))),
    "HS256 with the public key without line end": token(header(alg="HS256"), sign=hs256(pem(rsa_key()).strip())),
    "HS256 with the EC key as the secret": token(header(alg="HS256", kid="ec"), sign=hs256(pem(ec_key()))),
    "HS256 with the kid of the secret, public key": token(header(alg="HS256", kid="hs"), sign=hs256(pem(rsa_key()))),
    "HS256 with an empty secret": token(header(alg="HS256", kid="hs"), sign=hs256(b"")),
    "RS256 with the kid of the EC key": token(header(kid="ec")),
    "RS256 with the kid of the secret": token(header(kid="hs")),
    "ES256 with the kid of the RSA key": token(header(alg="ES256"), sign=es256(ec_key())),
    # keys
    "another key": token(sign=rs256(rsa_key("evil"))),
    "another EC key": es_token(es256(ec_key("evil"))),
    "kid missing": token(header(kid=None)),
    "kid null": signed_apart(header() | {"kid": None}, claims()),
    "kid unknown": token(header(kid="rsa2")),
    "kid empty": token(header(kid="")),
    "kid in capitals": token(header(kid="RSA")),
    "kid a number": token(header(kid=1)),
    "kid a list": token(header(kid=["rsa"])),
    "kid an object": token(header(kid={"rsa": "rsa"})),
    "kid a path": token(header(kid="../../../../dev/null"), sign=hs256(b"")),
    "kid a file": token(header(kid="/proc/sys/kernel/randomize_va_space", alg="HS256"), sign=hs256(b"2\n")),
    "kid SQL": token(header(kid="x' UNION SELECT 'secret' --", alg="HS256"), sign=hs256(b"secret")),
    "kid a command": token(header(kid="rsa;id|sh")),
    "kid an address": token(header(kid="http://127.0.0.1:1/rsa")),
    "kid with a null byte": token(header(kid="rsa\0")),
    "kid with a line break": token(header(kid="rsa\n")),
    "kid too long": token(header(kid="r" * 257)),
    "jwk of its own": token(header(jwk=jwk(rsa_key("evil"), "rsa")), sign=rs256(rsa_key("evil"))),
    "jku of its own": token(header(jku="http://127.0.0.1:1/jwks.json", kid="evil"), sign=rs256(rsa_key("evil"))),
    "x5u of its own": token(header(x5u="http://127.0.0.1:1/cert.pem"), sign=rs256(rsa_key("evil"))),
    "x5c of its own": token(header(x5c=[b64(pem(rsa_key("evil")))]), sign=rs256(rsa_key("evil"))),
    # headers
    "crit unknown": token(header(crit=["exp2"], exp2=1)),
    "crit with a known claim": token(header(crit=["exp"], exp=NOW + 60)),
    "crit empty": token(header(crit=[])),
    "crit a text": token(header(crit="exp")),
    "crit b64": token(header(crit=["b64"], b64=False)),
    "b64 false": token(header(b64=False)),
    "zip": token(header(zip="DEF")),
    "enc": token(header(enc="A256GCM")),
    "typ another": token(header(typ="JWE")),
    "typ of an identity": token(header(typ="logout+jwt")),
    "typ a list": token(header(typ=["JWT"])),
    "header a list": signed_apart(b'["RS256", "rsa"]', claims()),
    "header a text": signed_apart(b'"RS256"', claims()),
    "header no JSON": signed_apart(b"alg=RS256", claims()),
    "header with alg twice": signed_apart(b'{"alg": "none", "alg": "RS256", "kid": "rsa"}', claims()),
    "header with kid twice": signed_apart(b'{"alg": "RS256", "kid": "evil", "kid": "rsa"}', claims()),
    "header not UTF-8": signed_apart(b'{"alg": "RS256", "kid": "rsa", "x": "\xff"}', claims()),
    "header UTF-16": signed_apart(json.dumps(header()).encode("utf-16"), claims()),
    "header with a byte order mark": signed_apart(b"\xef\xbb\xbf" + json.dumps(header()).encode(), claims()),
    "header nested 2,000 times": signed_apart(b'{"x": ' + b"[" * 2000, claims()),
    # times
    "expired": token(body=claims(exp=NOW - 120, nbf=NOW - 600)),
    "expired in 1970": token(body=claims(exp=0, nbf=-5)),
    "not yet": token(body=claims(nbf=NOW + 86400, exp=NOW + 90000)),
    "made in the future": token(body=claims(iat=NOW + 86400)),
    "exp missing": token(body=claims(exp=None)),
    "exp null": signed_apart(header(), claims() | {"exp": None}),
    "exp a text": token(body=claims(exp=str(NOW + 60))),
    "exp true": token(body=claims(exp=True)),
    "exp a list": token(body=claims(exp=[NOW + 60])),
    "exp infinite": signed_apart(header(), with_number("exp", "Infinity")),
    "exp not a number": signed_apart(header(), with_number("exp", "NaN")),
    "exp 1e999": signed_apart(header(), with_number("exp", "1e999")),
    "exp in a thousand years": token(body=claims(exp=NOW + 1000 * 365 * 86400)),
    "exp of 5,000 digits": signed_apart(header(), with_number("exp", "9" * 5000)),
    "exp of 30 digits": signed_apart(header(), with_number("exp", "9" * 30)),
    "nbf missing": token(body=claims(nbf=None)),
    "nbf a text": token(body=claims(nbf=str(NOW - 5))),
    "nbf false": token(body=claims(nbf=False)),
    "nbf infinitely long ago": signed_apart(header(), with_number("nbf", "-1e999")),
    "nbf after exp": token(body=claims(nbf=NOW + 20, exp=NOW + 10)),
    "iat true": token(body=claims(iat=True)),
    "iat a text": token(body=claims(iat="yesterday")),
    # issuer, audience, subject, tenant, scope
    "iss missing": token(body=claims(iss=None)),
    "iss another": token(body=claims(iss="https://id.example.org.evil/")),
    "iss without its slash": token(body=claims(iss=ISSUER[:-1])),
    "iss a list": token(body=claims(iss=[ISSUER])),
    "iss empty": token(body=claims(iss="")),
    "aud missing": token(body=claims(aud=None)),
    "aud another": token(body=claims(aud="shizi2")),
    "aud a part": token(body=claims(aud="shi")),
    "aud empty": token(body=claims(aud="")),
    "aud an empty list": token(body=claims(aud=[])),
    "aud an object": token(body=claims(aud={AUDIENCE: True})),
    "aud a list of lists": token(body=claims(aud=[[AUDIENCE]])),
    "aud with a number": token(body=claims(aud=[AUDIENCE, 1])),
    "aud true": token(body=claims(aud=True)),
    "sub missing": token(body=claims(sub=None)),
    "sub empty": token(body=claims(sub="")),
    "sub a number": token(body=claims(sub=7)),
    "sub with a line break": token(body=claims(sub="reader\n2026 admin signed in")),
    "sub too long": token(body=claims(sub="s" * 257)),
    "tenant missing": token(body=claims(tenant=None)),
    "tenant anonymous": token(body=claims(tenant="anonymous")),
    "tenant a list": token(body=claims(tenant=["bank"])),
    "tenant a path": token(body=claims(tenant="../mill")),
    "tenant with a space": token(body=claims(tenant="bank ")),
    "tenant with a line break": token(body=claims(tenant="bank\n")),
    "tenant empty": token(body=claims(tenant="")),
    "tenant too long": token(body=claims(tenant="b" * 129)),
    "tenant in look-alike letters": token(body=claims(tenant="bаnk")),
    "scope a list": token(body=claims(scope=["ocr"])),
    "scope an object": token(body=claims(scope={"ocr": 1})),
    "jti a number": token(body=claims(jti=5)),
    # claims twice, other texts than JSON objects
    "exp twice": signed_apart(header(), doubled("exp", 0)),
    "aud twice": signed_apart(header(), doubled("aud", "elsewhere")),
    "sub twice": signed_apart(header(), doubled("sub", "root")),
    "tenant twice": signed_apart(header(), doubled("tenant", "mill")),
    "claims a list": signed_apart(header(), b"[1]"),
    "claims a text": signed_apart(header(), b'"all"'),
    "claims a token in a token": signed_apart(header(cty="JWT"), token().encode()),
    "claims not UTF-8": signed_apart(header(), json.dumps(claims()).encode()[:-1] + b', "x": "\xc3("}'),
    "claims UTF-16": signed_apart(header(), json.dumps(claims()).encode("utf-16")),
    "claims with more after them": signed_apart(header(), json.dumps(claims()).encode() + b"{}"),
    "claims nested deeply": signed_apart(header(), nested(2500)),
    "claims null": signed_apart(header(), b"null"),
    # signature
    "payload changed": changed_payload(),
    "signature changed": flipped(token(), 2),
    "signature empty": token().rsplit(".", 1)[0] + ".",
    "signature shorter": token()[:-4],
    "signature longer": token() + "AAAA",
    "signature with unused bits set": unused_bits_set(),
    "EC signature of r = s = 0": es_token(raw(0, 0)),
    "EC signature of r = s = 1": es_token(raw(1, 1)),
    "EC signature of r = s = n": es_token(raw(ORDER, ORDER)),
    "EC signature of r = n, s = 0": es_token(raw(ORDER, 0)),
    "EC signature of 2^256 - 1": es_token(raw(2**256 - 1, 2**256 - 1)),
    "EC signature as DER": es_token(der),
    "EC signature with one more byte": es_token(lambda message: es256(ec_key())(message) + b"\0"),
    "EC signature halved": es_token(lambda message: es256(ec_key())(message)[:32]),
    "EC signature by RSA": es_token(rs256(rsa_key())),
    # form
    "nothing": "",
    "dots alone": "..",
    "one part": token().split(".")[0],
    "two parts": token().rsplit(".", 1)[0],
    "four parts": token() + ".AAAA",
    "encrypted (five parts)": f"{b64(b'{}')}.AAAA.AAAA.AAAA.AAAA",
    "first part missing": "." + token().split(".", 1)[1],
    "padding": token() + "==",
    "padding inside": token().replace(".", "=.", 1),
    "base64 of the other alphabet": token() + "+/",
    "space before": " " + token(),
    "line break after": token() + "\n",
    "tab inside": token().replace(".", ".\t", 1),
    "null byte after": token() + "\0",
    "letters that are not ASCII": token() + "é",
    "signature in JSON form": json.dumps({"payload": "AAAA", "signatures": []}),
    "too long": token(body=claims(x="x" * 9000)),
}  # fmt: skip
