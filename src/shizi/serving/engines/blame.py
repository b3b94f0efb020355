"""Pages that engines died of: who is suspected, who is convicted, and for how long that is remembered."""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shizi.errors import CorruptDocument, InvalidRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BlameOptions:
    """When a page is refused, and for how long.

    Attributes:
        deaths: engines that must have died while they read nothing but this page; one alone may have died of something else.
        refuse_s: seconds for which it is then refused.
        suspect_s: seconds for which a page that was beside others when an engine died is read alone.
        most: pages that are remembered.
        most_of_a_tenant: of these.
    """

    deaths: int = 2
    refuse_s: float = 600.0
    suspect_s: float = 120.0
    most: int = 10_000
    most_of_a_tenant: int = 200

    def __post_init__(self) -> None:
        if min(self.deaths, self.most, self.most_of_a_tenant) < 1 or not 0 < self.suspect_s <= self.refuse_s < math.inf:
            raise InvalidRequest("counts must be at least 1, and suspect_s positive and at most refuse_s")


@dataclass(slots=True)
class _Case:
    """What is known against a page."""

    until: float
    deaths: int = 0


class Blame:
    """Remembers pages by tenant and source, a bounded number of them; what a tenant sends says nothing of another tenant's pages.

    Args:
        options: bounds.
        clock: seconds that only grow.

    Attributes:
        convicted: pages found guilty.
        refused: times that such a page came again.
    """

    def __init__(self, options: BlameOptions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options or BlameOptions()
        self._clock = clock
        self._cases: OrderedDict[tuple[str, str], _Case] = OrderedDict()
        self._of_tenant: dict[str, int] = {}
        self.convicted = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._cases)

    def suspected(self, tenant: str, source: str) -> bool:
        """Whether a page must be read alone.

        Raises:
            CorruptDocument: it is known to end engines.
        """
        case = self._known(tenant, source)
        if case is not None and case.deaths >= self._options.deaths:
            self.refused += 1
            raise self._verdict(case)
        return case is not None

    def suspect(self, tenant: str, source: str) -> None:
        """An engine died that read this page and others."""
        if self._known(tenant, source) is None:
            self._remember(tenant, source, _Case(self._clock() + self._options.suspect_s))

    def died(self, tenant: str, source: str) -> None:
        """An engine died that read nothing but this page.

        Raises:
            CorruptDocument: that was once too often.
        """
        self.suspect(tenant, source)
        case = self._cases[tenant, source]
        case.deaths += 1
        case.until = self._clock() + self._options.refuse_s
        if case.deaths >= self._options.deaths:
            self.convicted += 1
            log.warning("a page ended %d engines that read nothing else: %s", case.deaths, source[:12])
            raise self._verdict(case)

    def clear(self, tenant: str, source: str) -> None:
        """It was read."""
        if self._cases.pop((tenant, source), None) is not None:
            self._one_less(tenant)

    def _known(self, tenant: str, source: str) -> _Case | None:
        case = self._cases.get((tenant, source))
        if case is not None and case.until <= self._clock():
            self.clear(tenant, source)
            return None
        return case

    def _remember(self, tenant: str, source: str, case: _Case) -> None:
        """The oldest make room, of the same tenant first."""
        if self._of_tenant.get(tenant, 0) >= self._options.most_of_a_tenant:
            self.clear(*next(key for key in self._cases if key[0] == tenant))
        elif len(self._cases) >= self._options.most:
            self.clear(*next(iter(self._cases)))
        self._cases[tenant, source] = case
        self._of_tenant[tenant] = self._of_tenant.get(tenant, 0) + 1

    def _one_less(self, tenant: str) -> None:
        left = self._of_tenant[tenant] - 1
        if left:
            self._of_tenant[tenant] = left
        else:
            del self._of_tenant[tenant]

    def _verdict(self, case: _Case) -> CorruptDocument:
        seconds = max(1, math.ceil(case.until - self._clock()))
        return CorruptDocument(
            f"this page made the engine crash {case.deaths} times while nothing else was read, so it is refused for another "
            f"{seconds} s; save the document anew with another program, and report it"
        )
