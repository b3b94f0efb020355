"""Processes of our own that open what may be hostile: started without the caller's environment, stopped whatever they do."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import BinaryIO, cast

# -I shuts out PYTHON* variables and the current folder; what the parent imports from is handed over instead.
_START = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "importlib.import_module('shizi.imaging.orphan').end_with(int(sys.argv[3])); "
    "importlib.import_module(sys.argv[2]).main()"
)
# For one that gives up all that it can itself: a thread that runs before would escape that.
_BARE_START = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); importlib.import_module(sys.argv[2]).main()"
)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "FONTCONFIG_PATH")

Child = subprocess.Popen[bytes]


def start_child(module: str, *, bare: bool = False) -> Child:
    """Starts `main()` of one of our modules, with pipes to its standard input and output; it ends when this process does.

    Args:
        module: whose `main()` it is.
        bare: nothing runs before it, not even the thread that looks after this process: it has to see to that itself.
    """
    folders = json.dumps([folder for folder in sys.path if folder])
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        [sys.executable, "-I", "-c", _BARE_START if bare else _START, folders, module, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, **(_ONE_THREAD if bare else {}), "LC_ALL": "C.UTF-8"},
        close_fds=True,
    )


def pipes(child: Child) -> tuple[BinaryIO, BinaryIO]:
    """What it reads and what it writes."""
    return cast(BinaryIO, child.stdin), cast(BinaryIO, child.stdout)


def stop_child(child: Child) -> None:
    """Kills the process and closes its pipes."""
    child.kill()
    for pipe in pipes(child):
        with contextlib.suppress(OSError):  # what the process never took cannot be flushed any more
            pipe.close()
    child.wait()
