"""Messages by dramatiq over Redis, for workers on other machines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final, Self

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError

QUEUE: Final = "shizi-jobs"
ACTOR: Final = "ready"
_CONNECT_S: Final = 2.0
_SOCKET_S: Final = 5.0
_LOOK_MS: Final = 250  # between two looks into Redis of a worker that has nothing to do
_HOLD_S: Final = 1.0  # for which a message waits for a free place here before it is taken for stale
_STOP_MS: Final = 5000
_OUTBOX: Final = 256  # messages that wait to be sent; more say nothing that these do not
_DEAD_MS: Final = 60_000

log = logging.getLogger(__name__)


class Broker:
    """Messages over Redis. Where Redis is gone, messages are lost and nothing else: see `shizi.jobs.delivery`.

    Args:
        url: `redis://…`.
    """

    def __init__(self, url: str) -> None:
        client = redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_S, socket_timeout=_SOCKET_S)
        make: Any = RedisBroker  # which has no types
        self._broker = make(client=client, middleware=[], namespace="shizi", dead_message_ttl=_DEAD_MS)
        self._actor: dramatiq.Actor[[str], None] = dramatiq.Actor(
            self._hand_over, broker=self._broker, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={}
        )
        self._outbox: queue.Queue[str | None] = queue.Queue(_OUTBOX)
        self._sender: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_down = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places: set[asyncio.Future[None]] = set()
        self._worker: dramatiq.Worker | None = None

    def send(self, task_id: str, priority: int) -> None:  # noqa: ARG002 (the signature of every way)
        """Puts a message into Redis, by a thread of its own: nobody waits for a Redis that does not answer."""
        with self._lock:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send_all, name="shizi-jobs-send", daemon=True)
                self._sender.start()
        with contextlib.suppress(queue.Full):
            self._outbox.put_nowait(task_id)

    def _send_all(self) -> None:
        while (task_id := self._outbox.get()) is not None:
            try:
                self._actor.send(task_id)
                self._is_down = False
            except (BrokerError, redis.RedisError) as error:
                if not self._is_down:
                    log.warning("Redis takes no messages (%s); workers look by themselves", type(error).__name__)
                self._is_down = True

    async def wait(self, timeout_s: float) -> None:
        """Returns when a message came, or after the time."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places.add(place)
        try:
            async with asyncio.timeout(timeout_s):
                await place
        except TimeoutError:
            pass
        finally:
            self._places.discard(place)

    def _hand_over(self, task_id: str) -> None:  # noqa: ARG002 (the database knows better)
        """Runs on a thread of dramatiq's: a message goes to one who waits, and holds the next ones back until there is one."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        taken: Future[None] = asyncio.run_coroutine_threadsafe(self._place(), loop)
        with contextlib.suppress(FutureTimeout, asyncio.CancelledError):
            taken.result(_HOLD_S + _SOCKET_S)

    async def _place(self) -> None:
        end = asyncio.get_running_loop().time() + _HOLD_S
        while asyncio.get_running_loop().time() < end:
            free = next((place for place in self._places if not place.done()), None)
            if free is not None:
                free.set_result(None)
                return
            await asyncio.sleep(0.02)

    async def __aenter__(self) -> Self:
        """Begins to listen."""
        self._loop = asyncio.get_running_loop()
        self._broker.emit_after("process_boot")
        self._worker = dramatiq.Worker(self._broker, queues={QUEUE}, worker_timeout=_LOOK_MS, worker_threads=1)
        await asyncio.to_thread(self._worker.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops listening."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.to_thread(_stopped, worker)
        self._loop = None
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            with contextlib.suppress(queue.Full):
                self._outbox.put_nowait(None)
        await asyncio.to_thread(self._broker.client.close)


def _stopped(worker: Any) -> None:  # noqa: ANN401 (dramatiq's worker has no types)
    with contextlib.suppress(BrokerError, redis.RedisError):
        worker.stop(timeout=_STOP_MS)
