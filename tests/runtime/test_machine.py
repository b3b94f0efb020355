"""What a container may use, told from drawn cgroup trees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from shizi.runtime import machine

GIB = 2**30
V1_NO_LIMIT = 9223372036854771712  # what the kernel writes where no limit was set


class Tree:
    """A cgroup file system and the file that says where this process is in it."""

    def __init__(self, folder: Path, files: Mapping[str, object], membership: str) -> None:
        self.root, self.membership = folder / "cgroup", folder / "self"
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        self.membership.write_text(membership)

    @property
    def cpus(self) -> float:
        return machine.cpu_quota(self.root, self.membership)

    @property
    def memory(self) -> int | None:
        return machine.memory_limit(self.root, self.membership)


@pytest.fixture(autouse=True)
def _many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_affinity", lambda: 64)


def test_v2_inside_a_container_the_root_holds_the_limits(tmp_path: Path) -> None:
    tree = Tree(tmp_path, {"cpu.max": "150000 100000", "memory.max": 2 * GIB}, "0::/\n")
    assert (tree.cpus, tree.memory) == (1.5, 2 * GIB)


def test_v2_the_tightest_limit_above_binds(tmp_path: Path) -> None:
    files = {
        "slice/cpu.max": "200000 100000",
        "slice/pod/cpu.max": "400000 100000",
        "slice/pod/box/cpu.max": "max 100000",
        "slice/memory.max": 8 * GIB,
        "slice/pod/memory.max": GIB,
        "slice/pod/box/memory.max": "max",
        "slice/neighbour/cpu.max": "1000 100000",
        "slice/neighbour/memory.max": 1,
    }
    tree = Tree(tmp_path, files, "0::/slice/pod/box\n")
    assert (tree.cpus, tree.memory) == (2.0, GIB)


def test_v2_without_limits(tmp_path: Path) -> None:
    tree = Tree(tmp_path, {"box/cpu.max": "max 100000", "box/memory.max": "max"}, "0::/box\n")
    assert (tree.cpus, tree.memory) == (64.0, None)


def test_v1_each_controller_has_its_own_tree(tmp_path: Path) -> None:
    files = {
        "cpu/docker/box/cpu.cfs_quota_us": 250000,
        "cpu/docker/box/cpu.cfs_period_us": 100000,
        "memory/docker/box/memory.limit_in_bytes": 3 * GIB,
        "memory/memory.limit_in_bytes": V1_NO_LIMIT,
    }
    tree = Tree(tmp_path, files, "5:cpu,cpuacct:/docker/box\n4:memory:/docker/box\n1:name=systemd:/docker/box\n")
    assert (tree.cpus, tree.memory) == (2.5, 3 * GIB)


def test_v1_inside_a_container_the_path_of_the_host_does_not_exist(tmp_path: Path) -> None:
    files = {
        "cpu/cpu.cfs_quota_us": 50000,
        "cpu/cpu.cfs_period_us": 100000,
        "memory/memory.limit_in_bytes": 512 * 2**20,
    }
    tree = Tree(tmp_path, files, "5:cpu,cpuacct:/docker/1234\n4:memory:/docker/1234\n")
    assert (tree.cpus, tree.memory) == (0.5, 512 * 2**20)


def test_v1_without_limits(tmp_path: Path) -> None:
    files = {
        "cpu/cpu.cfs_quota_us": -1,
        "cpu/cpu.cfs_period_us": 100000,
        "memory/memory.limit_in_bytes": V1_NO_LIMIT,
    }
    tree = Tree(tmp_path, files, "5:cpu:/\n4:memory:/\n")
    assert (tree.cpus, tree.memory) == (64.0, None)


@pytest.mark.parametrize("membership", ["", "nonsense\n", "0:\n", "0::/../../elsewhere\n", "0::relative\n"])
def test_what_cannot_be_understood_limits_nothing(tmp_path: Path, membership: str) -> None:
    tree = Tree(tmp_path, {"cpu.max": "garbage", "memory.max": ""}, membership)
    assert (tree.cpus, tree.memory) == (64.0, None)


def test_a_system_without_cgroups(tmp_path: Path) -> None:
    assert machine.cpu_quota(tmp_path / "none", tmp_path / "none") == 64.0
    assert machine.memory_limit(tmp_path / "none", tmp_path / "none") is None


@pytest.mark.parametrize(("quota", "threads"), [(0.1, 1), (1.0, 1), (1.5, 2), (8.0, 8)])
def test_threads_are_the_quota_rounded_up(monkeypatch: pytest.MonkeyPatch, quota: float, threads: int) -> None:
    monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
    assert machine.cpu_count() == threads


def test_the_affinity_mask_binds_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_affinity", lambda: 2)
    assert Tree(tmp_path, {"cpu.max": "800000 100000"}, "0::/\n").cpus == 2.0


def test_features_are_read_from_the_kernels_list(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512_bf16\n\nprocessor\t: 1\n")
    assert machine.cpu_features(cpuinfo) == {"fpu", "avx2", "avx512_bf16"}
    assert machine.cpu_features(tmp_path / "none") == frozenset()


def test_the_real_machine_is_told() -> None:
    assert machine.cpu_model()
    assert machine.cpu_count() >= 1
