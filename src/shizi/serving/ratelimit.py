"""How often: quotas of requests and of megapixels, by tenant, and by network where nobody signed in."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute

from shizi.errors import ImageTooLarge, InvalidRequest, RateLimited
from shizi.serving.addresses import Address, group
from shizi.serving.caller import Caller
from shizi.serving.counting import WINDOW_S, Counting, SharedStorage, Window
from shizi.serving.redis_pool import check_address
from shizi.serving.windows import BoundedWindows

_REQUESTS: Final = "requests"
_MEGAPIXELS: Final = "megapixels"
_QUOTA_UNIT: Final = {_REQUESTS: "", _MEGAPIXELS: ';qu="megapixels"'}  # requests are the draft's default
_UNITS: Final = 1000  # counts are whole numbers: a megapixel is a thousand of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What may be asked for in a minute (a sliding one)."""

    requests: int
    megapixels: int

    def __post_init__(self) -> None:
        if self.requests < 1 or self.megapixels < 1:
            raise InvalidRequest("a quota is at least 1 request and 1 megapixel a minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOptions:
    """Quotas, and what counting may cost.

    Attributes:
        anonymous: of each network of callers that did not sign in.
        tenant: of each tenant, whatever its addresses; large, since admission shares out the machine.
        tenants: of tenants that have one of their own.
        ipv4_prefix: bits of an IPv4 address that make one network.
        ipv6_prefix: the same for IPv6.
        max_networks: most networks counted one by one; beyond it, new ones share counters until others fall silent.
        max_tenants: the same for tenants.
        storage_url: a Redis (`redis://`, `rediss://`, `redis+unix://`) that counts for several servers; None: each alone.
        storage_timeout_s: longest wait for it.
        storage_retry_s: after a failure, this server counts alone for so long.
    """

    anonymous: Quota = Quota(requests=10, megapixels=500)
    tenant: Quota = Quota(requests=6000, megapixels=60_000)
    tenants: Mapping[str, Quota] = field(default_factory=dict)
    ipv4_prefix: int = 32
    ipv6_prefix: int = 64
    max_networks: int = 16_384
    max_tenants: int = 16_384
    storage_url: str | None = field(default=None, repr=False)  # may hold a password
    storage_timeout_s: float = 0.5
    storage_retry_s: float = 5

    def __post_init__(self) -> None:
        if not 8 <= self.ipv4_prefix <= 32 or not 16 <= self.ipv6_prefix <= 128:
            raise InvalidRequest("networks are counted by 8 to 32 bits of IPv4 and 16 to 128 bits of IPv6")
        if min(self.max_networks, self.max_tenants, self.storage_timeout_s, self.storage_retry_s) <= 0:
            raise InvalidRequest("the limits of counting must be above 0")
        if self.storage_url is not None:
            check_address(self.storage_url, "the storage of rate limits")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request asks for; ask again with `requests=0` when its megapixels are known later."""

    requests: int = 1
    megapixels: float = 0.0

    def __post_init__(self) -> None:
        if self.requests < 0 or not 0 <= self.megapixels < math.inf:
            raise ValueError("a cost is neither negative nor infinite")


_ONE_REQUEST: Final = Cost()


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of one quota: `remaining` within the next `seconds`, or, where nothing is left, a unit after them."""

    name: str
    quota: int
    remaining: int
    seconds: int


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """What a caller may still ask for; without balances where nothing is counted."""

    balances: tuple[Balance, ...] = ()

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers (08 to 11) writes them."""
        if not self.balances:
            return {}
        policies = [f'"{each.name}";q={each.quota};w={WINDOW_S}{_QUOTA_UNIT[each.name]}' for each in self.balances]
        limits = [f'"{each.name}";r={each.remaining};t={each.seconds}' for each in self.balances]
        return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


class RateLimiter:
    """Counts callers; belongs to one event loop."""

    def __init__(self, options: RateOptions, *, counted: bool, clock: Callable[[], float] = time.time) -> None:
        """Start with nothing counted.

        Args:
            options: the quotas.
            counted: False for a server that only this machine can reach: admission bounds it, and counts do not.
            clock: seconds since 1970.
        """
        self._options = options
        self._counted = counted
        self._networks = BoundedWindows(2 * options.max_networks, clock)  # two quotas each
        self._tenants = BoundedWindows(2 * options.max_tenants, clock)  # apart, so that strangers displace no tenants
        url, timeout_s = options.storage_url, options.storage_timeout_s
        self._shared = None if url is None else SharedStorage(url, timeout_s)
        shared = None if self._shared is None else self._shared.storage
        self._counting = Counting(shared, timeout_s, options.storage_retry_s, clock)

    @property
    def alone(self) -> bool:
        """True while the shared storage does not answer and this server counts by itself."""
        return self._counting.alone

    @property
    def failures(self) -> int:
        """How often it did not answer in time."""
        return self._counting.failures

    async def close(self) -> None:
        """Ends the connections to the shared storage."""
        if self._shared is not None:
            await self._shared.close()

    async def check(self, caller: Caller, address: Address | str, cost: Cost = _ONE_REQUEST) -> RateLimitState:
        """Count a request, unless it is more than the quota allows now; what is refused is not counted.

        Args:
            caller: as the authenticator found it.
            address: the client's, as `ClientAddress` found it; only callers that did not sign in are counted by it.
            cost: what is asked for.

        Raises:
            RateLimited: with the seconds until the same request fits.
            ImageTooLarge: it is more than a whole quota, and would not fit at any time.
        """
        if not self._counted:
            return RateLimitState()
        quota = self._quota(caller)
        asked = _asked(cost, quota)
        name, memory = self._name(caller, address), self._memory(caller)
        for item, count in asked:
            window = await self._counting.window(item, name, memory)
            wait = window.seconds_until(item.amount, count)
            if wait:
                raise _refusal(item, wait)
        for item, count in asked:
            if not await self._counting.hit(item, name, count, memory):
                raise _refusal(item, 1)  # another server was quicker by a moment
        return await self.state(caller, address)

    async def state(self, caller: Caller, address: Address | str) -> RateLimitState:
        """What is left, without counting; for the headers of an answer 429."""
        if not self._counted:
            return RateLimitState()
        name, memory = self._name(caller, address), self._memory(caller)
        balances = []
        for item in _items(self._quota(caller)):
            balances.append(_balance(item, await self._counting.window(item, name, memory)))
        return RateLimitState(tuple(balances))

    def _quota(self, caller: Caller) -> Quota:
        if caller.anonymous:
            return self._options.anonymous
        return self._options.tenants.get(caller.tenant, self._options.tenant)

    def _memory(self, caller: Caller) -> BoundedWindows:
        return self._networks if caller.anonymous else self._tenants

    def _name(self, caller: Caller, address: Address | str) -> str:
        if not caller.anonymous:
            return f"tenant/{caller.tenant}"
        parsed = ip_address(address) if isinstance(address, str) else address
        return f"network/{group(parsed, self._options.ipv4_prefix, self._options.ipv6_prefix)}"


def _items(quota: Quota) -> tuple[RateLimitItem, RateLimitItem]:
    return (
        RateLimitItemPerMinute(quota.requests, namespace=_REQUESTS),
        RateLimitItemPerMinute(quota.megapixels * _UNITS, namespace=_MEGAPIXELS),
    )


def _asked(cost: Cost, quota: Quota) -> list[tuple[RateLimitItem, int]]:
    """What to count, without what is 0."""
    requests, megapixels = _items(quota)
    if cost.requests > quota.requests or cost.megapixels > quota.megapixels:
        raise ImageTooLarge(
            f"this asks for {cost.megapixels:.1f} megapixels in {cost.requests} requests, and the whole quota of a minute is "
            f"{quota.megapixels} megapixels in {quota.requests} requests; send fewer or smaller pages at once"
        )
    counts = ((requests, cost.requests), (megapixels, math.ceil(cost.megapixels * _UNITS)))
    return [(item, count) for item, count in counts if count]


def _balance(item: RateLimitItem, window: Window) -> Balance:
    unit = _unit(item)
    left = window.room(item.amount) // unit
    seconds = math.ceil(window.left) if left else window.seconds_until(item.amount, unit)
    return Balance(item.namespace, item.amount // unit, left, seconds)


def _refusal(item: RateLimitItem, wait: int) -> RateLimited:
    return RateLimited(
        f"the quota of {item.amount // _unit(item)} {item.namespace} a minute is used up; try again in {wait} s",
        retry_after=wait,
    )


def _unit(item: RateLimitItem) -> int:
    return _UNITS if item.namespace == _MEGAPIXELS else 1
