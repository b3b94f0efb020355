"""One engine as a server sees it: whether it may be given a page, how many it has, and how its calls ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from shizi.batching.claim import Claim
from shizi.engine.client import EngineClient
from shizi.engine.failures import EngineDied
from shizi.errors import EngineUnavailable, ShiziError
from shizi.models.counts import Batches
from shizi.pipeline.options import ReadOptions
from shizi.serving.breaker import Breaker
from shizi.types import ModelInfo, Page

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage


class Source(Protocol):
    """Where an engine is: a process of this server, or a node elsewhere."""

    @property
    def name(self) -> str:
        """In logs and metrics."""
        ...

    @property
    def state(self) -> str:
        """ "ready", or why not."""
        ...

    @property
    def client(self) -> EngineClient:
        """Raises EngineUnavailable where there is none yet."""
        ...


@dataclass(slots=True, eq=False)
class Member:
    """One of a server's engines; belongs to one event loop.

    Attributes:
        source: where it is.
        breaker: in front of it.
        pages: that it has now.
        loners: of these, pages that it reads alone.
        turn: number of the last page that it was given, among all engines.
        outcomes: pages by what became of them.
    """

    source: Source
    breaker: Breaker
    pages: int = 0
    loners: int = 0
    turn: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def known(self) -> tuple[ModelInfo, ...]:
        """Its models, as far as it said."""
        try:
            return self.source.client.known
        except EngineUnavailable:
            return ()

    @property
    def batches(self) -> Batches:
        """What its recogniser ran, as it said last."""
        try:
            return self.source.client.batches
        except EngineUnavailable:
            return Batches()

    async def models(self) -> tuple[ModelInfo, ...]:
        """Its models.

        Raises:
            EngineUnavailable: it is not ready.
        """
        return await self.source.client.models()

    async def read(
        self, page: SharedPage, options: ReadOptions, claim: Claim, *, alone: bool
    ) -> tuple[Page, Mapping[str, float]]:
        """See `EngineClient.read_page`."""
        self.pages += 1
        self.loners += alone
        outcome = "given up"
        try:
            with self.breaker.attempt(claim.deadline):
                found = await self.source.client.read_page(page, options, claim, alone=alone)
            outcome = "read"
            return found
        except EngineDied:
            outcome = "died"
            raise
        except ShiziError as error:
            outcome = error.code
            raise
        finally:
            self.pages -= 1
            self.loners -= alone
            self.outcomes[outcome] += 1

    async def instance(self) -> str:
        """Names the process that answers now.

        Raises:
            ShiziError: none does.
        """
        return (await self.source.client.ask())[1]

    async def outlived(self, instance: str) -> bool:
        """Whether the process of that name still answers: then it was the network that failed."""
        try:
            return await self.instance() == instance
        except ShiziError:
            return False
