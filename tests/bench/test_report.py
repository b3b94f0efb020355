from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.bench.measure import Many, Measured
from shizi.bench.report import Report, as_json, machine, peak_mb
from shizi.runtime.choose import Choice
from shizi.types import ModelInfo


def report() -> Report:
    short = Measured("document 1", 1, (100.0, 120.0, 110.0), {"decode": 10.0, "detect": 20.0}, {"det": 50.0}, ())
    long = Measured("document 2", 3, (600.0, 630.0, 660.0), {"decode": 30.0}, {}, ())
    facts = machine(Choice("onnx", "float32", ""), "general", (ModelInfo("detect", "det", "1", "0" * 64),))
    return Report(facts, False, 3, (short, long), Many((4.0, 5.0, 3.0), (1.5, 1.25, 1.0)), 300.0)


def test_figures_weigh_pages_and_not_documents() -> None:
    found = report()
    assert found.pages == 4
    assert found.median_ms == pytest.approx(205.0)  # 100 110 120 | 3 x 200, 3 x 210, 3 x 220
    assert found.p95_ms == pytest.approx(220.0)
    assert found.stages_ms == {"decode": pytest.approx(10.0), "detect": pytest.approx(5.0)}


def test_the_ratio_is_of_documents_of_which_both_times_are_known() -> None:
    assert report().ratio == pytest.approx(110 / 50)


def test_of_many_pages_the_medians_of_the_rounds_count() -> None:
    found = report()
    assert (found.pages_per_second, found.ratio_of_many) == (4.0, 1.25)
    assert replace(found, many=Many((4.0,), ())).ratio_of_many is None


def test_json_has_figures_machine_and_models_and_no_path() -> None:
    text = as_json(report())
    record = json.loads(text)
    assert record["summary"]["p95_ms_per_page"] == pytest.approx(220.0)
    assert record["machine"]["runtime"] == "onnx"
    assert record["machine"]["threads"] >= 1
    assert record["machine"]["libraries"]["numpy"]
    assert record["machine"]["models"][0]["name"] == "det"
    assert record["documents"][1]["read_ms"] == [600.0, 630.0, 660.0]
    assert str(Path.home()) not in text


def test_this_process_has_a_peak() -> None:
    peak = peak_mb()
    assert peak is not None
    assert 10 < peak < 100_000
