"""Sends calls, and blocks while it waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from shizi.client.answer import Answer, error_of
from shizi.client.calls import Call
from shizi.client.exchange import FAILURES, Incoming, Plan
from shizi.client.failures import as_shizi
from shizi.client.lines import Lines
from shizi.client.options import ClientOptions

T = TypeVar("T")


class Transport:
    """The way to one server; any number of threads may use it."""

    def __init__(self, url: str, key: str | None, options: ClientOptions) -> None:
        self._plan = Plan(url, key, options)
        self._http = httpx.Client(**self._plan.settings())

    def send(self, call: Call[T]) -> T:
        """What the server answers.

        Raises:
            ShiziError: the server's error, or what went wrong on the way.
        """
        end, attempt = self._plan.end(call), 0
        while True:
            attempt += 1
            try:
                answer = self._try(call, end)
                if answer.good:
                    return call.read(answer)
                error, status = error_of(answer), answer.status
            except FAILURES as failure:
                error, status = as_shizi(failure), 0
            time.sleep(self._plan.wait(call, error, status, attempt, end))

    @contextmanager
    def lines(self, call: Call[Any]) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come; the call's time is that of the longest silence.

        Raises:
            ShiziError: as `send`; nothing is tried again.
        """
        end = self._plan.end(call)
        try:
            with self._http.stream(**self._arguments(call, end)) as response:
                if response.status_code != httpx.codes.OK:
                    raise error_of(self._collect(response, end))
                yield _lines(response)
        except FAILURES as failure:
            raise as_shizi(failure) from None

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _try(self, call: Call[Any], end: float) -> Answer:
        with self._http.stream(**self._arguments(call, end)) as response:
            return self._collect(response, end)

    def _arguments(self, call: Call[Any], end: float) -> dict[str, Any]:
        return self._plan.request(call, None if call.body is None else call.body.pieces(), end)

    def _collect(self, response: httpx.Response, end: float) -> Answer:
        incoming = Incoming(response, self._plan.options, end)
        for piece in response.iter_raw():
            if not incoming.add(piece):
                break
        return incoming.answer()


def _lines(response: httpx.Response) -> Iterator[str]:
    lines = Lines()
    for piece in response.iter_raw():
        yield from lines.feed(piece)
