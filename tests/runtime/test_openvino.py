"""OpenVINO behind the protocol."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from shizi.errors import OutOfMemory
from shizi.models.card import DEFAULT_TIER
from shizi.models.ranges import known_ranges
from shizi.models.store import ModelStore
from shizi.runtime.base import Batch, SessionOptions
from shizi.runtime.compiled import CompiledModels
from shizi.runtime.fingerprint import of_model
from shizi.runtime.openvino import OpenVinoRuntime, OpenVinoSession, faster
from shizi.runtime.rewrite.content import rewritten
from shizi.runtime.rewrite.linear import pool_early
from tests.runtime import sessions
from tests.runtime.onnx_file import doubling, node
from tests.runtime.onnx_file import model as onnx_model


@pytest.fixture(scope="module")
def runtime() -> OpenVinoRuntime:
    return OpenVinoRuntime()


def test_it_runs_models(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.runs_and_hands_over_the_output(runtime, tmp_path)


def test_a_reader_that_fails_blocks_nobody(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.survives_a_reader_that_fails(runtime, tmp_path)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_many_threads_share_a_session(runtime: OpenVinoRuntime, tmp_path: Path, concurrency: int) -> None:
    sessions.serves_many_threads(runtime, tmp_path, concurrency)


def test_it_makes_numbers_of_pixels(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.makes_numbers_of_pixels(runtime, tmp_path)


def test_what_is_no_model_is_refused(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.refuses_what_is_no_model(runtime, tmp_path)


class Stale:
    """A model and its one request as they behave where memory runs out: `infer` says nothing and leaves the output of the run
    before in place, `wait` raises."""

    def __init__(self) -> None:
        self.output = np.zeros((1, 2), dtype=np.float32)
        self.full = False

    def create_infer_request(self) -> Stale:
        return self

    def set_input_tensor(self, batch: weakref.ref[Batch]) -> None:
        self.input = batch

    def infer(self) -> None:
        batch = self.input()
        assert batch is not None, "the batch is gone, whose memory would be looked at"
        if not self.full:
            self.output = 2 * batch

    def start_async(self) -> None:
        self.infer()

    def wait(self) -> None:
        if self.full:
            raise RuntimeError("could not allocate")

    def get_output_tensor(self, index: int) -> SimpleNamespace:
        assert index == 0
        return SimpleNamespace(data=self.output)


def of_fake(model: Stale) -> OpenVinoSession:
    def tensor(batch: Batch, *, shared_memory: bool) -> weakref.ref[Batch]:
        assert shared_memory
        return weakref.ref(batch)  # neither a tensor nor a request keeps it

    return OpenVinoSession(cast(Any, model), SessionOptions(1), cast(Any, tensor))


def test_a_run_without_memory_never_gives_the_output_of_the_run_before() -> None:
    model = Stale()
    session = of_fake(model)
    assert session.run(np.ones((1, 2), dtype=np.float32), np.sum) == 4
    model.full = True
    for _ in range(2):
        with pytest.raises(OutOfMemory, match=r"a batch of shape \(1, 2\): could not allocate"):
            session.run(np.full((1, 2), 5, dtype=np.float32), np.sum)
    model.full = False
    assert session.run(np.full((1, 2), 5, dtype=np.float32), np.sum) == 20


def test_a_copy_of_a_batch_lives_until_the_end_of_the_run() -> None:
    locked = np.ones((2, 2), dtype=np.float32)
    locked.flags.writeable = False
    assert of_fake(Stale()).run(locked[:, ::-1], np.sum) == 8


def test_an_answer_to_another_batch_is_refused() -> None:
    class Silent(Stale):
        def wait(self) -> None:
            self.output = np.zeros((1, 2), dtype=np.float32)

    session = of_fake(Silent())
    with pytest.raises(OutOfMemory, match=r"1 results to a batch of shape \(3, 2\)"):
        session.run(np.ones((3, 2), dtype=np.float32), np.sum)


def test_one_thread_at_a_time_looks_at_graphs(
    runtime: OpenVinoRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once may wait for each other for ever when they are the first ones of the process."""
    inside: list[int] = []
    busy = 0

    def watched(network: object, _options: SessionOptions) -> object:
        nonlocal busy
        busy += 1
        inside.append(busy)
        sleep(0.01)
        busy -= 1
        return network

    monkeypatch.setattr("shizi.runtime.openvino.faster", watched)
    model = doubling(tmp_path / "m.onnx")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: runtime.load(model, SessionOptions(threads=1)), range(8)))
    assert inside == [1] * 8


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[SessionOptions]:
    """The options of every model that is compiled from now on."""
    seen: list[SessionOptions] = []

    def watched(network: object, options: SessionOptions) -> object:
        seen.append(options)
        return faster(cast(Any, network), options)

    monkeypatch.setattr("shizi.runtime.openvino.faster", watched)
    return seen


