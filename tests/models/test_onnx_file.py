"""A recogniser's last layer comes off where it is one, and the two parts compute what the whole did."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.models.card import DEFAULT_TIER
from shizi.models.onnx_file import Body, Linear, cut_linear, read_metadata
from shizi.models.store import ModelStore
from shizi.runtime.base import Batch, Runtime, SessionOptions
from shizi.runtime.onnx import OnnxRuntime
from shizi.runtime.openvino import OpenVinoRuntime
from tests.models.reader_file import BIAS, CLASSES, FEATURES, LAYER, SOFTMAX, TAIL, WEIGHTS, axis, model, tensor
from tests.runtime.onnx_file import FLOAT, doubling, entry, node, variable

OPTIONS = SessionOptions(threads=1)


@pytest.fixture(scope="module", params=[OnnxRuntime, OpenVinoRuntime])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    made: Runtime = request.param()
    return made


def hidden(seed: int = 0, shape: tuple[int, ...] = (2, 5, FEATURES)) -> Batch:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def run(runtime: Runtime, content: bytes, batch: Batch) -> Batch:
    return runtime.load(Path("drawn.onnx"), OPTIONS, content=content).run(batch, np.copy)


def parts(content: bytes) -> tuple[Body, Linear]:
    cut = cut_linear(content)
    assert cut is not None
    return cut


def in_two_parts(runtime: Runtime, content: bytes, batch: Batch) -> Batch:
    body, layer = parts(content)
    seen = run(runtime, body.onnx(), batch)
    return apart(runtime, layer, seen, softmax=True)


def apart(runtime: Runtime, layer: Linear, seen: Batch, *, softmax: bool) -> Batch:
    """What the layer by itself makes of features, (B, T, features) -> (B, T, classes)."""
    found = run(runtime, layer.onnx(softmax=softmax), seen.reshape(-1, seen.shape[-1]))
    return found.reshape(*seen.shape[:2], -1)


WHOLE = {
    "as it is": model([*TAIL, SOFTMAX]),
    "identities between": model(
        [
            node("Identity", ["h"], "h1"),
            node("MatMul", ["h1", "w"], "p"),
            node("Identity", ["p"], "p1"),
            node("Identity", ["p1"], "p2"),
            node("Add", ["p2", "b"], "s0"),
            node("Identity", ["s0"], "s"),
            node("Softmax", ["s"], "z"),
            node("Identity", ["z"], "y"),
        ]
    ),
    "bias first": model([TAIL[0], node("Add", ["b", "p"], "s"), SOFTMAX]),
    "sides packed": model([*TAIL, SOFTMAX], [tensor("w", WEIGHTS.T, packed=True), tensor("b", BIAS, packed=True)]),
    "float_data": model([*TAIL, SOFTMAX], [tensor("w", WEIGHTS.T, raw=False), tensor("b", BIAS, raw=False)]),
    "both mixed": model([*TAIL, SOFTMAX], [tensor("b", BIAS, packed=True, raw=False), tensor("w", WEIGHTS.T)]),
    "the last axis by number": model([*TAIL, SOFTMAX + axis(2)], version=11),
    "weights listed among the inputs": model([*TAIL, SOFTMAX], inputs=[variable("w", 2), variable("b", 1)]),
    "weights listed among the inputs of an old file": model(
        [*TAIL, SOFTMAX], inputs=[variable("w", 2), variable("b", 1)], format_version=3
    ),
    "the last axis from the end": model([*TAIL, SOFTMAX + axis(2**64 - 1)]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_layer_is_found(name: str) -> None:
    _, layer = parts(WHOLE[name])
    assert np.array_equal(layer.weights, WEIGHTS)
    assert np.array_equal(layer.bias, BIAS)


@pytest.mark.parametrize("name", WHOLE)
def test_body_and_layer_compute_what_the_whole_does(runtime: Runtime, name: str) -> None:
    batch = hidden()
    whole = run(runtime, WHOLE[name], batch)
    assert whole.shape == (2, 5, CLASSES)
    assert whole.sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert in_two_parts(runtime, WHOLE[name], batch) == pytest.approx(whole, abs=1e-6)


def test_the_body_keeps_all_but_the_layer() -> None:
    body, layer = parts(WHOLE["as it is"])
    alone = body.onnx()
    assert read_metadata(alone) == read_metadata(body.onnx(layer)) == {"k": "v"}
    assert len(alone) < len(WHOLE["as it is"]) - WEIGHTS.nbytes - BIAS.nbytes
    assert cut_linear(alone) is None


def says_logits_and_features(runtime: Runtime, content: bytes, classes: Sequence[int], batch: Batch) -> Body:
    """Asserts that the body with these classes' layer computes what the two do one by one."""
    body, layer = parts(content)
    few = layer.only(np.array(classes))
    seen, both = run(runtime, body.onnx(), batch), run(runtime, body.onnx(few.passing_on()), batch)
    assert both.shape == (*seen.shape[:2], len(classes) + seen.shape[2])
    assert np.array_equal(both[:, :, len(classes) :], seen)
    logits = apart(runtime, few, seen, softmax=False)
    assert logits.std() > 0.1
    assert both[:, :, : len(classes)] == pytest.approx(logits, abs=1e-4)
    return body


