"""What this process may really use of the machine: the container's quota counts, not the host's processors."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60  # cgroup v1 says "unlimited" by a number near 2**63


def cpu_quota(root: Path = _CGROUP_ROOT, membership: Path = Path("/proc/self/cgroup")) -> float:
    """CPUs that this process may use: the smallest of its affinity mask and the cgroup quotas above it (v1 and v2)."""
    quotas = [float(_affinity())]
    for folder in _cgroup_folders(root, membership, "cpu"):
        v2 = _numbers(folder / "cpu.max")
        if len(v2) == 2 and v2[1] > 0:
            quotas.append(v2[0] / v2[1])
        quota, period = _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us")
        if quota and period and quota[0] > 0:
            quotas.append(quota[0] / period[0])
    return min(quotas)


def cpu_count() -> int:
    """Threads worth starting: the quota, rounded up, at least one."""
    return max(1, math.ceil(cpu_quota()))


def memory_limit(root: Path = _CGROUP_ROOT, membership: Path = Path("/proc/self/cgroup")) -> int | None:
    """Bytes that this process may use by its cgroups (v1 and v2); None without a limit."""
    limits = [
        numbers[0]
        for folder in _cgroup_folders(root, membership, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (numbers := _numbers(folder / name)) and numbers[0] < _NO_LIMIT
    ]
    return min(limits, default=None)


def cpu_model() -> str:
    """The processor's name, as far as the system tells."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Instruction-set flags as Linux names them (avx512_bf16, amx_bf16, avx512_vnni …); empty where they cannot be told."""
    return frozenset(_cpuinfo("flags", cpuinfo).split())


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpuinfo(key: str, path: Path = Path("/proc/cpuinfo")) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == key:
                    return value.strip()
    except OSError:
        return ""
    return ""


def _cgroup_folders(root: Path, membership: Path, controller: str) -> list[Path]:
    """The folders of this process's cgroups with all their parents; a quota anywhere above binds."""
    try:
        entries = [line.split(":", 2) for line in membership.read_text().splitlines()]
    except OSError:
        entries = []
    folders = [root, root / controller]
    for entry in entries:
        if len(entry) != 3 or (entry[1] and controller not in entry[1].split(",")):
            continue
        base = root if not entry[1] else root / controller
        folder = base / entry[2].lstrip("/")
        while folder != base and base in folder.parents:
            folders.append(folder)
            folder = folder.parent
    return folders


def _numbers(path: Path) -> list[int]:
    """The integers in a small file of the kernel; [] where it is absent or says "max"."""
    try:
        return [int(word) for word in path.read_text().split()]
    except (OSError, ValueError):
        return []
