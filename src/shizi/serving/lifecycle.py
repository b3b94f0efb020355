"""Whether this process may be given work."""

from __future__ import annotations


class Lifecycle:
    """Two one-way doors: draining (no new clients, please) and closed (no new work at all)."""

    def __init__(self) -> None:
        self._draining = self._closed = False

    @property
    def draining(self) -> bool:
        """Whether the process was told to end."""
        return self._draining

    @property
    def closed(self) -> bool:
        """Whether new work is refused."""
        return self._closed

    def drain(self) -> None:
        """From now on `/readyz` says 503; requests are still taken."""
        self._draining = True

    def close(self) -> None:
        """From now on new work is refused."""
        self._draining = self._closed = True