@pytest.mark.parametrize("name", WHOLE)
def test_body_and_some_classes_say_logits_and_features_at_once(runtime: Runtime, name: str) -> None:
    says_logits_and_features(runtime, WHOLE[name], [4, 0, 7], hidden())


def test_a_body_with_its_own_layer_says_the_logits(runtime: Runtime) -> None:
    body, layer = parts(WHOLE["as it is"])
    batch = hidden(2)
    assert run(runtime, body.onnx(layer), batch) == pytest.approx(2 * batch @ WEIGHTS.T + BIAS, abs=1e-5)


def test_a_layer_that_passes_its_input_on_ends_with_it() -> None:
    layer = Linear(WEIGHTS, BIAS)
    passing, column = layer.passing_on(), hidden(6, (FEATURES,))
    assert passing.weights.dtype == passing.bias.dtype == np.float32
    assert np.array_equal((passing.weights @ column + passing.bias)[CLASSES:], column)
    assert np.array_equal(passing.only(np.arange(CLASSES)).weights, WEIGHTS)
    assert layer.weights.shape == (CLASSES, FEATURES)


@pytest.mark.parametrize("stem", ["shizi.", "shizi._", "shizi.__"])
def test_names_that_the_model_has_already_are_given_to_nothing_else(runtime: Runtime, stem: str) -> None:
    """A runtime may take one of two values of a name for the other, so these are of the shapes that would fit."""
    weights, bias, product, output = (stem + name for name in ("weights", "bias", "product", "output"))
    taken = (tensor(weights, hidden(8, (FEATURES, 2 + FEATURES))), tensor(bias, hidden(9, (2 + FEATURES,))))
    ends = tensor("back", hidden(10, (2 + FEATURES, FEATURES)))
    nodes = [
        node("MatMul", ["h", weights], product),
        node("Add", [product, bias], output),
        node("MatMul", [output, "back"], "shizi.hidden"),
        node("MatMul", ["shizi.hidden", "w"], "p"),
    ]
    content = model([*nodes, TAIL[1], SOFTMAX], [*LAYER, *taken, ends])
    body = says_logits_and_features(runtime, content, [3, 5], hidden(1))
    assert body.hidden == "shizi.hidden"


ENDS = {
    "no softmax": model([TAIL[0], node("Add", ["p", "b"], "y")]),
    "no bias": model([node("MatMul", ["h", "w"], "s"), SOFTMAX]),
    "no product": model([node("Add", ["h", "b"], "s"), SOFTMAX], [tensor("b", hidden(1, (FEATURES,)))]),
    "another end": model([*TAIL, node("Sigmoid", ["s"], "y")]),
    "something between": model([TAIL[0], node("Relu", ["p"], "q"), node("Add", ["q", "b"], "s"), SOFTMAX]),
    "a bias that is computed": model([TAIL[0], node("Add", ["p", "p"], "s"), SOFTMAX]),
    "a product with the weights first": model([node("MatMul", ["w", "h"], "p"), TAIL[1], SOFTMAX]),
    "a softmax over the columns": model([*TAIL, SOFTMAX + axis(1)]),
    "a softmax over all, as old operators have it": model([*TAIL, SOFTMAX], version=11),
    "a bias for every column": model([*TAIL, SOFTMAX], [LAYER[0], tensor("b", hidden(1, (5, CLASSES)))]),
    "a bias for all": model([*TAIL, SOFTMAX], [LAYER[0], tensor("b", hidden(1, (1,)))]),
    "a matrix for every picture": model([*TAIL, SOFTMAX], [tensor("w", hidden(1, (2, FEATURES, CLASSES))), LAYER[1]]),
    "vector and matrix changed": model([*TAIL, SOFTMAX], [tensor("w", BIAS), tensor("b", WEIGHTS[:CLASSES].T)]),
    "weights of another type": model([*TAIL, SOFTMAX], [LAYER[0].replace(entry(2, FLOAT), entry(2, 10), 1), LAYER[1]]),
    "weights kept elsewhere": model(
        [*TAIL, SOFTMAX], [entry(1, FEATURES) + entry(1, CLASSES) + entry(2, FLOAT) + entry(8, "w"), LAYER[1]]
    ),
    "weights that are a constant node": model([*TAIL, SOFTMAX], [LAYER[1]]),
    "no node": model([]),
    "nothing": b"",
}


