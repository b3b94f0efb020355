"""Processes as the kernel lists them, for tests of what is started and what is left behind."""

from __future__ import annotations

from pathlib import Path


def is_alive(process: int) -> bool:
    """Whether it runs; one that has ended and that its parent has not looked after yet does not."""
    state = _state_and_parent(process)
    return state is not None and state[0] != "Z"


def children(process: int) -> set[int]:
    """Its children, whichever of its threads started them: a thread may end while this looks."""
    numbers = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return {number for number in numbers if (found := _state_and_parent(number)) and found[1] == process}


def _state_and_parent(process: int) -> tuple[str, int] | None:
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return state, int(parent)
