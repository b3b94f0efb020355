"""One attempt to deliver a webhook: the name is resolved once, and the connection goes to the very address that was judged."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from shizi.errors import InvalidRequest
from shizi.jobs.webhook_names import Names, NamesHangError
from shizi.jobs.webhook_target import Address, Target, TargetRules, check_answers, target_of

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "shizi-webhook", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        delivered: the receiver said 2xx.
        gone: the receiver wants nothing more (410).
        status: of its answer; None where there was none.
        fault: what went wrong, in words without addresses of the inside; empty where nothing did.
        retry_after: seconds that the receiver asks for.
    """

    delivered: bool
    gone: bool = False
    status: int | None = None
    fault: str = ""
    retry_after: float | None = None


class Sender:
    """Sends; belongs to one event loop.

    Args:
        rules: where to.
        timeout_s: for one attempt, from the look-up of the name to the head of the answer; bodies of answers are not read.
        resolve: gives the addresses of a name; the system's resolver where None.
        trust: certificates; the system's where None.
    """

    def __init__(
        self,
        rules: TargetRules,
        timeout_s: float = 15.0,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._rules, self._timeout_s = rules, timeout_s
        self._resolve = resolve or Names()
        self._trust = trust or ssl.create_default_context()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Posts the body; never raises for what the receiver, the network or the address does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                target = target_of(url, self._rules)
                address = check_answers(await self._addresses(target), self._rules)
                return await self._post(target, address, headers, body)
        except InvalidRequest as error:
            return Attempt(False, fault=f"the address {error}")
        except TimeoutError:
            return Attempt(False, fault=f"no answer within {self._timeout_s:g} s")
        except NamesHangError:
            return Attempt(False, fault="the resolver of names does not answer")
        except OSError:
            return Attempt(False, fault="the name cannot be resolved")
        except httpx.ConnectError as error:
            # Of certificates and ports; what stands at an address is nobody's business who may not reach it.
            verified = "CERTIFICATE_VERIFY_FAILED" not in str(error)
            return Attempt(False, fault="no connection" if verified else "the certificate does not hold for this host")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError):
            return Attempt(False, fault="the connection broke off")

    async def _addresses(self, target: Target) -> Sequence[Address]:
        if target.literal is not None:
            return (target.literal,)
        return await self._resolve(target.host, target.port)

    async def _post(self, target: Target, address: Address, headers: Mapping[str, str], body: bytes) -> Attempt:
        url = httpx.URL(scheme=target.scheme, host=str(address), port=target.port, raw_path=target.path.encode("ascii"))
        # A client for each attempt: no cookies, no connections kept, no proxies or passwords of the environment.
        transport = httpx.AsyncHTTPTransport(verify=self._trust, trust_env=False)
        async with (
            httpx.AsyncClient(
                transport=transport, timeout=self._timeout_s, trust_env=False, follow_redirects=False
            ) as client,
            client.stream(
                "POST",
                url,
                content=body,
                headers={"Host": target.authority, **_HEADERS, **headers},
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return _judged(answer)


def _judged(answer: httpx.Response) -> Attempt:
    status = answer.status_code
    if 200 <= status < 300:
        return Attempt(True, status=status)
    if 300 <= status < 400:
        return Attempt(False, status=status, fault="the receiver redirects, which is not followed")
    return Attempt(
        False,
        gone=status == 410,
        status=status,
        fault=f"the receiver answered {status}",
        retry_after=_retry_after(answer.headers.get("Retry-After", "")),
    )


def _retry_after(value: str) -> float | None:
    """Seconds, from seconds or a date (RFC 9110, section 10.2.3); None for nonsense."""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