@pytest.mark.parametrize("name", ENDS)
def test_a_model_that_ends_otherwise_is_left_whole(name: str) -> None:
    assert cut_linear(ENDS[name]) is None


def sized(*sides: int) -> bytes:
    """A tensor that says it has these sides and holds nothing."""
    return b"".join(entry(1, side) for side in sides) + entry(2, FLOAT) + entry(8, "w") + entry(9, b"")


@pytest.mark.parametrize(
    "weights", [sized(2**32, 2**32), sized(2**63, 2), sized(2**64 - 1, 0), sized(0, 2**62), sized(0, 0), sized()]
)
def test_sides_that_cannot_be_are_no_layer(weights: bytes) -> None:
    empty = entry(1, 0) + entry(2, FLOAT) + entry(8, "b") + entry(9, b"")
    assert cut_linear(model([*TAIL, SOFTMAX], [weights, empty])) is None


@pytest.mark.timeout(10)
def test_a_graph_that_runs_in_a_circle_is_no_layer() -> None:
    circle = [node("Identity", ["z"], "y"), node("Identity", ["y"], "z")]
    assert cut_linear(model(circle)) is None
    assert cut_linear(model([node("Identity", ["y"], "y")])) is None


def refused_or_read(content: bytes) -> None:
    """What may come of bytes that are no model: nothing, a layer that holds together, or one of the two errors that are named."""
    try:
        cut = cut_linear(content)
        read_metadata(content)
    except (IndexError, UnicodeDecodeError):
        return
    assert cut is None or len(cut[1].weights) == len(cut[1].bias) > 0
    assert cut is None or len(cut[0].onnx()) < len(cut[0].onnx(cut[1].passing_on()))


@given(st.integers(0, len(WHOLE["as it is"]) - 1))
def test_a_model_cut_short_is_refused(length: int) -> None:
    refused_or_read(WHOLE["as it is"][:length])


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damaged_bytes_do_no_harm(name: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE[name])
    for at, byte in changes:
        content[at % len(content)] = byte
    refused_or_read(bytes(content))


@given(st.binary(max_size=300))
def test_junk_does_no_harm(junk: bytes) -> None:
    refused_or_read(junk)
    refused_or_read(entry(7, junk))


def test_metadata_are_read(tmp_path: Path) -> None:
    given_metadata = {"character": "一\n二", "empty": "", "名": "x"}
    assert read_metadata(doubling(tmp_path / "m.onnx", given_metadata).read_bytes()) == given_metadata
    assert read_metadata(b"") == {}


def test_a_layer_by_itself_computes_logits_and_probabilities(runtime: Runtime) -> None:
    seen = hidden(3, (4, FEATURES))
    logits = seen @ WEIGHTS.T + BIAS
    layer = Linear(WEIGHTS, BIAS)
    assert run(runtime, layer.onnx(softmax=False), seen) == pytest.approx(logits, abs=1e-5)
    powers = np.exp(logits)
    assert run(runtime, layer.onnx(softmax=True), seen) == pytest.approx(
        powers / powers.sum(axis=1, keepdims=True), abs=1e-6
    )


def test_a_layer_for_some_classes_computes_those_in_their_order(runtime: Runtime) -> None:
    seen, classes = hidden(4, (3, FEATURES)), np.array([7, 0, 3])
    layer = Linear(WEIGHTS, BIAS).only(classes)
    assert run(runtime, layer.onnx(softmax=False), seen) == pytest.approx(
        (seen @ WEIGHTS.T + BIAS)[:, classes], abs=1e-5
    )


def test_the_default_recogniser_comes_apart_and_computes_the_same(runtime: Runtime) -> None:
    store = ModelStore()
    name = store.catalog.tier(DEFAULT_TIER).names[1]
    content = store.path(name).read_bytes()
    body, layer = parts(content)
    assert layer.weights.shape == (store.card(name).classes, 120)
    alone = body.onnx()
    assert read_metadata(alone) == read_metadata(content) != {}
    picture = np.clip(hidden(7, (2, 3, 48, 96)), -1, 1)
    whole = run(runtime, content, picture)
    assert in_two_parts(runtime, content, picture) == pytest.approx(whole, abs=2e-5)
    assert struct.calcsize("f") * layer.weights.size < len(content) - len(alone)
    says_logits_and_features(runtime, content, range(0, 9000, 3), picture)
