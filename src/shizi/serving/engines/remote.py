"""An engine on another machine, or in another container: asked again and again whether it is there."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from shizi.engine.address import parse
from shizi.engine.client import EngineClient
from shizi.engine.link import ClientOptions
from shizi.errors import EngineUnavailable, ShiziError

State = Literal["starting", "ready", "unavailable", "refused", "stopped"]

log = logging.getLogger(__name__)


class RemoteEngine:
    """Whether an engine elsewhere may be called; belongs to one event loop.

    Attributes:
        name: its address.
        state: "starting" before it was asked, "unavailable" where nothing answers or it loads its models, "refused" where it does not
            take this server's token or is no engine of ours.
        client: to it.

    Args:
        address: "unix:/path" or "tcp:HOST:PORT".
        options: of the client.
        look_s: seconds between two questions.
    """

    def __init__(self, address: str, options: ClientOptions, look_s: float) -> None:
        self.name = parse(address).text
        self.state: State = "starting"
        self.client = EngineClient(address, options)
        self._look_s = look_s

    async def watch(self) -> None:
        """Asks for ever."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Asks once."""
        try:
            await self.client.ask()
            self._become("ready", "")
        except EngineUnavailable as error:
            self._become("unavailable", str(error))
        except ShiziError as error:
            self._become("refused", str(error))

    async def stop(self) -> None:
        """Cancels what is under way."""
        self.state = "stopped"
        await self.client.close()

    def _become(self, state: State, why: str) -> None:
        if state != self.state:
            self.state = state
            log.warning("the engine %s is %s%s", self.name, state, f": {why}" if why else "")
