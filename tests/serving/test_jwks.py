"""JWK sets from real servers on this machine, and from files: kept, renewed, bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from shizi.errors import EngineUnavailable, InvalidRequest, Unauthenticated
from shizi.serving.jwks import Jwks, JwksOptions, read_set
from shizi.serving.tokens import TokenOptions, TokenVerifier
from tests.serving.issuer import AUDIENCE, ISSUER, ec_key, es256, header, jwk, rsa_key, token
from tests.serving.publisher import Publisher, certificate, key_set, serving


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def settled(keys: Jwks) -> None:
    """Until a fetch that nobody waits for has ended."""
    for _ in range(500):
        if keys._fetch is None or keys._fetch.done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the fetch does not end")


def test_a_set_is_fetched_once_and_kept() -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(rsa_key(), "a"), jwk(ec_key(), "b")))) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url))
            found = await asyncio.gather(*(keys.find("ab"[place % 2]) for place in range(20)))
            assert {key.algorithm for key in found if key} == {"RS256", "ES256"}
            assert len(publisher.requests) == keys.fetches == 1
            assert publisher.requests[0].startswith("GET /jwks.json HTTP/1.1")
            await keys.close()

    asyncio.run(run())


def test_a_new_key_of_the_issuer_is_found_by_its_unknown_name_but_not_more_often_than_allowed() -> None:
    async def run() -> None:
        clock = Clock()
        async with serving(Publisher(key_set(jwk(rsa_key(), "old")))) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url, refetch_s=30), clock)
            assert await keys.find("old")
            publisher.body = key_set(jwk(ec_key(), "new"))
            for number in range(50):
                assert await keys.find(f"made-up-{number}") is None
            assert await keys.find("new") is None
            assert len(publisher.requests) == 1, "unknown names within the bound ask nobody"
            clock.now += 31
            first, *others = await asyncio.gather(*(keys.find("new") for _ in range(20)))
            assert first
            assert others == [first] * 19
            assert await keys.find("old") is None, "a key that is no longer published no longer holds"
            assert len(publisher.requests) == 2

    asyncio.run(run())


def test_an_old_set_is_renewed_while_it_still_serves() -> None:
    async def run() -> None:
        clock = Clock()
        async with serving(Publisher(key_set(jwk(rsa_key(), "a")))) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url, refresh_s=300), clock)
            await keys.find("a")
            publisher.body = key_set(jwk(ec_key(), "a"))
            clock.now += 301
            before = await keys.find("a")
            await settled(keys)
            after = await keys.find("a")
            assert before
            assert after
            assert (before.algorithm, after.algorithm) == ("RS256", "ES256")

    asyncio.run(run())


def test_when_the_issuer_is_away_known_keys_serve_until_they_are_stale() -> None:
    async def run() -> None:
        clock = Clock()
        async with serving(Publisher(key_set(jwk(rsa_key(), "a")))) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url, refresh_s=300, stale_s=3600), clock)
            await keys.find("a")
        clock.now += 3000
        assert await keys.find("a")
        await settled(keys)
        assert keys.failures == 1
        clock.now += 601
        with pytest.raises(EngineUnavailable, match="cannot be fetched") as caught:
            await keys.find("a")
        assert caught.value.retry_after == 30
        assert publisher.url not in str(caught.value)

    asyncio.run(run())


@pytest.mark.parametrize(
    "publisher",
    [
        Publisher(b"", "HTTP/1.1 404 Not Found"),
        Publisher(b"", "HTTP/1.1 500 Oh"),
        Publisher(b"not json"),
        Publisher(b"[]"),
        Publisher(b"{}"),
        Publisher(b'{"keys": {}}'),
        Publisher(key_set()),
        Publisher(key_set({"kty": "oct", "k": "AAAA", "kid": "a"})),
        Publisher(b'{"keys": [], ' + key_set(jwk(rsa_key(), "a"))[1:]),
        Publisher(key_set(*[jwk(ec_key(), "a")] * 11)),
        Publisher(key_set(jwk(ec_key(), "a")) + b" " * 20_000),
        Publisher(key_set(jwk(ec_key(), "a")), more="Content-Encoding: gzip\r\n"),
        Publisher(key_set(jwk(ec_key(), "a")), drip_s=0.05),
        Publisher(key_set(jwk(ec_key(), "a")), head="SMTP 220 hello"),
    ],
    ids=[
        "404", "500", "no JSON", "list", "empty", "keys an object", "no keys", "secret", "keys twice", "too many", "too large",
        "compressed", "dripping", "no HTTP",
    ],
)  # fmt: skip
def test_answers_that_are_no_set_are_refused_in_time(publisher: Publisher) -> None:
    async def run() -> None:
        async with serving(publisher):
            keys = Jwks(JwksOptions(source=publisher.url, max_bytes=10_000, max_keys=10, timeout_s=0.7))
            async with asyncio.timeout(5):
                with pytest.raises(EngineUnavailable):
                    await keys.find("a")
                with pytest.raises(EngineUnavailable):
                    await keys.find("b")
            assert (keys.fetches, keys.failures) == (1, 1)

    asyncio.run(run())


def test_redirects_are_not_followed() -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(rsa_key(), "a")))) as target:
            for status in (301, 302, 303, 307, 308):
                async with serving(
                    Publisher(b"", f"HTTP/1.1 {status} Elsewhere", f"Location: {target.url}\r\n")
                ) as door:
                    with pytest.raises(EngineUnavailable):
                        await Jwks(JwksOptions(source=door.url)).find("a")
                    assert len(door.requests) == 1
            assert target.requests == []

    asyncio.run(run())


def test_https_is_checked_against_the_authorities_that_are_trusted(tmp_path: Path) -> None:
    async def run() -> None:
        context, authority = certificate(tmp_path)
        async with serving(Publisher(key_set(jwk(rsa_key(), "a"))), context) as publisher:
            assert await Jwks(JwksOptions(source=publisher.url, ca_file=authority)).find("a")
            with pytest.raises(EngineUnavailable):
                await Jwks(JwksOptions(source=publisher.url)).find("a")
            assert len(publisher.requests) == 1

    asyncio.run(run())


def test_a_file_serves_too_and_is_read_again(tmp_path: Path) -> None:
    async def run() -> None:
        clock, path = Clock(), tmp_path / "jwks.json"
        keys = Jwks(JwksOptions(source=str(path), max_bytes=5000), clock)
        with pytest.raises(EngineUnavailable):
            await keys.find("a")
        path.write_bytes(key_set(jwk(ec_key(), "a")))
        clock.now += 31
        assert await keys.find("a")
        path.write_bytes(key_set(jwk(ec_key(), "b")) + b" " * 5000)
        clock.now += 31
        assert await keys.find("b") is None, "too large: the old set stays"
        path.write_bytes(key_set(jwk(ec_key(), "b")))
        clock.now += 31
        assert await keys.find("b")

    asyncio.run(run())


def test_a_name_that_comes_twice_names_no_key() -> None:
    found = read_set(key_set(jwk(rsa_key(), "a"), jwk(ec_key(), "a"), jwk(ec_key(), "b"), {"kty": "?"}), 10)
    assert list(found) == ["b"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source": "http://id.example.org/jwks.json"}, "https"),
        ({"source": "http://127.0.0.1.example.org/jwks.json"}, "https"),
        ({"source": "http://localhost.example.org/jwks.json"}, "https"),
        ({"source": "https:///jwks.json"}, "host"),
        ({"source": "https://user:word@id.example.org/jwks.json"}, "user name"),
        ({"source": "https://id.example.org/", "refetch_s": 0.5}, "refetch_s"),
        ({"source": "https://id.example.org/", "timeout_s": 0}, "above 0"),
    ],
)
def test_sources_that_are_not_safe_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        JwksOptions(**changes)
    assert "id.example.org" not in str(caught.value)


def test_a_fetch_can_be_ended_and_one_caller_that_leaves_ends_it_for_nobody() -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(ec_key(), "a")), drip_s=0.001)) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url))
            leaving, staying = asyncio.create_task(keys.find("a")), asyncio.create_task(keys.find("a"))
            await asyncio.sleep(0.05)
            leaving.cancel()
            assert await staying
            publisher.drip_s = 1
            ended = Jwks(JwksOptions(source=publisher.url))
            waiting = asyncio.create_task(ended.find("a"))
            await asyncio.sleep(0.05)
            await ended.close()
            assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], BaseException)

    asyncio.run(run())


def test_tokens_are_checked_with_published_keys_and_wrong_ones_do_not_flood_the_issuer() -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(rsa_key(), "rsa"), jwk(ec_key(), "ec")))) as publisher:
            keys = Jwks(JwksOptions(source=publisher.url))
            verifier = TokenVerifier(TokenOptions(issuer=ISSUER, audiences=(AUDIENCE,)), keys)
            assert (await verifier.verify(token())).tenant == "bank"
            assert (await verifier.verify(token(header(alg="ES256", kid="ec"), sign=es256(ec_key())))).tenant == "bank"
            for kid in ("../rsa", "rsa?", "RSA", "http://127.0.0.1/", "x' OR '1'='1", *(f"k{n}" for n in range(50))):
                with pytest.raises(Unauthenticated):
                    await verifier.verify(token(header(kid=kid)))
            assert len(publisher.requests) == 1
            await verifier.close()

    asyncio.run(run())


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_keys_come_through_the_proxy_of_the_environment(no_proxies: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(rsa_key(), "a")))) as proxy:
            no_proxies.setenv("HTTP_PROXY", proxy.url.removesuffix("/jwks.json"))
            keys = Jwks(JwksOptions(source="http://127.0.0.1:1/keys"))
            assert await keys.find("a")
            assert proxy.requests[0].startswith("GET http://127.0.0.1:1/keys HTTP/1.1")
            await keys.close()

    asyncio.run(run())


def test_https_goes_through_the_proxy_as_a_tunnel(no_proxies: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(Publisher(head="HTTP/1.1 403 Forbidden")) as proxy:
            no_proxies.setenv("HTTPS_PROXY", proxy.url.removesuffix("/jwks.json"))
            keys = Jwks(JwksOptions(source="https://id.example.org/keys"))
            with pytest.raises(EngineUnavailable):
                await keys.find("a")
            assert [request.splitlines()[0] for request in proxy.requests] == ["CONNECT id.example.org:443 HTTP/1.1"]
            await keys.close()

    asyncio.run(run())


def test_no_proxy_names_issuers_that_are_reached_directly(no_proxies: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(Publisher(key_set(jwk(rsa_key(), "a")))) as publisher:
            no_proxies.setenv("HTTP_PROXY", "http://127.0.0.1:1")
            no_proxies.setenv("NO_PROXY", "127.0.0.1")
            keys = Jwks(JwksOptions(source=publisher.url))
            assert await keys.find("a")
            await keys.close()

    asyncio.run(run())
