"""Delivers what is to be told of jobs: at least once, patiently, and a few at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from shizi.errors import ShiziError
from shizi.jobs.webhook_schedule import RetryRules, next_wait
from shizi.jobs.webhook_sender import Attempt
from shizi.jobs.webhook_signature import signed_headers
from shizi.jobs.webhook_store import Message, WebhookStore

_log: Final = logging.getLogger(__name__)

T = TypeVar("T")


class Sends(Protocol):
    """What posts a message, as `shizi.jobs.webhook_sender.Sender` does."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Attempt:
        """Never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """How messages are delivered.

    Attributes:
        retries: when they are tried again.
        at_once: messages under way at a time.
        of_one_tenant: of them.
        poll_s: seconds between looks at the database.
        lease_s: seconds after which a message whose sender died is taken by another; longer than an attempt.
    """

    retries: RetryRules = field(default_factory=RetryRules)
    at_once: int = 8
    of_one_tenant: int = 2
    poll_s: float = 1.0
    lease_s: float = 60.0


class Deliveries:
    """Belongs to one event loop; cancel `run` to end it. What was under way then is sent again by whoever comes next.

    Args:
        store: the messages.
        sender: posts them.
        options: bounds.
        threads: wait for the database.
    """

    def __init__(self, store: WebhookStore, sender: Sends, options: DeliveryOptions, threads: Executor) -> None:
        self._store, self._sender, self._options, self._threads = store, sender, options, threads
        self._running: dict[asyncio.Task[None], str] = {}
        self.outcomes: Counter[str] = Counter()
        """Attempts by what came of them: delivered, failed, or again."""

    async def run(self) -> None:
        """Delivers until it is cancelled; a database that does not answer is waited for."""
        try:
            while True:
                try:
                    await self.step()
                except ShiziError as error:
                    _log.warning("webhooks wait: %s", error.code)
                except Exception:
                    _log.exception("a look at the webhooks failed")
                await asyncio.sleep(self._options.poll_s)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def step(self) -> None:
        """Looks once at what is to be delivered, and begins it."""
        options = self._options
        await self._in_thread(self._store.gather)
        free = options.at_once - len(self._running)
        if free <= 0:
            return
        busy = Counter(self._running.values())
        claimed = await self._in_thread(lambda: self._store.claim(free, options.of_one_tenant, busy, options.lease_s))
        for message in claimed:
            task = asyncio.create_task(self._deliver(message))
            self._running[task] = message.tenant
            task.add_done_callback(lambda done: self._running.pop(done))

    async def settled(self) -> None:
        """Waits for what is under way."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def _deliver(self, message: Message) -> None:
        if message.secrets:
            headers = signed_headers(message.id, int(time.time()), message.body, message.secrets)
            attempt = await self._sender.send(message.url, dict(headers), message.body)
        else:
            attempt = Attempt(False, gone=True, fault="the tenant has no secret to sign with")
        wait = None
        if not (attempt.delivered or attempt.gone):
            chance = random.random()  # noqa: S311 (spreads load, keeps no secret)
            wait = next_wait(self._options.retries, message.attempts, message.age_s, attempt.retry_after, chance)
        state = "delivered" if attempt.delivered else "failed" if wait is None else "waiting"
        self.outcomes["again" if state == "waiting" else state] += 1
        try:
            await self._in_thread(
                lambda: self._store.settle(message, state, attempt.status, attempt.fault or None, wait)
            )
        except ShiziError as error:  # the lease ends, and it is sent again: at least once
            _log.warning("a webhook's outcome was not written: %s", error.code)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
