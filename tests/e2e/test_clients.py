"""Clients, and corrections, at `shizi serve` as it is started."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from shizi import OCR, AsyncClient, Client
from shizi.cli.main import run
from shizi.client import ClientOptions, correction_of
from shizi.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from shizi.serving.keys import KeyStore
from tests.e2e.test_serve import SAMPLES, Serve

INVOICE = SAMPLES / "invoice.png"


@dataclass
class House:
    """A server that strangers may not use, and keys of its tenants."""

    url: str
    keys: dict[str, str]

    def client(self, name: str | None) -> Client:
        return Client(self.url, None if name is None else self.keys[name], options=ClientOptions(attempts=2))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    store = KeyStore(folder / "keys")
    scopes = {"acme": ("ocr", "feedback"), "globex": ("ocr", "feedback"), "reader": ("ocr",)}
    keys = {name: store.create(name, name, scope, None)[0] for name, scope in scopes.items()}
    options = ("--anonymous", "never", "--api-keys", str(folder / "keys"), "--feedback-crops", "acme")
    with Serve(*options, "--data-dir", str(folder)) as serve:
        serve.until_ready()
        yield House(serve.url, keys)


def test_documents_are_read_as_they_are_here(house: House) -> None:
    with OCR(threads=2) as ocr, house.client("reader") as client:
        for name in ("invoice.png", "report.pdf"):
            here, there = ocr.read(SAMPLES / name), client.read(SAMPLES / name)
            assert there.text == here.text
            assert there.models == here.models
        assert client.read(Image.open(INVOICE)).text == ocr.read(INVOICE).text
        assert [page.number for page in client.read(SAMPLES / "report.pdf", pages=[2]).pages] == [2]
        assert "Qingshan" in client.preview(INVOICE).text
        with pytest.raises(InvalidRequest, match="no page 9"):
            client.read(SAMPLES / "report.pdf", pages=[9])
        assert client.ready()
        assert {model.task for model in client.models()} >= {"detect", "recognize"}


def test_many_at_once_on_a_loop(house: House) -> None:
    async def main() -> list[str]:
        async with AsyncClient(house.url, house.keys["reader"]) as client:
            results = client.read_many([INVOICE, SAMPLES / "turned.png"] * 2)
            return [document.text async for document in results if not isinstance(document, Exception)]

    texts = asyncio.run(main())
    assert len(texts) == 4
    assert texts[:2] == texts[2:]
    assert "停电通知" in texts[1]


def test_keys_that_do_not_hold_are_refused(house: House) -> None:
    with house.client(None) as nobody, pytest.raises(Unauthenticated):
        nobody.read(INVOICE)
    with Client(house.url, "shizi_wrong") as wrong, pytest.raises(Unauthenticated):
        wrong.read(INVOICE)


def test_corrections_are_the_tenants_own(house: House) -> None:
    crop = io.BytesIO()
    with house.client("acme") as acme, house.client("globex") as globex, house.client("reader") as reader:
        document = acme.read(INVOICE)
        said = correction_of(INVOICE, document, 1, 1, "青山仪器有限公司 发票")
        assert said.document == hashlib.sha256(INVOICE.read_bytes()).hexdigest()
        Image.open(INVOICE).crop((0, 0, 200, 40)).save(crop, "PNG")
        kept = acme.feedback(said, crop=crop.getvalue())
        assert kept.editor.startswith("key:")
        assert kept.crop_bytes is not None
        assert list(acme.corrections(document=said.document)) == [kept]
        assert list(globex.corrections()) == []
        with pytest.raises(Forbidden, match="feedback_crops"):
            globex.feedback(said, crop=crop.getvalue())
        with pytest.raises(Forbidden, match="`feedback`"):
            reader.feedback(said)


def test_the_command_line_reads_there(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_text(house.keys["reader"] + "\n")
    command = ["read", str(SAMPLES / "turned.png"), "--server", house.url]
    assert run([*command, "--key-file", str(key)]) == 0
    assert "停电通知" in capsys.readouterr().out
    assert run(command) == 77
    assert "UNAUTHENTICATED" in capsys.readouterr().err


def test_a_wrong_path_is_said(house: House) -> None:
    with Client(f"{house.url}/elsewhere", house.keys["reader"]) as client, pytest.raises(NotFound):
        client.read(INVOICE)
