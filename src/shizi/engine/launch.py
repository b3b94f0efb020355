"""One engine as a child process of this one: started, waited for until it is ready, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any, Final

from shizi.engine.options import EngineProcess, as_json
from shizi.errors import EngineUnavailable, ModelLoadFailed, ShiziError, taxonomy

# -I shuts out PYTHON* variables and the current folder; what this process imports from is handed over instead.
_START: Final = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "importlib.import_module('shizi.imaging.orphan').end_with(int(sys.argv[2])); "
    "importlib.import_module('shizi.engine.process').main()"
)
# Of our own settings; what else it needs is in its options, and the passwords of databases are none of its business.
_KNOWN: Final = ("SHIZI_HOME", "SHIZI_COMPILED_DIR")


class Child:
    """A running engine.

    Attributes:
        pid: number of the process.
        target: where it listens, as for `EngineClient`.
    """

    def __init__(self, process: asyncio.subprocess.Process, target: str) -> None:
        self._process = process
        self.pid = process.pid
        self.target = target

    async def ended(self) -> int:
        """Returns its exit code (negative: the signal) when it has ended."""
        return await self._process.wait()

    async def stop(self, grace_s: float) -> None:
        """Asks it to end, and kills it where it has not after so many seconds."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Ends it now."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def launch(process: EngineProcess, timeout_s: float) -> Child:
    """Starts an engine; it ends when this process does, however that ends.

    Args:
        process: what to be.
        timeout_s: seconds until it must be ready.

    Raises:
        EngineUnavailable: it was not ready in time, or ended by itself.
        ShiziError: what it said, such as ModelLoadFailed.
    """
    folders = json.dumps([folder for folder in sys.path if folder])
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _START, folders, str(os.getpid()), as_json(process)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("SHIZI_") or name in _KNOWN},
        # Ctrl-C in a terminal, and what stops a whole service, go to this process, which lets the engine finish what it has.
        start_new_session=True,
    )
    child = Child(started, process.listen)
    try:
        async with asyncio.timeout(timeout_s):
            await _ready(started)
    except BaseException as error:
        await child.kill()
        if isinstance(error, TimeoutError):
            raise EngineUnavailable(
                f"the engine was not ready within {timeout_s:g} s, the limit (start_timeout_s); look at its log, or raise the limit"
            ) from None
        raise
    return child


async def _ready(started: asyncio.subprocess.Process) -> None:
    assert started.stdout is not None  # noqa: S101 (it was asked for)
    while line := await started.stdout.readline():
        said: dict[str, Any] = json.loads(line)
        if said["event"] == "ready":
            return
        if said["event"] == "failed":
            raise _error(said["code"], said["about"])
    code = await started.wait()
    raise EngineUnavailable(f"the engine ended with {_ending(code)} while it started; its log says why")


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _error(code: str, about: str) -> ShiziError:
    return {error.code: error for error in taxonomy()}.get(code, ModelLoadFailed)(about)
