"""A process that works for another ends when that one does, however it died. Standard library only: workers start with it."""

from __future__ import annotations

import os
import threading
import time

INTERVAL_S = 1.0
EXIT_CODE = 1


def end_with(parent: int) -> None:
    """Ends this process, at most a second or so after the process `parent`, which must be the one that started it.

    A killed parent closes nothing in order, and a worker deep in a slow page reads no pipe: so a thread of its own looks who the
    parent is. (The system's own signal for it, PR_SET_PDEATHSIG, comes already when the *thread* ends that started the worker.)
    On Windows, where a process keeps the number of a parent that is gone, nothing happens.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL_S)
    os._exit(EXIT_CODE)  # nobody is left who could read an exception
