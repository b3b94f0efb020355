"""Addresses of names by the system's resolver, which may hang: no look-up waits behind another, and none outlives the process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

from shizi.jobs.webhook_target import Address

LookUp = Callable[[str, int], Sequence[Address]]

_MOST: Final = 16  # twice the messages that are under way at a time: half may hang, and the rest still goes


class NamesHangError(OSError):
    """As many look-ups as there may be have not ended, though their callers may be gone."""


def system_addresses(host: str, port: int) -> Sequence[Address]:
    """Blocking, for as long as the system's resolver likes.

    Raises:
        OSError: the name has no address, or nobody can say.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(ip_address(entry[4][0]) for entry in found)


class Names:
    """A resolver for event loops.

    A look-up cannot be broken off, so each has a thread that nobody waits for, also not the end of the process, which pools of
    the standard library do.

    Args:
        look_up: blocking.
        most: look-ups at a time, those that were given up included.
    """

    def __init__(self, look_up: LookUp = system_addresses, most: int = _MOST) -> None:
        self._look_up, self._free = look_up, threading.Semaphore(most)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a name.

        Raises:
            NamesHangError: at once, where too many look-ups hang.
            OSError: as the look-up.
        """
        if not self._free.acquire(blocking=False):
            raise NamesHangError("too many look-ups of names hang")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[Address]] = loop.create_future()
        thread = threading.Thread(target=self._run, args=(host, port, loop, found), name="shizi-name", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._free.release()
            raise NamesHangError(str(error)) from None
        return await found

    def _run(
        self, host: str, port: int, loop: asyncio.AbstractEventLoop, found: asyncio.Future[Sequence[Address]]
    ) -> None:
        addresses: Sequence[Address] = ()
        failure: Exception | None = None
        try:
            addresses = self._look_up(host, port)
        except Exception as error:  # raised where it is waited for
            failure = error
        finally:
            self._free.release()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_settle, found, addresses, failure)


def _settle(found: asyncio.Future[Sequence[Address]], addresses: Sequence[Address], failure: Exception | None) -> None:
    if found.done():  # whoever waited has given up
        return
    if failure is None:
        found.set_result(addresses)
    else:
        found.set_exception(failure)
