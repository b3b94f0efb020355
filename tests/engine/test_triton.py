"""A standard client of the protocol, which knows nothing of shizi."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, shared_memory

from shizi.engine import fake
from shizi.engine.launch import launch
from shizi.engine.options import EngineProcess, HostOptions
from tests.engine.pages import FAKE

# The package has no types.
Client = Any
Tensor = Any
PIXELS = fake.page(seed=9, height=31, width=17)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[Client]:
    target = f"unix:{tmp_path_factory.mktemp('triton')}/e.sock"
    child = loop.run_until_complete(launch(EngineProcess(target, FAKE, HostOptions(warmup_batches=0)), 30))
    with triton.InferenceServerClient(target) as made:
        yield made
    loop.run_until_complete(child.kill())


def image(pixels: fake.Pixels) -> Tensor:
    made = triton.InferInput("image", pixels.shape, "UINT8")
    made.set_data_from_numpy(pixels)
    return made


def text(result: Tensor) -> object:
    return json.loads(result.as_numpy("page")[0])["text"]


def test_it_lives_is_ready_and_says_what_it_takes(client: Client) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("shizi", "1")
    assert client.get_server_metadata(as_json=True)["extensions"] == ["system_shared_memory"]
    metadata = client.get_model_metadata("shizi", as_json=True)
    assert metadata["inputs"][0] == {"name": "image", "datatype": "UINT8", "shape": ["-1", "-1", "3"]}
    assert metadata["outputs"] == [{"name": "page", "datatype": "BYTES", "shape": ["1"]}]


def test_a_page_in_the_message(client: Client) -> None:
    result = client.infer(
        "shizi", [image(PIXELS)], request_id="mine", parameters={"options": '{"min_score": 0.5}', "deadline_ms": 9000}
    )
    assert text(result) == fake.text_of(PIXELS)
    response = result.get_response()
    assert (response.id, response.model_name, response.model_version) == ("mine", "shizi", "1")
    assert response.parameters["recognize_ms"].double_param == 1.0


def test_a_text_layer_is_an_input_of_bytes(client: Client) -> None:
    layer = json.dumps({"lines": [], "sound": False, "reason": "", "has_images": True, "image_boxes": []})
    second = triton.InferInput("text_layer", [1], "BYTES")
    second.set_data_from_numpy(np.array([layer.encode()], dtype=np.object_))
    assert text(client.infer("shizi", [image(PIXELS), second])) == fake.text_of(PIXELS)


def test_a_page_in_shared_memory(client: Client) -> None:
    block = shared_memory.create_shared_memory_region("page", "/shizi-test-triton", PIXELS.nbytes + 8)
    try:
        shared_memory.set_shared_memory_region(block, [PIXELS], offset=8)
        client.register_system_shared_memory("page", "/shizi-test-triton", PIXELS.nbytes + 8)
        assert list(client.get_system_shared_memory_status().regions) == ["page"]
        made = triton.InferInput("image", PIXELS.shape, "UINT8")
        made.set_shared_memory("page", PIXELS.nbytes, offset=8)
        assert text(client.infer("shizi", [made])) == fake.text_of(PIXELS)
        client.unregister_system_shared_memory("page")
        assert not client.get_system_shared_memory_status().regions
    finally:
        shared_memory.destroy_shared_memory_region(block)


def test_what_is_wrong_is_told_in_words(client: Client) -> None:
    with pytest.raises(InferenceServerException, match="the model 'shizi'"):
        client.infer("yolo", [image(PIXELS)])
    with pytest.raises(InferenceServerException, match="UINT8 of the shape"):
        client.infer("shizi", [image(PIXELS[None])])
    with pytest.raises(InferenceServerException, match="on purpose"):
        client.infer("shizi", [image(fake.page("corrupt"))])


def test_a_socket_is_not_taken_from_an_engine(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    target = f"unix:{tmp_path}/e.sock"
    first = loop.run_until_complete(launch(EngineProcess(target, FAKE, HostOptions(warmup_batches=0)), 30))
    with pytest.raises(Exception, match="another process listens"):
        loop.run_until_complete(launch(EngineProcess(target, FAKE), 30))
    with triton.InferenceServerClient(target) as made:
        assert text(made.infer("shizi", [image(PIXELS)])) == fake.text_of(PIXELS)  # the first one, as before
    loop.run_until_complete(first.kill())
    second = loop.run_until_complete(launch(EngineProcess(target, FAKE, HostOptions(warmup_batches=0)), 30))
    with triton.InferenceServerClient(target) as made:
        assert text(made.infer("shizi", [image(PIXELS)])) == fake.text_of(PIXELS)
    loop.run_until_complete(second.stop(5))
    assert not (tmp_path / "e.sock").exists()
