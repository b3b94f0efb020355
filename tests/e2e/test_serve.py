"""`shizi serve` as it is started: sandbox, engine and HTTP in processes of their own."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import httpx
import pytest
from PIL import Image

from shizi import OCR
from shizi.export import export, from_json
from tests.serving.processes import WAIT_S, Process, until

SAMPLES = Path(__file__).parent.parent.parent / "samples"
NAMES = ("invoice.png", "receipt.jpg", "report.pdf", "turned.png")


class Serve(Process):
    """The command, and a client of it."""

    def __init__(self, *options: str) -> None:
        super().__init__(["-m", "shizi", "serve", "--port", "0", "--pre-stop", "1", "--threads", "2", *options])
        self.url = self.line("shizi serve: ").split()[-1]
        self.client = httpx.Client(base_url=self.url, timeout=WAIT_S, trust_env=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        super().__exit__(kind, error, trace)

    def until_ready(self) -> None:
        until(lambda: self.client.get("/readyz").status_code == 200, WAIT_S)


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    with Serve() as process:
        process.until_ready()
        yield process


def test_samples_read_as_they_do_without_a_server(serve: Serve) -> None:
    with OCR(threads=2) as ocr:
        for name in NAMES:
            expected = export(ocr.read(SAMPLES / name), "text").decode()
            answer = serve.client.post(
                "/v1/ocr", files={"file": (SAMPLES / name).read_bytes()}, params={"format": "text"}
            )
            assert answer.text == expected, name


def test_pages_parameters_and_formats_reach_the_engine(serve: Serve) -> None:
    files = {"file": (SAMPLES / "report.pdf").read_bytes()}
    document = from_json(serve.client.post("/v1/ocr", files=files, params={"pages": "2"}).content)
    assert [page.number for page in document.pages] == [2]
    assert {model.task for model in document.models} >= {"detect", "recognize"}
    drawn = serve.client.post("/v1/ocr", files=files, params={"format": "pdf", "text_layer": "ignore"})
    assert drawn.content.startswith(b"%PDF-")
    wrong = serve.client.post("/v1/ocr", files=files, params={"pages": "9"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "INVALID_REQUEST")
    unknown = serve.client.post("/v1/ocr", files=files, params={"languages": "xx", "text_layer": "ignore"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "INVALID_REQUEST")


def test_a_preview_reads_most_of_a_large_page(serve: Serve) -> None:
    image = Image.open(SAMPLES / "invoice.png").convert("RGB")
    large = image.resize((image.width * 2, image.height * 2))
    file = io.BytesIO()
    large.save(file, "JPEG", quality=85)
    body = serve.client.post("/v1/preview", files={"file": file.getvalue()}).json()
    assert body["preview"] is True
    assert (body["pages"][0]["width"], body["pages"][0]["height"]) == large.size
    assert "Qingshan Instruments" in body["text"]
    last = next(line for line in body["pages"][0]["lines"] if "Page 1 of 1" in line["text"])
    assert last["polygon"][0][1] > 0.9 * large.height


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        (b"GIF89a" + bytes(50), 415, "UNSUPPORTED_FORMAT"),
        (b"", 422, "CORRUPT_DOCUMENT"),
        (b"\x89PNG\r\n\x1a\n" + b"no png at all", 422, "CORRUPT_DOCUMENT"),
        ((SAMPLES / "receipt.jpg").read_bytes()[:3000], 422, "CORRUPT_DOCUMENT"),
    ],
)
def test_documents_that_cannot_be_read_cost_themselves_alone(
    serve: Serve, document: bytes, status: int, code: str
) -> None:
    answer = serve.client.post("/v1/ocr", files={"file": ("SECRET.png", document)})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "shizi-" not in answer.text
    assert serve.client.post("/v1/ocr", files={"file": (SAMPLES / "turned.png").read_bytes()}).status_code == 200
    assert "SECRET" not in "".join(serve.err)


def test_it_reads_while_it_is_told_to_end_and_ends_well() -> None:
    with Serve("--pre-stop", "5") as serve:
        assert serve.client.get("/healthz").status_code == 200
        early = serve.client.get("/readyz")
        assert early.status_code == 200 or early.json()["code"] == "ENGINE_UNAVAILABLE"
        serve.until_ready()
        data = (SAMPLES / "turned.png").read_bytes()
        codes: list[int] = []

        def ask() -> None:
            with httpx.Client(base_url=serve.url, timeout=WAIT_S, trust_env=False) as client:
                while True:
                    try:
                        codes.append(client.post("/v1/ocr", files={"file": data}).status_code)
                    except httpx.ConnectError:
                        return
                    except (httpx.ReadError, httpx.RemoteProtocolError):
                        return  # closed before the request was taken; those that were are in the log

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        until(lambda: len(codes) > 3, WAIT_S)
        serve.signal(signal.SIGTERM)
        until(lambda: serve.client.get("/readyz").status_code == 503)
        assert serve.wait() == 0
        for thread in asking:
            thread.join()
        assert set(codes) == {200}
        assert {line["status"] for line in serve.log() if line.get("route") == "/v1/ocr"} == {200}
        assert sum(line.get("route") == "/v1/ocr" for line in serve.log()) == len(codes)


def test_it_does_not_listen_to_the_world_without_being_told() -> None:
    with Process(["-m", "shizi", "serve", "--host", "0.0.0.0", "--port", "0"]) as refused:
        assert refused.wait() == 2
        assert any("nobody could use this server" in line for line in refused.err)


def test_an_address_that_is_taken_is_said(serve: Serve) -> None:
    port = serve.url.rpartition(":")[2]
    with Process(["-m", "shizi", "serve", "--port", port]) as refused:
        assert refused.wait() == 2
        assert any(f"port {port}" in line for line in refused.err)
