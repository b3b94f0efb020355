"""The server process: sockets, slow heads, signals, and an end that loses nothing that was begun."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from shizi.errors import EngineUnavailable, InvalidRequest, ShiziError
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.options import ServerOptions
from shizi.serving.problem import MEDIA_TYPE, problem
from shizi.serving.refusals import BadRequest

_GRACE_S: Final = 0.5
_LEAST_TAKEN: Final = 32 * 1024  # bytes of an answer, within taking_timeout_s
_PHRASES: Final = {400: "Bad Request", 503: "Service Unavailable"}


class _Door(H11Protocol):
    """One connection; one too many is told so, and a head that does not come to its end is not waited for."""

    bounds = ServerOptions()

    _head_timer: asyncio.TimerHandle | None = None
    _taking_timer: asyncio.TimerHandle | None = None
    _is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.bounds.max_connections:
            self._refuse(
                EngineUnavailable(
                    f"there are {self.bounds.max_connections} connections (max_connections); try again", 1.0
                )
            )
        else:
            self._watch_head()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_last and self.cycle is not None:
            self.cycle.keep_alive = False
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        self._stop_looking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_looking()
        self._look_again()

    def resume_writing(self) -> None:
        self._stop_looking()
        super().resume_writing()

    def _look_again(self) -> None:
        """Whoever takes nothing of an answer must not make the server keep it for ever."""
        before = self.transport.get_write_buffer_size()

        def look() -> None:
            if before - self.transport.get_write_buffer_size() < _LEAST_TAKEN:
                self.transport.abort()
            else:
                self._look_again()

        self._taking_timer = self.loop.call_later(self.bounds.taking_timeout_s, look)

    def _stop_looking(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop_watching()
        if self.conn.trailing_data[0]:  # the next head has begun already
            self._watch_head()

    def shutdown(self) -> None:
        """A connection that was opened just before the door closed still gets its one request answered."""
        if self.cycle is None and not self._is_last:
            self._is_last = True
            self.loop.call_later(_GRACE_S, self.shutdown)
        elif not self.transport.is_closing():
            super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (in words of our own)
        self._refuse(BadRequest("this is no HTTP request, or its head is longer than the server allows"))

    def _watch_head(self) -> None:
        """A timer runs while nothing, or a part of a head, or the rest of a body that was refused is there."""
        working = self.cycle is not None and not self.cycle.response_complete
        if working:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.bounds.head_timeout_s, self.timeout_keep_alive_handler)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, error: ShiziError) -> None:
        body = json.dumps(problem(error, "none")).encode()
        status = error.http_status
        head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"{'Retry-After: 1' + chr(13) + chr(10) if status == 503 else ''}Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        with contextlib.suppress(h11.LocalProtocolError):
            self.conn.send_failed()
        self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server, without its handling of signals: there may be two of them in a process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int, backlog: int) -> socket.socket:
    """A listening socket.

    Raises:
        InvalidRequest: the address is unknown or taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidRequest(f"the address {host} is none of this machine: {error.strerror}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise InvalidRequest(f"cannot listen on {host} port {port}: {error.strerror}; choose another --port") from None
    sock.setblocking(False)
    return sock


def place(sock: socket.socket) -> str:
    """Where a socket listens, as an address of the web has it."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.asynccontextmanager
async def answering(app: ASGIApp, sock: socket.socket, options: ServerOptions) -> AsyncIterator[None]:
    """Answers on a socket inside of the context, and closes it; signals are the business of whoever else runs here."""
    server = _Server(_config(app, options, type("Door", (_Door,), {"bounds": options})))
    serving = asyncio.create_task(server.serve([sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


async def serve(
    listeners: Sequence[tuple[ASGIApp, socket.socket]],
    options: ServerOptions,
    lifecycle: Lifecycle,
    ready: Callable[[], None],
    essential: asyncio.Future[None] | None = None,
) -> None:
    """Answers on sockets until SIGTERM or SIGINT comes, then ends in order.

    After SIGTERM `/readyz` says 503 while requests are still taken for pre_stop_s; then the sockets are closed, and what was
    begun may end within drain_s. SIGINT (Ctrl-C) leaves out the first step; a second signal ends at once.

    Args:
        listeners: an application and its socket; the sockets are closed at the end.
        options: bounds.
        lifecycle: told what happens.
        ready: called once the sockets are answered.
        essential: something without which there is no use in answering; when it fails, this ends.
    """
    door = type("Door", (_Door,), {"bounds": options})
    servers = [_Server(_config(app, options, door)) for app, _ in listeners]
    stop = _Stop(options.pre_stop_s, lifecycle, servers)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.asked, number)
    if essential is not None:
        essential.add_done_callback(stop.unless_well)
    try:
        async with asyncio.TaskGroup() as group:
            for server, (_, sock) in zip(servers, listeners, strict=True):
                group.create_task(server.serve([sock]))
            while not all(server.started for server in servers) and not lifecycle.closed:
                await asyncio.sleep(0.01)
            ready()
    finally:
        await _cancelled([task for server in servers for task in server.server_state.tasks])
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        lifecycle.close()


def _config(app: ASGIApp, options: ServerOptions, door: type[Any]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=door,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=options.max_head_bytes,
        timeout_keep_alive=int(options.keep_alive_s),
        timeout_graceful_shutdown=int(options.drain_s),
        backlog=options.backlog,
    )


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Ends what did not end in time; each says so to its client."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Stop:
    """What signals do."""

    def __init__(self, pre_stop_s: float, lifecycle: Lifecycle, servers: Sequence[uvicorn.Server]) -> None:
        self._pre_stop_s = pre_stop_s
        self._lifecycle = lifecycle
        self._servers = servers

    def asked(self, number: signal.Signals) -> None:
        if self._lifecycle.closed:
            for server in self._servers:
                server.force_exit = True
        elif number == signal.SIGTERM and not self._lifecycle.draining and self._pre_stop_s > 0:
            self._lifecycle.drain()
            asyncio.get_running_loop().call_later(self._pre_stop_s, self._close)
        else:
            self._close()

    def unless_well(self, ended: asyncio.Future[None]) -> None:
        if ended.cancelled() or ended.exception() is not None:
            self._close()

    def _close(self) -> None:
        self._lifecycle.close()
        for server in self._servers:
            server.should_exit = True
