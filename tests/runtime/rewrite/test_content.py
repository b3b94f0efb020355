"""Files are rewritten, or left to the runtime as they are."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from shizi.onnx.graph import Graph
from shizi.runtime.onnx import faster
from shizi.runtime.rewrite.content import rewritten
from shizi.runtime.rewrite.linear import pool_early
from tests.onnx.network import Network, pictures, run


def network() -> bytes:
    drawn = Network()
    small = drawn.add("Relu", [drawn.conv("x", 3, 5, 3)])
    given_ = drawn.conv(drawn.add("MaxPool", [small], {"kernel_shape": (2, 2), "auto_pad": "SAME_UPPER"}), 5, 4, 3)
    made = drawn.conv(drawn.add("Relu", [drawn.conv(given_, 4, 8)]), 8, 4, bias="after")
    total = drawn.add("Add", [given_, made])
    return drawn.onnx(drawn.add("AveragePool", [total], {"kernel_shape": (3, 2), "strides": (3, 2)}))


NETWORK = network()


def test_a_model_in_which_nothing_changes_is_left_as_it_is() -> None:
    drawn = Network()
    assert rewritten(drawn.onnx(drawn.conv("x", 3, 4)), [pool_early]) is None


def test_one_that_changes_is_written_anew() -> None:
    changed = rewritten(NETWORK, [pool_early])
    assert changed is not None
    assert changed != NETWORK
    assert run(changed, pictures(1, 3, 6, 8))[0].shape == run(NETWORK, pictures(1, 3, 6, 8))[0].shape


def test_what_is_no_model_is_left_as_it_is() -> None:
    assert rewritten(b"no model at all", [pool_early]) is None


def test_a_rewrite_that_meets_a_damaged_message_leaves_all_as_it_was() -> None:
    def fails(error: Exception) -> Callable[[Graph], None]:
        def rewrite(graph: Graph) -> None:
            pool_early(graph)
            raise error

        return rewrite

    for error in (IndexError("varint"), ValueError("65 dimensions"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")):
        assert rewritten(NETWORK, [fails(error)]) is None


@given(st.integers(0, len(NETWORK) - 1), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_damaged_file_is_rewritten_or_left_as_it_is(at: int, damage: bytes, lines: bool) -> None:
    content = NETWORK[:at] + damage + NETWORK[at + len(damage) :]
    changed = faster(content, lines=lines)
    assert changed is None or changed != content
