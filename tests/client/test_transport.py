"""Clients of servers that break, lie, dawdle, and lead elsewhere."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from shizi import Client, errors
from shizi.client import ClientOptions
from shizi.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    ImageTooLarge,
    InvalidRequest,
    NotFound,
    RateLimited,
    ShiziError,
    Unauthenticated,
)
from tests.client.hostile import Hostile, answer, closed_port

Ask = Callable[..., Any]
DOCUMENT = {"schema": "shizi/1", "text": "", "pages": [], "models": [], "timings_ms": {}}
GOOD = answer("200 OK", json.dumps(DOCUMENT).encode())
QUICK = ClientOptions(timeout_s=5, attempts=1)


def problem(code: str, status: str, *headers: str, **more: object) -> bytes:
    body = {"code": code, "detail": "as it is", "status": int(status.split()[0]), **more}
    return answer(status, json.dumps(body).encode(), "Content-Type: application/problem+json", *headers)


def failing(ask: Ask, server: Hostile, options: ClientOptions = QUICK, **named: Any) -> ShiziError:  # noqa: ANN401
    """The error of reading; never one of another library."""
    with pytest.raises(ShiziError) as caught:
        ask(server.url, "read", b"document", options=options, **named)
    return caught.value


@pytest.mark.parametrize(
    ("steps", "kind", "words"),
    [
        ([], EngineUnavailable, "broke"),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], EngineUnavailable, "broke"),
        ([answer("200 OK", b'{"schema"', length=500)], EngineUnavailable, "broke"),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], EngineUnavailable, "broke"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], EngineUnavailable, "broke"),
        ([answer("200 OK", b"<html>")], ShiziError, "no JSON"),
        ([answer("200 OK", b"[" * 100_000)], ShiziError, "no JSON"),
        ([answer("200 OK", b"{}")], ShiziError, "no document"),
        ([answer("200 OK", b"[]")], ShiziError, "no document"),
        ([answer("200 OK", b'{"schema": "shizi/2"}')], ShiziError, "no document"),
        ([answer("200 OK", b'{"schema": "shizi/1", "pages": NaN}')], ShiziError, "no JSON"),
        ([answer("200 OK", b"\x1f\x8b", "Content-Encoding: gzip")], ShiziError, "compressed"),
        ([answer("502 Bad Gateway", b"<html>")], EngineUnavailable, "answers 502"),
        ([answer("500 Oh", b"[]")], ShiziError, "answers 500"),
        ([answer("401 No", b"")], Unauthenticated, "answers 401"),
        ([answer("404 No", b'{"code": 7, "detail": ["x"]}')], NotFound, "answers 404"),
        ([answer("418 Tea", b"{}")], InvalidRequest, "answers 418"),
        ([answer("413 Large", b"x" * 70_000)], ImageTooLarge, "answers 413"),
        ([problem("A_NEWER_ERROR", "409 Conflict")], InvalidRequest, "as it is"),
        ([problem("CORRUPT_DOCUMENT", "422 No")], errors.CorruptDocument, "as it is"),
        ([problem("TIMEOUT", "504 No")], DeadlineExceeded, "as it is"),
    ],
)
def test_whatever_comes_becomes_an_error_of_shizi(
    ask: Ask, steps: list[bytes], kind: type[ShiziError], words: str
) -> None:
    with Hostile(steps) as server:
        error = failing(ask, server)
    assert type(error) is kind
    assert words in str(error)


def test_an_error_carries_the_requests_id_as_a_note(ask: Ask) -> None:
    with Hostile([problem("FORBIDDEN", "403 No", "X-Request-ID: 5f0c1a9be2d47386")]) as server:
        assert failing(ask, server).__notes__ == ["request_id: 5f0c1a9be2d47386"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 There", "308 There"])
def test_no_redirect_is_followed(ask: Ask, status: str) -> None:
    with Hostile([GOOD]) as other, Hostile([answer(status, b"", f"Location: {other.url}/v1/ocr")]) as server:
        error = failing(ask, server, key="shizi_secret")
        assert other.requests == []
        assert len(server.requests) == 1
    assert isinstance(error, InvalidRequest)
    assert "leads to" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        [answer("200 OK", b"", length=10**12)],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"10000\r\n" + b" " * 65536 + b"\r\n"] * 40],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 65536] * 40],
    ],
)
def test_answers_are_bounded(ask: Ask, body: list[bytes]) -> None:
    with Hostile(body) as server:
        error = failing(ask, server, ClientOptions(timeout_s=10, max_answer_bytes=1_000_000))
    assert isinstance(error, ImageTooLarge)
    assert "max_answer_bytes" in str(error)


@pytest.mark.parametrize(
    "steps",
    [
        [30.0],
        [b"HTTP/1.1 200 OK\r\n", 30.0],
        [answer("200 OK", b"{", length=100), 30.0],
        [answer("200 OK", b"{", length=10_000), *[b" ", 0.05] * 200],
    ],
)
def test_silence_and_drops_end_in_time(ask: Ask, steps: list[bytes | float]) -> None:
    start = time.monotonic()
    with Hostile(steps) as server:
        error = failing(ask, server, ClientOptions(timeout_s=0.6))
        took = time.monotonic() - start
    assert isinstance(error, DeadlineExceeded)
    assert took < 20  # of thirty seconds of silence


def test_headers_without_end_are_bounded(ask: Ask) -> None:
    with Hostile([b"HTTP/1.1 200 OK\r\n", *[b"X-Header: " + b"x" * 8000 + b"\r\n"] * 40]) as server:
        assert isinstance(failing(ask, server), EngineUnavailable)


def test_what_was_not_begun_is_tried_again_after_the_pause_that_is_asked_for(ask: Ask) -> None:
    busy = problem("OVERLOADED", "429 Busy", "Retry-After: 1", retryable=True)
    with Hostile([busy], [answer("503 Gone", b"", "Retry-After: 0")], [GOOD]) as server:
        start = time.monotonic()
        assert ask(server.url, "read", b"document").pages == ()
        assert time.monotonic() - start >= 1
        assert len(server.requests) == 3
        bodies = {
            request.partition(b"\r\n\r\n")[2].split(b"\r\n", 1)[1].count(b"document") for request in server.requests
        }
    assert len(bodies) == 1


def test_a_longer_pause_than_is_allowed_is_the_callers_to_wait(ask: Ask) -> None:
    with Hostile([problem("RATE_LIMITED", "429 Busy", "Retry-After: 3600")]) as server:
        error = failing(ask, server, ClientOptions(longest_pause_s=5))
        assert len(server.requests) == 1
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3600


@pytest.mark.parametrize(
    "steps",
    [
        [problem("OUT_OF_DATE", "500 Oh")],
        [problem("TIMEOUT", "504 Late")],
        [problem("MODEL_LOAD_FAILED", "503 No")],
        [answer("502 Bad Gateway", b"")],
        [answer("200 OK", b"{", length=100)],
        [],
    ],
)
def test_what_may_have_been_begun_is_not_tried_again(ask: Ask, steps: list[bytes]) -> None:
    with Hostile(steps) as server:
        failing(ask, server, ClientOptions())
        assert len(server.requests) == 1


def test_attempts_have_an_end(ask: Ask) -> None:
    with Hostile([answer("503 No", b"", "Retry-After: 0")]) as server:
        assert isinstance(failing(ask, server, ClientOptions(attempts=3)), EngineUnavailable)
        assert len(server.requests) == 3


def test_nobody_listens(ask: Ask) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    start = time.monotonic()
    with pytest.raises(EngineUnavailable, match="nobody listens"):
        ask(url, "read", b"document", options=ClientOptions(attempts=2))
    assert 0.4 < time.monotonic() - start < 5
    assert ask(url, "ready") is False


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1:{port}", "http://nobody.invalid:{port}"],
)
def test_servers_that_cannot_be_reached_or_known_are_not_tried_again(ask: Ask, url: str) -> None:
    with Hostile([GOOD]) as server:
        with pytest.raises(EngineUnavailable):
            ask(
                url.format(port=server.url.rpartition(":")[2]),
                "read",
                b"document",
                options=ClientOptions(connect_timeout_s=0.5),
            )
        assert len(server.requests) <= 1


def test_a_stream_is_not_sent_twice_and_a_file_is(ask: Ask) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    busy = answer("503 No", b"", "Retry-After: 0")
    with Hostile([busy], [GOOD]) as server:
        with pytest.raises(EngineUnavailable):
            ask(server.url, "read", Pipe(b"document"))
        assert b"transfer-encoding: chunked" in server.requests[0].lower()
    with Hostile([busy], [GOOD]) as server:
        file = io.BytesIO(b"before-document")
        file.seek(7)
        assert ask(server.url, "read", file).pages == ()
        for request in server.requests:
            assert b"\r\n\r\ndocument\r\n" in request
            assert b"before" not in request


@pytest.mark.parametrize("lie", [-3, 3])
def test_a_file_that_changes_while_it_is_sent_is_not_half_a_document(ask: Ask, lie: int) -> None:
    class Changing(io.BytesIO):
        def seek(self, to: int, whence: int = 0) -> int:
            return super().seek(to, whence) + (lie if whence == io.SEEK_END else 0)

    with Hostile([1.0], take_body=False) as server, pytest.raises(InvalidRequest, match="changed its size"):
        ask(server.url, "read", Changing(b"document"))


def test_an_answer_before_the_end_of_the_upload_is_heard(ask: Ask) -> None:
    def linger(connection: Any) -> None:  # noqa: ANN401
        while connection.recv(65536):
            pass

    refusal = problem("IMAGE_TOO_LARGE", "413 Large")
    with Hostile([refusal, linger], take_body=False) as server, pytest.raises(ImageTooLarge, match="as it is"):
        ask(server.url, "read", bytes(30_000_000), options=ClientOptions(timeout_s=20))


def test_a_request_says_what_it_must_and_no_more(ask: Ask) -> None:
    with Hostile([GOOD]) as server:
        prefixed = f"{server.url}/ocr/"
        ask(prefixed, "read", b"document", key="shizi_k", pages=[1, 2, 3, 7], password="pass 识字", timeout=9)
        [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /ocr/v1/ocr HTTP/1.1\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "authorization: bearer shizi_k" in lines
    assert "accept-encoding: identity" in lines
    assert f"content-length: {len(body)}" in lines
    for field, value in (("pages", "1-3,7"), ("password", "pass 识字"), ("timeout", "9.0")):
        assert f'name="{field}"\r\n\r\n{value}\r\n'.encode() in body
    assert b'filename="document"' in body


def test_a_key_is_never_shown() -> None:
    with Client("http://127.0.0.1:9", "shizi_secret") as client:
        assert "shizi_secret" not in repr(client) + repr(vars(client))
    for wrong in ("", "two words", "line\nbreak", "é", "x" * 20_000):
        with pytest.raises(InvalidRequest) as caught:
            Client("http://127.0.0.1:9", wrong)
        assert "two words" not in str(caught.value)
