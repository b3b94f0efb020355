"""Looks after what nobody else does: work of dead workers, messages that were lost, jobs whose time is over.

Any number may run at once, in every server and worker: each change is a compare-and-set, so the second to come finds nothing to do.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shizi.errors import StorageUnavailable
from shizi.jobs.delivery import Delivery
from shizi.jobs.retention import JOBS_AT_ONCE, Retention
from shizi.jobs.tasks import TaskStore

_MOST_MESSAGES: Final = 32
_SOON_S: Final = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcilerOptions:
    """How often it looks.

    Attributes:
        every_s: seconds between two looks at leases, waiting tasks, and jobs that were deleted.
        retention_s: seconds between two looks at jobs whose time is over.
    """

    every_s: float = 3.0
    retention_s: float = 60.0


class Reconciler:
    """Belongs to one event loop.

    Attributes:
        expired: leases that ran out, as this one found.
        removed: jobs whose time was over.
    """

    def __init__(
        self, tasks: TaskStore, retention: Retention, delivery: Delivery, options: ReconcilerOptions | None = None
    ) -> None:
        self._tasks, self._retention, self._delivery = tasks, retention, delivery
        self._options = options or ReconcilerOptions()
        self.expired = 0
        self.removed = 0

    async def run(self) -> None:
        """Looks again and again until it is cancelled."""
        await asyncio.gather(
            self._again(self._leases, self._options.every_s),
            self._again(self._bury, self._options.every_s),
            self._again(self._sweep, self._options.retention_s),
        )

    async def _again(self, look: Callable[[], bool], every_s: float) -> None:
        while True:
            more = False
            try:
                more = await asyncio.to_thread(look)
            except StorageUnavailable as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a look at the jobs failed")
            wait_s = _SOON_S if more else every_s  # where there is more, others may write in between
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 (so that not all look at once)

    def _leases(self) -> bool:
        expired = self._tasks.expire()
        if expired:
            log.warning("%d tasks were taken from workers that did not renew their lease", expired)
        self.expired += expired
        self._retention.fold()
        for _ in range(self._tasks.waiting(_MOST_MESSAGES)):
            self._delivery.send("", 0)
        return False

    def _bury(self) -> bool:
        return self._retention.bury() >= JOBS_AT_ONCE

    def _sweep(self) -> bool:
        removed = self._retention.sweep()
        self.removed += removed
        return removed >= JOBS_AT_ONCE
