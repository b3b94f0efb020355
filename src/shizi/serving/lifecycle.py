"""Whether this process may be given work."""

from __future__ import annotations

from collections.abc import Callable


class Lifecycle:
    """Two one-way doors: draining (no new clients, please) and closed (no new work at all)."""

    def __init__(self) -> None:
        self._draining = self._closed = False
        self._told: list[Callable[[], None]] = []

    @property
    def draining(self) -> bool:
        """Whether the process was told to end."""
        return self._draining

    @property
    def closed(self) -> bool:
        """Whether new work is refused."""
        return self._closed

    def when_draining(self, act: Callable[[], None]) -> None:
        """Calls something once, when the process is told to end; at once where it was already."""
        if self._draining:
            act()
        else:
            self._told.append(act)

    def drain(self) -> None:
        """From now on `/readyz` says 503; requests are still taken."""
        self._draining = True
        while self._told:
            self._told.pop()()

    def close(self) -> None:
        """From now on new work is refused."""
        self._closed = True
        self.drain()
