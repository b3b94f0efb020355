"""Quotas: of strangers by network, of tenants by name, said in headers, bounded in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from shizi.errors import ImageTooLarge, InvalidRequest, RateLimited
from shizi.serving.caller import Caller, anonymous_caller
from shizi.serving.counting import Counting
from shizi.serving.ratelimit import Cost, Quota, RateLimiter, RateLimitState, RateOptions
from shizi.serving.windows import BoundedWindows

STRANGER = anonymous_caller({"ocr"})
BANK = Caller("bank", "key:a", frozenset({"ocr"}), anonymous=False)
MILL = Caller("mill", "token:b", frozenset({"ocr"}), anonymous=False)


class Clock:
    def __init__(self, now: float = 600.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def limiter(clock: Clock | None = None, *, counted: bool = True, **options: Any) -> RateLimiter:  # noqa: ANN401
    return RateLimiter(RateOptions(**options), counted=counted, clock=clock or Clock())


def passed(limits: RateLimiter, caller: Caller, address: str, times: int, cost: Cost | None = None) -> int:
    """How many of so many requests are let through."""

    async def run() -> int:
        count = 0
        for _ in range(times):
            try:
                await limits.check(caller, address, cost or Cost())
                count += 1
            except RateLimited:
                pass
        return count

    return asyncio.run(run())


def test_strangers_have_ten_requests_a_minute_each() -> None:
    limits = limiter()
    assert passed(limits, STRANGER, "203.0.113.1", 15) == 10
    assert passed(limits, STRANGER, "203.0.113.2", 15) == 10
    assert passed(limits, STRANGER, "203.0.113.1", 1) == 0


def test_the_addresses_of_a_network_of_ipv6_are_one_stranger() -> None:
    limits = limiter()
    assert sum(passed(limits, STRANGER, f"2001:db8:0:1::{place:x}", 1) for place in range(50)) == 10
    assert passed(limits, STRANGER, "2001:db8:0:2::1", 1) == 1


def test_a_server_that_only_this_machine_reaches_counts_nothing() -> None:
    limits = limiter(counted=False)
    assert passed(limits, STRANGER, "127.0.0.1", 500) == 500
    assert asyncio.run(limits.check(STRANGER, "127.0.0.1")).headers() == {}


def test_on_other_servers_strangers_of_this_machine_are_counted_too() -> None:
    """A proxy on the same machine that was not made known would otherwise open the server to everybody."""
    assert passed(limiter(), STRANGER, "127.0.0.1", 15) == 10


def test_tenants_are_counted_by_name_whatever_their_addresses() -> None:
    limits = limiter(tenant=Quota(requests=20, megapixels=100), tenants={"mill": Quota(requests=3, megapixels=100)})
    assert sum(passed(limits, BANK, f"203.0.113.{place}", 1) for place in range(30)) == 20
    assert passed(limits, MILL, "203.0.113.1", 30) == 3
    assert passed(limits, STRANGER, "203.0.113.1", 30) == 10


def test_a_tenant_whose_name_is_an_address_shares_nothing_with_it() -> None:
    limits = limiter(tenant=Quota(requests=5, megapixels=5))
    odd = Caller("203.0.113.1", "key:a", frozenset(), anonymous=False)
    assert passed(limits, STRANGER, "203.0.113.1", 20) == 10
    assert passed(limits, odd, "203.0.113.1", 20) == 5


def test_in_a_shared_storage_a_tenant_shares_nothing_with_a_network_of_its_name() -> None:
    clock, quota = Clock(), Quota(requests=5, megapixels=5)
    limits = limiter(clock, anonymous=quota, tenant=quota)
    limits._counting = Counting(BoundedWindows(100, clock), 1, 1, clock)
    assert passed(limits, STRANGER, "203.0.113.1", 9) == 5
    assert passed(limits, Caller("203.0.113.1", "key:a", frozenset(), anonymous=False), "203.0.113.2", 9) == 5
    assert len(limits._networks) == len(limits._tenants) == 0


def test_megapixels_are_counted_beside_requests() -> None:
    limits = limiter(anonymous=Quota(requests=10, megapixels=100))
    assert passed(limits, STRANGER, "203.0.113.1", 10, Cost(megapixels=30)) == 3
    assert passed(limits, STRANGER, "203.0.113.1", 10, Cost(megapixels=10)) == 1
    assert passed(limits, STRANGER, "203.0.113.1", 10) == 6, "what was refused was not counted"
    assert passed(limits, STRANGER, "203.0.113.2", 20, Cost(requests=0, megapixels=6)) == 16


def test_a_thousandth_of_a_megapixel_counts() -> None:
    limits = limiter(anonymous=Quota(requests=5000, megapixels=1))
    assert passed(limits, STRANGER, "203.0.113.1", 1100, Cost(megapixels=0.0001)) == 1000


def test_what_no_wait_would_help_is_too_large() -> None:
    limits = limiter(anonymous=Quota(requests=10, megapixels=100))
    with pytest.raises(ImageTooLarge, match=r"100\.1 megapixels.*100 megapixels in 10 requests"):
        asyncio.run(limits.check(STRANGER, "203.0.113.1", Cost(megapixels=100.1)))
    assert passed(limits, STRANGER, "203.0.113.1", 1, Cost(megapixels=100)) == 1


@pytest.mark.parametrize(
    "cost", [{"requests": -1}, {"megapixels": -0.1}, {"megapixels": float("nan")}, {"megapixels": float("inf")}]
)
def test_a_cost_is_a_cost(cost: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither negative nor infinite"):
        Cost(**cost)


def test_the_refusal_says_when_to_come_again_and_then_it_holds() -> None:
    clock = Clock(615)
    limits = limiter(clock)
    passed(limits, STRANGER, "203.0.113.1", 10)
    with pytest.raises(RateLimited, match="the quota of 10 requests a minute is used up; try again in 46 s") as caught:
        asyncio.run(limits.check(STRANGER, "203.0.113.1"))
    assert caught.value.retry_after == 46
    assert caught.value.http_status == 429
    clock.now += 44
    assert passed(limits, STRANGER, "203.0.113.1", 1) == 0
    clock.now += 2
    assert passed(limits, STRANGER, "203.0.113.1", 5) == 1


def headers_of(state: RateLimitState) -> Mapping[str, str]:
    return state.headers()


def test_headers_say_the_policy_and_what_is_left() -> None:
    clock = Clock(615)
    limits = limiter(clock)
    state = asyncio.run(limits.check(STRANGER, "203.0.113.1", Cost(megapixels=20.5)))
    assert headers_of(state) == {
        "RateLimit-Policy": '"requests";q=10;w=60, "megapixels";q=500;w=60;qu="megapixels"',
        "RateLimit": '"requests";r=9;t=45, "megapixels";r=479;t=45',
    }
    passed(limits, STRANGER, "203.0.113.1", 9)
    assert asyncio.run(limits.state(STRANGER, "203.0.113.1")).headers()["RateLimit"].startswith('"requests";r=0;t=46, ')


def test_asking_for_the_state_counts_nothing() -> None:
    limits = limiter()
    for _ in range(50):
        asyncio.run(limits.state(STRANGER, "203.0.113.1"))
    assert passed(limits, STRANGER, "203.0.113.1", 15) == 10


def test_strangers_of_many_addresses_cost_bounded_memory_and_displace_nobody() -> None:
    limits = limiter(max_networks=500, max_tenants=10, tenant=Quota(requests=5, megapixels=5))

    async def flood() -> None:
        for place in range(10_000):
            with contextlib.suppress(RateLimited):
                await limits.check(STRANGER, f"2001:db8:{place:x}::1")

    assert passed(limits, BANK, "203.0.113.1", 4) == 4
    assert passed(limits, STRANGER, "203.0.113.1", 9) == 9
    asyncio.run(flood())
    assert len(limits._networks) <= 2 * 500 + 256
    assert passed(limits, STRANGER, "203.0.113.1", 5) == 1, "counts from before are kept"
    assert passed(limits, BANK, "203.0.113.1", 5) == 1
    assert passed(limits, MILL, "203.0.113.1", 9) == 5, "tenants have room of their own"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"ipv6_prefix": 8}, "bits of IPv6"),
        ({"ipv4_prefix": 33}, "bits of IPv4"),
        ({"max_networks": 0}, "above 0"),
        ({"storage_timeout_s": 0}, "above 0"),
        ({"storage_url": "http://user:passw0rd@host"}, "must begin with redis://"),
        ({"storage_url": "memcached://host"}, "must begin with redis://"),
    ],
)
def test_options_are_checked(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        RateOptions(**options)
    assert "passw0rd" not in str(caught.value)


def test_quotas_are_at_least_one() -> None:
    with pytest.raises(InvalidRequest, match="at least 1"):
        Quota(requests=0, megapixels=1)


def test_the_password_of_the_storage_is_not_shown() -> None:
    assert "passw0rd" not in repr(RateOptions(storage_url="redis://user:passw0rd@host"))