def doubled(runtime: OpenVinoRuntime, model: Path, options: SessionOptions) -> bool:
    batch = sessions.numbers(1, (1, 3, 4, 8))
    return runtime.load(model, options).run(batch, lambda output: np.array_equal(output, 2 * batch))


def test_a_model_is_compiled_once(tmp_path: Path, compilations: list[SessionOptions]) -> None:
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    one, two = SessionOptions(1), SessionOptions(1, concurrency=2)
    for options in (one, one, two, two, one):
        assert doubled(OpenVinoRuntime(kept), model, options)
    assert compilations == [one, two]


def test_a_file_that_changed_is_compiled_anew(tmp_path: Path, compilations: list[SessionOptions]) -> None:
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    runtime = OpenVinoRuntime(kept)
    assert doubled(runtime, model, SessionOptions(1))
    model.write_bytes(onnx_model([node("Mul", ["x", "x"], "y")]))
    squared = runtime.load(model, SessionOptions(1)).run(np.full((1, 1, 1, 1), 3, dtype=np.float32), np.max)
    assert squared == 9
    assert len(compilations) == 2


@pytest.mark.parametrize("content", [b"", b"no model at all", bytes(10_000)])
def test_what_openvino_does_not_take_is_compiled_anew(
    tmp_path: Path, compilations: list[SessionOptions], monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr("shizi.runtime.openvino.of_model", lambda *_: "key")
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    kept.put("key", content)
    for _ in range(2):
        assert doubled(OpenVinoRuntime(kept), model, SessionOptions(1))
    assert len(compilations) == 1


def test_what_is_kept_is_what_the_key_says_though_the_file_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    right = model.read_bytes()

    def swapped(*facts: Any) -> str:  # noqa: ANN401 (as the one that it stands for)
        model.write_bytes(onnx_model([node("Mul", ["x", "x"], "y")]))
        return of_model(*facts)

    with monkeypatch.context() as patch:
        patch.setattr("shizi.runtime.openvino.of_model", swapped)
        assert doubled(OpenVinoRuntime(kept), model, SessionOptions(1))
    model.write_bytes(right)
    assert doubled(OpenVinoRuntime(kept), model, SessionOptions(1))


@pytest.mark.parametrize("error", [RuntimeError("cannot be exported"), MemoryError()])
def test_what_cannot_be_kept_runs_all_the_same(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(CompiledModels, "put", fail)
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    assert doubled(OpenVinoRuntime(kept), model, SessionOptions(1))
    assert "is not kept" in caplog.text


def test_without_a_fingerprint_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.runtime.openvino.of_surroundings", lambda _: None)
    model, kept = doubling(tmp_path / "m.onnx"), CompiledModels(tmp_path / "compiled")
    assert doubled(OpenVinoRuntime(kept), model, SessionOptions(1))
    assert not (tmp_path / "compiled").exists()


def test_what_is_no_model_is_refused_and_not_kept(tmp_path: Path) -> None:
    sessions.refuses_what_is_no_model(OpenVinoRuntime(CompiledModels(tmp_path / "compiled")), tmp_path)
    assert not (tmp_path / "compiled").exists()


@pytest.mark.usefixtures("runtime")
def test_a_recogniser_averages_early_and_its_layers_keep_their_names() -> None:
    store = ModelStore()
    name = store.catalog.tier(DEFAULT_TIER).names[1]
    content = store.path(name).read_bytes()
    changed = rewritten(content, [pool_early])
    assert changed is not None
    import openvino  # once a runtime has kept it from calling home

    kept = {node.get_friendly_name() for node in openvino.Core().read_model(changed).get_ordered_ops()}
    assert set(known_ranges(store.card(name))) <= kept
