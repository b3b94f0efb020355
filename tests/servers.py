"""A Redis and a PostgreSQL of the tests' own: started as an ordinary user on a free port, with data that is thrown away."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest
import redis

WAIT_S = 60
_ORDINARY = "nobody"


class Server:
    """A program that listens on a port; it can be killed and started again on the same port."""

    def __init__(self, command: Sequence[str], folder: Path, port: int) -> None:
        self._command, self.folder, self.port = command, folder, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_ordinary_user(), *self._command], stdout=log, stderr=log, cwd=self.folder, process_group=0
            )
        end = time.monotonic() + WAIT_S
        while not self.is_ready():
            assert self._process.poll() is None, (
                f"{self._command[0]} ended: {(self.folder / 'log').read_text()[-2000:]}"
            )
            assert time.monotonic() < end, f"{self._command[0]} was not ready in {WAIT_S} s"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
        if self._process is not None:
            self._process.wait(WAIT_S)

    def kill(self) -> None:
        """As a crash of the machine would."""
        self.stop(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class RedisServer(Server):
    """Keeps nothing on disk."""

    def __init__(self) -> None:
        port = free_port()
        command = [
            _found("redis-server"),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        super().__init__(command, _folder("redis"), port)
        self.url = f"redis://127.0.0.1:{port}/0"

    def is_ready(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False

    def flush(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()


class PostgresServer(Server):
    """One cluster with any number of databases."""

    def __init__(self) -> None:
        folder = _folder("postgresql")
        binaries, data = _postgres_binaries(), folder / "data"
        initialise = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "shizi",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        made = subprocess.run(
            [*_as_ordinary_user(), *initialise, "--no-sync"], capture_output=True, text=True, check=False, cwd=folder
        )
        assert made.returncode == 0, f"initdb failed: {made.stderr}"
        options = (
            "listen_addresses=127.0.0.1",
            "fsync=off",
            f"unix_socket_directories={folder}",
            "max_connections=200",
        )
        port = free_port()  # not before: somebody else might take it meanwhile
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
        super().__init__([*command, *(part for option in options for part in ("-c", option))], folder, port)
        self._count = 0

    def is_ready(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self._url("postgres")):
            return True
        return False

    def database(self) -> str:
        """The address of a new, empty database."""
        self._count += 1
        name = f"shizi_{self._count}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://shizi@127.0.0.1:{self.port}/{name}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _found(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    assert path is not None, f"{name} is not installed; scripts/servers.sh installs it, or says what to do"
    return path


def _postgres_binaries() -> Path:
    """Debian's folders first: another `postgres` on the PATH may be anything."""
    named = os.environ.get("PG_BIN")
    folders = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = next((folder for folder in folders if (folder / "initdb").exists()), None)
    assert found is not None, "PostgreSQL is not installed; scripts/servers.sh installs it, or says what to do"
    return found


def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"shizi-{name}-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam(_ORDINARY)
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _as_ordinary_user() -> list[str]:
    """Before a command: PostgreSQL does not run as root; and both end when the tests do, whatever ends those."""
    command = [_found("setpriv"), "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(_ORDINARY)
        command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*command, "--"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Of all tests; one that kills it starts one of its own."""
    with RedisServer() as server:
        yield server
