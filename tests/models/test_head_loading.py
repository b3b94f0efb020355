"""What a recogniser's head is made of when its file is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shizi.errors import ModelLoadFailed
from shizi.models.charset import Charset
from shizi.models.common import common_classes
from shizi.models.head import LinearHead, WholeHead, load_recognizer
from shizi.models.streams import Streams
from shizi.runtime.base import Batch, Runtime, SessionOptions
from shizi.runtime.fake import FakeRuntime
from shizi.runtime.onnx import OnnxRuntime
from shizi.runtime.openvino import OpenVinoRuntime
from tests.models import reader_file
from tests.runtime.onnx_file import doubling

OPTIONS = SessionOptions(1, few_shapes=True)
FEATURES = 16
CHARACTERS = ("", *map(chr, range(0x4E00, 0x4E00 + 5000)), " ")


@pytest.fixture(scope="module", params=[OnnxRuntime, OpenVinoRuntime])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    made: Runtime = request.param()
    return made


def large(folder: Path, characters: int = len(CHARACTERS)) -> tuple[Path, Charset]:
    """A recogniser with a random layer of so many classes; a feature's place is a class that it shows by far."""
    random = np.random.default_rng(11)
    weights = random.standard_normal((FEATURES, characters)).astype(np.float32)
    weights[np.arange(FEATURES), np.linspace(0, characters - 1, FEATURES).astype(int)] = 20
    bias = random.standard_normal(characters).astype(np.float32)
    layer = (reader_file.tensor("w", weights), reader_file.tensor("b", bias))
    path = folder / "large.onnx"
    path.write_bytes(reader_file.model([*reader_file.TAIL, reader_file.SOFTMAX], layer))
    return path, Charset(CHARACTERS[:characters])


def shown(count: int, width: int) -> Batch:
    """Columns each of which shows one feature."""
    features = np.random.default_rng(12).integers(0, FEATURES, (count, width))
    return np.eye(FEATURES, dtype=np.float32)[features]


@pytest.mark.parametrize("sure", [15.0, 1e9])
def test_a_large_layer_reads_the_same_with_a_shortlist(runtime: Runtime, tmp_path: Path, sure: float) -> None:
    path, charset = large(tmp_path)
    common = common_classes(charset.characters)
    session, make_head = load_recognizer(runtime, path, OPTIONS, charset, sure)
    batch = shown(3, 40)
    assert session.run(batch, np.shape) == (3, 40, len(common) + FEATURES)
    head = make_head(None)
    assert isinstance(head, LinearHead)
    columns = session.run(batch, head.look)
    assert 0 < columns.unsettled.size <= 120
    assert (columns.unsettled.size == 120) is (sure > 100)
    streams = Streams(1)
    head.settle([columns], streams)
    streams.close()
    whole = runtime.load(path, OPTIONS).run(batch, np.copy)
    assert len(np.unique(columns.classes)) == FEATURES
    assert np.array_equal(columns.classes, whole.argmax(axis=2))
    asked = columns.classes > 0
    assert columns.scores[asked] == pytest.approx(whole.max(axis=2)[asked], abs=0.001)


@pytest.mark.parametrize(("characters", "sure"), [(4096, 15.0), (len(CHARACTERS), None)])
def test_a_small_layer_and_one_that_is_never_sure_have_no_shortlist(
    runtime: Runtime, tmp_path: Path, characters: int, sure: float | None
) -> None:
    path, charset = large(tmp_path, characters)
    session, make_head = load_recognizer(runtime, path, OPTIONS, charset, sure)
    batch = shown(1, 50)
    assert session.run(batch, np.copy) == pytest.approx(2 * batch)
    columns = session.run(batch, make_head(None).look)
    assert columns.unsettled.size == 0
    assert np.array_equal(columns.classes, runtime.load(path, OPTIONS).run(batch, np.copy).argmax(axis=2))


def test_a_model_without_such_a_layer_is_loaded_whole(tmp_path: Path) -> None:
    model = doubling(tmp_path / "m.onnx")
    session, make_head = load_recognizer(OnnxRuntime(), model, SessionOptions(1), Charset(("", "a")), 18.0)
    batch = np.ones((1, 1, 2, 2), dtype=np.float32)
    assert session.run(batch, np.max) == 2
    assert isinstance(make_head(None), WholeHead)
    restricted = make_head(np.array([0, 1]))
    assert isinstance(restricted, WholeHead)
    assert restricted.allowed is not None


@pytest.mark.parametrize("content", [b"this is no model", b"\x3a\x04\x0a\xff\xff\xff", None])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    model = tmp_path / "junk.onnx"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(ModelLoadFailed, match=r"junk\.onnx is not an ONNX file"):
        load_recognizer(FakeRuntime({}), model, SessionOptions(1), Charset(("",)), None)
