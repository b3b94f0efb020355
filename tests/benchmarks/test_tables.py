from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sets import find_sets
from benchmarks.tables import Row, as_markdown, summary


def row(seconds: float, bigram: float = 0.9, word: float = 0.8) -> Row:
    return {
        "images": 7,
        "bigram_f1": bigram,
        "word_f1": word,
        "seconds_per_page": seconds,
        "median_seconds": seconds,
        "peak_mb": 500.0,
        "stages_ms": {},
    }


REPORT = {
    "forms": {"shizi": row(0.5, 0.97, 0.75), "rapidocr-onnx": row(4.0, 0.96, 0.76), "shizi-onnx": row(1.0)},
    "signs": {"shizi": row(0.1, 0.74), "rapidocr-onnx": row(0.2, 0.71), "shizi-onnx": row(0.1)},
}


def test_ratios_of_each_set_and_their_geometric_mean() -> None:
    default, both_onnx = summary(REPORT)
    assert (default["of"], default["over"]) == ("rapidocr-onnx", "shizi")
    assert default["sets"] == pytest.approx({"forms": 8.0, "signs": 2.0})
    assert default["geometric_mean"] == pytest.approx(4.0)
    assert default["bigram_f1_gain"] == pytest.approx({"forms": 0.01, "signs": 0.03})
    assert default["word_f1_gain"] == pytest.approx({"forms": -0.01, "signs": 0.0})
    assert both_onnx["over"] == "shizi-onnx"
    assert both_onnx["geometric_mean"] == pytest.approx(8**0.5)


def test_a_ratio_needs_both_engines_on_every_set() -> None:
    assert summary({"forms": {"shizi": row(1.0)}}) == []
    assert len(summary({"a": REPORT["forms"], "b": {"shizi": row(1.0), "rapidocr-onnx": row(2.0)}})) == 1
    assert summary({}) == []


def test_the_tables_are_markdown() -> None:
    text = as_markdown(REPORT)
    assert "| forms (7) | RapidOCR (ONNX Runtime) | 0.9600 | 0.7600 | 4.000 | 4.000 | 500 |" in text
    assert "| RapidOCR (ONNX Runtime) ÷ shizi | 8.00 | 2.00 | **4.00** |" in text
    assert "| shizi less RapidOCR (ONNX Runtime) | +0.0100 / -0.0100 | +0.0300 / +0.0000 | +0.0200 / -0.0050 |" in text
    for table in text.split("\n\n"):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_sets_are_found_in_a_folder_or_are_one(tmp_path: Path) -> None:
    for name in ("b", "a", "none"):
        (tmp_path / name).mkdir()
        if name != "none":
            (tmp_path / name / "labels.jsonl").touch()
    assert find_sets([tmp_path]) == [tmp_path / "a", tmp_path / "b"]
    assert find_sets([tmp_path / "b", tmp_path / "a"]) == [tmp_path / "b", tmp_path / "a"]
    with pytest.raises(SystemExit, match=r"none holds no labels.jsonl"):
        find_sets([tmp_path / "none"])
