"""Everything that a sandbox gives up before it sees a document: memory, processor time, files, processes, network."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shizi.imaging import orphan
from shizi.imaging.sandbox_landlock import allow_only_reading
from shizi.imaging.sandbox_seccomp import UnavailableError, drop_capabilities, forbid_calls, forbid_new_privileges

if sys.platform != "win32":
    import resource

MOST_DESCRIPTORS = 32
SLACK = 64 * 2**20  # bytes of address space beyond what the limits say: buffers of decoders, fragments
GROWTH = 512 * 2**20  # bytes by which a process may have grown since its start before memory for a document is refused
CPU_SLACK_S = 2

# Where pdfium looks for fonts that a PDF names and does not hold.
FONTS = ("/usr/share/fonts", "/usr/share/X11/fonts/Type1", "/usr/share/X11/fonts/TTF", "/usr/local/share/fonts")
CODE = ("PIL", "numpy", "pypdfium2", "pypdfium2_raw")  # import more of themselves when they need it


@dataclass(slots=True)
class Bounds:
    """What holds in this process, by name, and what could not be had, by name with the reason."""

    held: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


class Meter:
    """Sets how much memory and processor time this process may take for one document."""

    def __init__(self, hard: int | None) -> None:
        """Bounds address space for good: `hard` bytes more than it has now; None where the system cannot."""
        self._sizes = -1
        self._most = 0
        if hard is not None:
            self._sizes = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
            self._most = self._taken() + hard
            resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))

    def begin(self, memory: int, seconds: float) -> None:
        """A document may take so many bytes more than there are now, and so many seconds of one processor."""
        self._allow(self._taken() + memory + SLACK)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        most = int(used.ru_utime + used.ru_stime + seconds) + CPU_SLACK_S
        resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))

    def more(self, memory: int) -> None:
        """Shared memory of so many bytes is mapped beside what the document may take."""
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        self._allow(soft + memory)

    def _allow(self, most: int) -> None:
        if self._sizes >= 0:
            resource.setrlimit(resource.RLIMIT_AS, (min(most, self._most), self._most))

    def _taken(self) -> int:
        if self._sizes < 0:
            return 0
        return int(os.pread(self._sizes, 64, 0).split()[0]) * os.sysconf("SC_PAGE_SIZE")


def bound_process(memory: int, parent: int) -> tuple[Bounds, Meter]:
    """Gives up what decoding does not need; everything that is to be imported has been, and no thread runs yet.

    Args:
        memory: bytes that the largest document may take.
        parent: number of the process with which this one ends.
    """
    bounds = Bounds()
    meter = _bound_memory(memory, bounds)
    for name, value in (("CORE", 0), ("FSIZE", 0), ("NOFILE", MOST_DESCRIPTORS)):
        which = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(which)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (most, most))
        bounds.held.append(f"rlimit-{name.lower()}")
    bounds.held.append("rlimit-cpu")
    _try("no-new-privileges", forbid_new_privileges, bounds)
    _try("no-capabilities", drop_capabilities, bounds)
    _try("landlock", lambda: allow_only_reading((*FONTS, *_code())), bounds)
    orphan.end_with(parent)
    bounds.held.append("ends-with-parent")
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # after the one thread that is needed
    bounds.held.append("rlimit-nproc")
    _try("seccomp", forbid_calls, bounds)
    return bounds, meter


def most_resident() -> int:
    """Bytes that count as the most this process ever held; at its start it is what its parent holds, which it was for a moment."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _bound_memory(memory: int, bounds: Bounds) -> Meter:
    try:
        meter = Meter(memory + SLACK + GROWTH)
    except (OSError, ValueError) as error:  # macOS: no /proc, and no bound of address space
        bounds.missing["rlimit-as"] = str(error)
        return Meter(None)
    bounds.held.append("rlimit-as")
    return meter


def _try(name: str, bind: Callable[[], None], bounds: Bounds) -> None:
    try:
        bind()
    except UnavailableError as error:
        bounds.missing[name] = str(error)
    else:
        bounds.held.append(name)


def _code() -> list[str]:
    found = [importlib.util.find_spec(name) for name in CODE]
    packages = [str(Path(spec.origin).parent) for spec in found if spec is not None and spec.origin]
    return [*packages, sysconfig.get_path("stdlib")]
