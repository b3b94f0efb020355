"""Whatever changes a compiled model changes its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shizi.runtime import fingerprint
from shizi.runtime.base import SessionOptions
from shizi.runtime.normalization import Normalization
from shizi.runtime.ranges import LayerRange

GREATEST = np.linspace(0, 1, 4000, dtype=np.float32)
OPTIONS = SessionOptions(
    2,
    "int8",
    ranges={"Conv.1": LayerRange(-1.0, GREATEST)},
    pixels=Normalization(True, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
)
PROPERTIES: Mapping[str, object] = {"NUM_STREAMS": 1}


def nearly(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same values but one, in the middle, by its last bit."""
    other = values.copy()
    other[2000] = np.nextafter(other[2000], np.float32(2))
    return other


CHANGES: Mapping[str, SessionOptions] = {
    "threads": replace(OPTIONS, threads=3),
    "precision": replace(OPTIONS, precision="bfloat16"),
    "concurrency": replace(OPTIONS, concurrency=2),
    "few shapes": replace(OPTIONS, few_shapes=True),
    "no range": replace(OPTIONS, ranges={}),
    "a range of another layer": replace(OPTIONS, ranges={"Conv.2": OPTIONS.ranges["Conv.1"]}),
    "another least number": replace(OPTIONS, ranges={"Conv.1": LayerRange(-1.5, GREATEST)}),
    "one of 4,000 numbers": replace(OPTIONS, ranges={"Conv.1": LayerRange(-1.0, nearly(GREATEST))}),
    "no pixels": replace(OPTIONS, pixels=None),
    "other pixels": replace(OPTIONS, pixels=Normalization(False, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))),
    "another scale": replace(OPTIONS, pixels=Normalization(True, (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))),
    "another shift": replace(OPTIONS, pixels=Normalization(True, (1.0, 1.0, 1.0), (0.0, 0.5, 0.0))),
}


def known() -> str:
    return fingerprint.of_model(b"model", OPTIONS, PROPERTIES, "here")


def test_the_same_has_the_same() -> None:
    again = replace(OPTIONS, ranges={"Conv.1": LayerRange(-1.0, GREATEST.copy())})
    assert fingerprint.of_model(b"model", again, dict(PROPERTIES), "here") == known()


@pytest.mark.parametrize("options", CHANGES.values(), ids=CHANGES)
def test_every_option_counts(options: SessionOptions) -> None:
    assert fingerprint.of_model(b"model", options, PROPERTIES, "here") != known()


def test_no_option_is_forgotten() -> None:
    names = [field.name for field in fields(SessionOptions)]
    changed = [
        name for name in names for other in CHANGES.values() if getattr(other, name) is not getattr(OPTIONS, name)
    ]
    assert set(changed) == set(names)


def test_file_properties_and_surroundings_count() -> None:
    assert fingerprint.of_model(b"another", OPTIONS, PROPERTIES, "here") != known()
    assert fingerprint.of_model(b"model", OPTIONS, {"NUM_STREAMS": 2}, "here") != known()
    assert fingerprint.of_model(b"model", OPTIONS, PROPERTIES, "there") != known()


def test_processor_library_and_code_count(monkeypatch: pytest.MonkeyPatch) -> None:
    here = fingerprint.of_surroundings("openvino 1")
    assert fingerprint.of_surroundings("openvino 1") == here
    assert fingerprint.of_surroundings("openvino 2") != here
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "cpu_model", lambda: "another processor")
        assert fingerprint.of_surroundings("openvino 1") != here
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "cpu_features", lambda: frozenset({"amx_bf16"}))
        assert fingerprint.of_surroundings("openvino 1") != here


def test_the_code_that_changes_models_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "rewrite" / "gates.py"
    code.parent.mkdir()
    code.write_text("a = 1\n")
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
    before = fingerprint.of_surroundings("openvino 1")
    code.write_text("a = 2\n")
    assert fingerprint.of_surroundings("openvino 1") != before
