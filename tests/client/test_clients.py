"""Both clients at a server that reads."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from PIL import Image

from shizi import OCR, AsyncClient, Client, Document, ShiziError
from shizi.client import ClientOptions, Correction, correction_of
from shizi.errors import CorruptDocument, EncryptedDocument, InvalidRequest, RateLimited, UnsupportedFormat
from shizi.types import ModelInfo
from tests.client.hostile import Hostile, answer
from tests.serving.processes import LocalServer, not_late_in_a_minute
from tests.serving.test_app import drawn

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as process:
        yield process


def scripted(text: str) -> bytes:
    return f"SCRIPT {text} ".encode()


def test_a_server_reads_what_the_engine_reads(ask: Ask, server: LocalServer) -> None:
    data = drawn("Harbour 2026")
    with OCR() as ocr:
        here = ocr.read(data)
    for source in (data, io.BytesIO(data), Image.open(io.BytesIO(data))):
        there = ask(server.url, "read", source)
        assert isinstance(there, Document)
        assert there.text == here.text == "Harbour 2026"
        assert there.models == here.models
        assert [len(page.lines) for page in there.pages] == [1]
    assert ask(server.url, "read", data, recognize=False).text == ""
    assert ask(server.url, "preview", scripted("side")).text == "1280"


@pytest.mark.parametrize("kind", [CorruptDocument, EncryptedDocument, UnsupportedFormat])
def test_errors_of_documents_are_those_of_the_engine(ask: Ask, server: LocalServer, kind: type[ShiziError]) -> None:
    with pytest.raises(kind, match="as the script says") as caught:
        ask(server.url, "read", scripted(f"raise {kind.__name__}"))
    assert type(caught.value) is kind
    assert caught.value.__notes__[0].startswith("request_id: ")


def test_what_a_server_says_of_itself(ask: Ask, server: LocalServer) -> None:
    assert ask(server.url, "ready") is True
    assert ask(server.url, "models") == (ModelInfo("detect", "drawn", "1", "0" * 64),)
    assert ask(server.url, "capabilities")["schema"] == "shizi/1"


def test_wrong_options_are_refused_before_and_by_the_server(ask: Ask, server: LocalServer) -> None:
    with pytest.raises(InvalidRequest, match="min_score"):
        ask(server.url, "read", scripted("say"), min_score=2)
    with pytest.raises(InvalidRequest, match="timeout"):
        ask(server.url, "read", scripted("say"), timeout=10_000)
    with pytest.raises(TypeError):
        ask(server.url, "read", scripted("say"), colour="red")


SOURCES = [scripted("wait 0.3"), scripted("raise CorruptDocument"), scripted("say"), scripted("side"), scripted("say")]


def texts(results: list[Document | ShiziError]) -> list[str]:
    return [result.text if isinstance(result, Document) else result.code for result in results]


def test_many_are_read_side_by_side_and_come_in_order(server: LocalServer) -> None:
    expected = ["said", "CORRUPT_DOCUMENT", "said", "None", "said"]
    with Client(server.url) as client:
        assert texts(list(client.read_many(SOURCES, on_error="return"))) == expected
        with pytest.raises(CorruptDocument):
            list(client.read_many(SOURCES))

    async def main() -> None:
        async with AsyncClient(server.url) as client:
            assert texts([result async for result in client.read_many(SOURCES, on_error="return")]) == expected
            with pytest.raises(CorruptDocument):
                [result async for result in client.read_many(SOURCES)]

    asyncio.run(main())


def test_sources_are_taken_as_results_are() -> None:
    taken: list[int] = []

    def sources() -> Iterator[bytes]:
        for number in range(50):
            taken.append(number)
            yield b"document"

    with Hostile([answer("422 No", b"{}")]) as hostile:
        with Client(hostile.url, options=ClientOptions(concurrency=2)) as client:
            results = client.read_many(sources(), on_error="return")
            next(results)
            assert len(taken) <= 4
            cast(Generator[object, None, None], results).close()

        async def main() -> None:
            async with AsyncClient(hostile.url, options=ClientOptions(concurrency=2)) as client:
                taken.clear()
                results = client.read_many(sources(), on_error="return")
                await anext(results)
                assert len(taken) <= 4
                await cast(AsyncGenerator[object, None], results).aclose()

        asyncio.run(main())


def test_threads_share_a_client(server: LocalServer) -> None:
    found: list[str] = []
    with Client(server.url, options=ClientOptions(concurrency=8)) as client:
        threads = [threading.Thread(target=lambda: found.append(client.read(scripted("say")).text)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["said"] * 16


def test_a_quota_is_said_with_its_pause() -> None:
    with (
        LocalServer(service={"quota": 2}) as limited,
        Client(limited.url, options=ClientOptions(longest_pause_s=1)) as client,
    ):
        not_late_in_a_minute()
        client.read(scripted("say"))
        client.read(scripted("say"))
        with pytest.raises(RateLimited) as caught:
            client.read(scripted("say"))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 1


def test_a_correction_is_made_from_a_result(server: LocalServer) -> None:
    data = drawn("Harbour 2026")
    with Client(server.url) as client:
        document = client.read(data)
    made = correction_of(data, document, 1, 1, "Harbor 2026")
    assert (made.original, made.correction, made.page, made.line) == ("Harbour 2026", "Harbor 2026", 1, 1)
    assert made.polygon == document.pages[0].lines[0].polygon
    assert made.model == next(model.name for model in document.models if model.task == "recognize")
    for page, line in ((1, 0), (1, 2), (2, 1)):
        with pytest.raises(InvalidRequest, match="no line"):
            correction_of(data, document, page, line, "x")


SAID = Correction(
    document="0" * 64, page=1, line=1, polygon=((1, 2), (3, 2), (3, 4), (1, 4)), original="a", correction="b", model="m",
    model_version="1",
)  # fmt: skip
KEPT = (
    b'{"id":"fb_%s","document":"x","page":1,"line":1,"polygon":[[1,2],[3,2],[3,4],[1,4]],"original":"a","correction":"b",'
    b'"model":"m","model_version":"1","editor":"key:1","created":"2026-11-21T08:15:30.120Z","crop_bytes":null}'
)


def test_corrections_are_sent_and_listed_to_their_end(ask: Ask) -> None:
    pages = [
        b'{"corrections":[%s],"next":"fb_1"}' % (KEPT % b"1"),
        b'{"corrections":[%s],"next":null}' % (KEPT % b"2"),
    ]
    with Hostile([answer("201 Created", KEPT % b"0")]) as server:
        assert ask(server.url, "feedback", SAID, crop=b"png").id == "fb_0"
        assert b'"crop": "cG5n"' in server.requests[0]
    with Hostile([answer("201 Created", KEPT % b"0")]) as server:
        assert ask(server.url, "feedback", SAID).created == datetime(2026, 11, 21, 8, 15, 30, 120_000, UTC)
    with Hostile(*[[answer("200 OK", page)] for page in pages]) as server, Client(server.url) as client:
        assert [kept.id for kept in client.corrections(document="x")] == ["fb_1", "fb_2"]
        assert b"after=fb_1" in server.requests[1]

    async def main(url: str) -> list[str]:
        async with AsyncClient(url) as client:
            return [kept.id async for kept in client.corrections()]

    with Hostile(*[[answer("200 OK", page)] for page in pages]) as server:
        assert asyncio.run(main(server.url)) == ["fb_1", "fb_2"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b'{"corrections": 7}', b'{"corrections": [], "next": "fb_1"}', b'{"corrections": [7], "next": null}',
        b'{"corrections": [{"id": "x"}], "next": null}', b'{"corrections":[%s],"next":""}' % (KEPT % b"1"),
        b'{"corrections":[%s],"next":null}' % (KEPT % b"1").replace(b"[1,2]", b'["x",2]'),
        b'{"corrections":[%s],"next":null}' % (KEPT % b"1").replace(b'"page":1', b'"page":"1"'),
        *(
            b'{"corrections":[%s],"next":null}' % (KEPT % b"1").replace(b'"2026-11-21T08:15:30.120Z"', created)
            for created in (b"1.5", b"null", b'"yesterday"', b'"2026-11-21T08:15:30"')
        ),
    ],
)  # fmt: skip
def test_lists_that_are_none_are_refused(body: bytes) -> None:
    with Hostile([answer("200 OK", body)]) as server, Client(server.url) as client:
        with pytest.raises(ShiziError, match="cannot be understood"):
            list(client.corrections())
        assert len(server.requests) == 1
