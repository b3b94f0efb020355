"""Whatever changes a compiled model changes its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def surroundings(library: str = "openvino 1") -> str | None:
    """As a new process sees them."""
    fingerprint.of_surroundings.cache_clear()
    return fingerprint.of_surroundings(library)


def test_processor_and_library_count(monkeypatch: pytest.MonkeyPatch) -> None:
    here = surroundings()
    assert here is not None
    assert surroundings() == here
    assert surroundings("openvino 2") != here
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "cpu_model", lambda: "another processor")
        assert surroundings() != here
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "cpu_features", lambda: frozenset({"amx_bf16"}))
        assert surroundings() != here
    with monkeypatch.context() as patch:
        patch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
        assert surroundings() != here
    assert surroundings() == here


@pytest.mark.parametrize("file", ["runtime/rewrite/gates.py", "onnx/graph.py"])
def test_the_code_that_changes_models_counts_as_it_was_when_it_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    code = tmp_path / file
    code.parent.mkdir(parents=True)
    code.write_text("a = 1\n")
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "runtime" / "fingerprint.py"))
    before = surroundings()
    code.write_text("a = 2\n")
    assert fingerprint.of_surroundings("openvino 1") == before
    assert surroundings() != before


def test_where_the_code_cannot_be_seen_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
    assert surroundings() is None
    (tmp_path / "gates.py").symlink_to(tmp_path / "nowhere")
    assert surroundings() is None


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What was made up here must not be known to the next test."""
    yield
    fingerprint.of_surroundings.cache_clear()
