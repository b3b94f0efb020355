"""All engines of a server as one: who reads the next page, what is tried where one fails, and which page is to blame."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from shizi.batching.claim import Claim
from shizi.engine.failures import EngineDied
from shizi.errors import EngineUnavailable, Overloaded, ShiziError
from shizi.pipeline.options import ReadOptions
from shizi.serving.engines.blame import Blame
from shizi.serving.engines.member import Member
from shizi.serving.engines.vote import Models, agreed
from shizi.types import Page

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage

_MOST_TRIES: Final = 3  # of a page beside others: the first, and two more
_MOST_DEATHS: Final = 10  # that were not its own: a network that breaks, other pages that crash engines
_LOOK_S: Final = 0.05
_SOON_S: Final = 1.0

log = logging.getLogger(__name__)


class Engines:
    """The engines of a server; belongs to one event loop.

    A page goes to the ready engine that has the fewest. Where that cannot be reached or is full, another one is tried. A page that an
    engine had when it died is read again alone, so that it becomes clear which page it was: see `Blame`. That costs little, for
    a page that is alone has all processors of its engine.

    Args:
        members: in the order in which they are named.
        blame: remembers pages that engines died of.
        clock: of deadlines.

    Attributes:
        members: the same.
        blame: the same.
        retries: pages that were given to an engine again.
    """

    def __init__(
        self, members: Sequence[Member], blame: Blame | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.members = tuple(members)
        self.blame = blame or Blame()
        self.retries = 0
        self._clock = clock
        self._agreed: Models = ()
        self._odd: frozenset[str] = frozenset()
        self._turns = itertools.count(1)

    @property
    def state(self) -> str:
        """ "ready" where at least one is; else the state of the one that is named first."""
        return "ready" if self._usable() else self.members[0].source.state

    @property
    def known(self) -> Models:
        """The models that pages are read with, as far as engines said."""
        self._usable()
        return self._agreed

    def state_of(self, member: Member) -> str:
        """Its state; "odd" where its models are not those of the others."""
        usable = self._usable()
        return "odd" if member.source.state == "ready" and member not in usable else member.source.state

    def facts(self) -> list[dict[str, Any]]:
        """For clients: who has which state. Addresses are nobody's business."""
        about = {"odd": "its models are not those of the other engines, so it is not used"}
        states = [self.state_of(member) for member in self.members]
        return [
            {"engine": number, "state": state, **({"about": about[state]} if state in about else {})}
            for number, state in enumerate(states, 1)
        ]

    async def models(self) -> Models:
        """Which models make the results.

        Raises:
            EngineUnavailable: no engine is ready.
        """
        usable = self._usable()
        if not usable and len(self.members) > 1:
            raise self._nobody()
        silent = [member for member in usable or self.members if not member.known]
        answers = await asyncio.gather(*(member.models() for member in silent), return_exceptions=True)
        if self._usable():
            return self._agreed
        raise next((error for error in answers if isinstance(error, ShiziError)), self._nobody())

    async def read_page(
        self, page: SharedPage, options: ReadOptions, claim: Claim, source: str
    ) -> tuple[Page, Mapping[str, float]]:
        """Reads one page.

        Args:
            page: whose memory must stay until this returns.
            options: as for `OCR.read_page`.
            claim: on whose behalf.
            source: the same for the same page of the same document.

        Raises:
            CorruptDocument: engines died of this page.
            ShiziError: as `EngineClient.read_page`.
        """
        if not self.blame.suspected(claim.tenant, source):
            try:
                return await self._beside_others(page, options, claim)
            except EngineDied:
                self.blame.suspect(claim.tenant, source)
        return await self._alone(page, options, claim, source)

    async def _beside_others(
        self, page: SharedPage, options: ReadOptions, claim: Claim
    ) -> tuple[Page, Mapping[str, float]]:
        tried: list[Member] = []
        while True:
            member = self._next(tried)
            tried.append(member)
            try:
                return await member.read(page, options, claim, alone=False)
            except EngineDied:
                raise
            except (EngineUnavailable, Overloaded):
                if len(tried) == _MOST_TRIES or not self._untried(tried):
                    raise
            self.retries += 1

    async def _alone(
        self, page: SharedPage, options: ReadOptions, claim: Claim, source: str
    ) -> tuple[Page, Mapping[str, float]]:
        """Reads while the engine reads nothing else; goes on until it is known whether this page is to blame, or time is over."""
        deaths = 0
        while True:
            await self._until_ready(claim)
            self.retries += 1
            try:
                member = self._next(())
                instance = await member.instance()
                found = await member.read(page, options, claim, alone=True)
            except EngineDied as error:
                deaths += 1
                if error.begun and not await member.outlived(instance):
                    self.blame.died(claim.tenant, source)
                elif deaths == _MOST_DEATHS:
                    raise
            except EngineUnavailable:
                await asyncio.sleep(_LOOK_S)
            else:
                self.blame.clear(claim.tenant, source)
                return found

    async def _until_ready(self, claim: Claim) -> None:
        """Waits for an engine that may be called."""
        while True:
            claim.check(self._clock())
            if all(member.source.state == "stopped" for member in self.members):
                raise self._nobody()
            if any(member.breaker.open_to_calls for member in self._usable()):
                return
            await asyncio.sleep(_LOOK_S)

    def _next(self, tried: Sequence[Member]) -> Member:
        """The engine with the fewest pages, of those that were not tried; one that reads a suspect last.

        Raises:
            EngineUnavailable: none is ready.
        """
        usable = self._usable()
        if not usable:
            raise self._nobody()
        callable_now = [member for member in usable if member.breaker.open_to_calls] or usable
        fresh = [member for member in callable_now if member not in tried] or callable_now
        member = min(fresh, key=lambda member: (member.loners, member.pages, member.turn))
        member.turn = next(self._turns)
        return member

    def _untried(self, tried: Sequence[Member]) -> bool:
        return any(member.breaker.open_to_calls and member not in tried for member in self._usable())

    def _usable(self) -> list[Member]:
        """Those that are ready and have the models that were agreed on."""
        ready = [member for member in self.members if member.source.state == "ready"]
        said = [member.known for member in ready]
        self._agreed = agreed(said, self._agreed) or self._agreed
        odd = frozenset(
            member.source.name for member, models in zip(ready, said, strict=True) if models not in ((), self._agreed)
        )
        for name in odd - self._odd:
            log.warning("the engine %s is not used: its models are not those of the other engines", name)
        self._odd = odd
        return [member for member in ready if member.source.name not in odd]

    def _nobody(self) -> ShiziError:
        states = ", ".join(sorted({member.source.state for member in self.members}))
        return EngineUnavailable(f"no engine is ready ({states}); try again soon", _SOON_S)
