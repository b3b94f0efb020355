from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shizi.bench.ablation import OTHER_VALUES, Variant, compare, descriptions, variants
from shizi.bench.measure import Subject
from shizi.errors import ModelLoadFailed
from shizi.pipeline.tuning import Tuning
from shizi.runtime.choose import Choice
from tests.bench.engines import Clock, FakeEngine, nothing

BASE = Choice("openvino", "float32", "")
VARIANT = Variant("squeeze off", "what it does", Tuning(), "onnx", "float32")
A, B = Subject("a", Path("a.png"), 1), Subject("b", Path("b.png"), 1)


def test_every_switch_is_turned_once_and_nothing_else_changes() -> None:
    found = variants(BASE, Tuning())
    switches = [variant for variant in found if variant.tuning != Tuning()]
    for field in dataclasses.fields(Tuning):
        assert isinstance(field.default, bool) or field.name in OTHER_VALUES, f"{field.name}: say what to try beside it"
    changed = [
        [field.name for field in dataclasses.fields(Tuning) if getattr(v.tuning, field.name) != field.default]
        for v in switches
    ]
    assert all(len(names) == 1 for names in changed)
    assert {names[0] for names in changed} == {field.name for field in dataclasses.fields(Tuning)}
    assert {(v.runtime, v.precision) for v in switches} == {("openvino", "float32")}
    assert "squeeze off" in [v.label for v in switches]


def test_every_other_runtime_and_precision_is_tried() -> None:
    rest = [variant for variant in variants(BASE, Tuning()) if variant.tuning == Tuning()]
    assert [(v.runtime, v.precision) for v in rest] == [
        ("openvino", "int8"),
        ("openvino", "bfloat16"),
        ("onnx", "float32"),
    ]


def test_every_switch_is_described_by_its_documentation() -> None:
    texts = descriptions(Tuning)
    assert set(texts) == {field.name for field in dataclasses.fields(Tuning)}
    assert all(text.endswith(".") and "\n" not in text and "  " not in text for text in texts.values())


def test_a_record_without_documentation_has_no_descriptions() -> None:
    assert descriptions(dataclasses.make_dataclass("Bare", ["a"])) == {}


def test_a_variant_is_compared_in_turn_and_closed() -> None:
    clock = Clock()
    order: list[str] = []
    ours = FakeEngine(clock, {"a": 1.0, "b": 3.0}, order=order)
    other = FakeEngine(clock, {"a": 2.0, "b": 3.0}, text="other", order=order, name="other")
    found = compare(ours, lambda: other, VARIANT, [A, B], 2, nothing, clock)
    assert found.ratio == pytest.approx(5 / 4)
    assert found.changed == 2
    assert other.closed
    assert order == ["ours", "other", "other", "ours", "ours", "other"] * 2


def test_a_variant_that_cannot_be_made_says_why() -> None:
    def fail() -> FakeEngine:
        raise ModelLoadFailed("the runtime 'onnx' is not installed; install onnxruntime")

    found = compare(FakeEngine(Clock(), {"a": 1.0}), fail, VARIANT, [A], 1, nothing)
    assert found.ratio is None
    assert found.problem == "the runtime 'onnx' is not installed; install onnxruntime"
