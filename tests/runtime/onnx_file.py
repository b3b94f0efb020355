"""A tiny writer of ONNX files, so that each test says exactly what its model does."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

FLOAT, INT64 = 1, 7


def number(value: int) -> bytes:
    """A protocol-buffers varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def entry(field: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return number(field << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(field << 3 | 2) + number(len(data)) + data


def tensor(name: str, values: Sequence[int] | Sequence[float], kind: int) -> bytes:
    raw = struct.pack(f"<{len(values)}{'q' if kind == INT64 else 'f'}", *values)
    return entry(1, len(values)) + entry(2, kind) + entry(8, name) + entry(9, raw)


def variable(name: str, rank: int) -> bytes:
    """A float input or output, every side of which is free."""
    shape = b"".join(entry(1, entry(2, f"{name}{axis}")) for axis in range(rank))
    return entry(1, name) + entry(2, entry(1, entry(1, FLOAT) + entry(2, shape)))


def node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(entry(1, name) for name in inputs) + entry(2, output) + entry(4, operator)


def model(nodes: Sequence[bytes], tensors: Sequence[bytes] = (), metadata: Mapping[str, str] | None = None) -> bytes:
    """From the input "x" (rank 4) by these nodes to the output "y" (rank 4)."""
    graph = b"".join(entry(1, part) for part in nodes) + entry(2, "g") + b"".join(entry(5, part) for part in tensors)
    graph += entry(11, variable("x", 4)) + entry(12, variable("y", 4))
    pairs = b"".join(entry(14, entry(1, key) + entry(2, value)) for key, value in (metadata or {}).items())
    return entry(1, 8) + entry(7, graph) + entry(8, entry(2, 13)) + pairs


def doubling(path: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """A model whose output is twice its input."""
    path.write_bytes(model([node("Add", ["x", "x"], "y")], metadata=metadata))
    return path


def greedy(path: Path) -> Path:
    """A model that makes one number into 2**44, more than any machine holds; only when it runs is that known."""
    nodes = [node("Shape", ["x"], "s"), node("Mul", ["s", "many"], "sides"), node("Expand", ["x", "sides"], "z")]
    nodes += [node("Add", ["z", "z"], "y")]
    path.write_bytes(model(nodes, [tensor("many", [1 << 11] * 4, INT64)]))
    return path
