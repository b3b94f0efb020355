"""Columns of a picture as tokens, by fewer steps: the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from shizi.runtime.rewrite.openvino.attention import fold_norms, split_heads
from shizi.runtime.rewrite.openvino.nodes import source
from shizi.runtime.rewrite.openvino.tokens import straighten_tokens
from tests.runtime.rewrite.openvino.attention_network import WIDE, Attention, network
from tests.runtime.rewrite.openvino.networks import Array, drawn_line, kinds, recogniser, run

if TYPE_CHECKING:
    import openvino


def picture(lines: int = 2, rows: int = 1, columns: int = 7) -> Array:
    return np.random.default_rng(5).standard_normal((lines, WIDE, rows, columns)).astype(np.float32)


@pytest.mark.parametrize("drop", ["measured", "squeeze"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("lines", "columns"), [(2, 7), (1, 1)])
def test_tokens_stay_tokens(core: openvino.Core, drop: str, swapped: bool, lines: int, columns: int) -> None:
    batch, model = picture(lines, 1, columns), network(Attention(drop=drop, swapped=swapped))
    before, (wanted,) = kinds(model), run(core, model, batch)
    assert straighten_tokens(model) is model
    after = kinds(model)
    assert before.count("Transpose") - after.count("Transpose") == 1  # there and back again is one less
    assert after.count("Squeeze") == before.count("Squeeze") - 1 - (drop == "squeeze")
    (found,) = run(core, model, batch)
    assert found.shape == wanted.shape == (lines, columns, 5)
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("how", [Attention(drop="said"), Attention(rows=-1)], ids=str)
def test_rows_of_another_kind_are_dropped_as_before(core: openvino.Core, how: Attention) -> None:
    batch, model = picture(), network(how)
    (wanted,) = run(core, model, batch)
    assert straighten_tokens(model) is model
    kept = [node for node in model.get_ordered_ops() if node.get_type_name() == "Reshape"]
    assert "Parameter" in [source(node, 0).get_type_name() for node in kept]
    assert run(core, model, batch)[0] == pytest.approx(wanted, abs=1e-5)


def test_a_picture_of_several_rows_is_refused_as_before(core: openvino.Core) -> None:
    """Where it is not known that there is one, rows are not joined to a longer one."""
    model = straighten_tokens(network(Attention(rows=-1, drop="squeeze")))
    with pytest.raises(RuntimeError, match=r"(?i)squeeze|shape"):
        run(core, model, picture(rows=3))


def test_the_default_recogniser_computes_the_same_in_fewer_steps(core: openvino.Core) -> None:
    model, line = recogniser(core), drawn_line()
    before, (wanted,) = kinds(model), run(core, model, line)
    for change in (fold_norms, split_heads, straighten_tokens):
        nodes = len(kinds(model))
        assert len(kinds(change(model))) < nodes
    after = kinds(model)
    assert (before.count("Split"), after.count("Split")) == (0, 2)
    assert before.count("Transpose") - after.count("Transpose") == 1
    (found,) = run(core, model, line)
    assert len(np.unique(wanted.argmax(axis=2))) > 5  # it reads something
    assert found == pytest.approx(wanted, abs=1e-5)
