"""The engine that this server runs itself."""

from __future__ import annotations

from typing import Final

from shizi.engine.client import EngineClient
from shizi.engine.supervisor import Supervisor

LOCAL: Final = "local"


class LocalEngine:
    """The engine that a supervisor keeps running, whatever process it is at the moment."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor

    @property
    def name(self) -> str:
        """See `Source`."""
        return LOCAL

    @property
    def state(self) -> str:
        """starting, ready, restarting or stopped."""
        return self.supervisor.state

    @property
    def client(self) -> EngineClient:
        """See `Source`."""
        return self.supervisor.client
