"""Bodies that are too large, too many, too slow, broken, or not what they say."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.serving.processes import LocalServer, script, until
from tests.serving.test_app import problem

MAX = 3_000_000
JSON = {"Content-Type": "application/json"}


def raw(server: LocalServer, data: bytes, wait_s: float = 10.0) -> bytes:
    """What the server answers to these bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait_s) as connection:
        connection.sendall(data)
        return everything(connection)


def everything(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    return answer


def test_the_largest_document_is_taken_and_one_byte_more_is_not(client: httpx.Client) -> None:
    fits = b"SCRIPT say " + bytes(MAX - 11)
    assert client.post("/v1/ocr", files={"file": fits}).status_code == 200
    body = problem(client.post("/v1/ocr", files={"file": fits + b"x"}), 413, "IMAGE_TOO_LARGE")
    assert "2.9 MiB" in body["detail"]
    encoded = base64.b64encode(fits).decode()
    assert client.post("/v1/ocr", json={"image_base64": encoded}).status_code == 200
    encoded = base64.b64encode(fits + b"x").decode()
    problem(client.post("/v1/ocr", json={"image_base64": encoded}), 413, "IMAGE_TOO_LARGE")


def test_an_announced_length_is_refused_before_a_byte_of_it_came(server: LocalServer) -> None:
    head = b"POST /v1/ocr HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n"
    start = time.monotonic()
    answer = raw(server, head + b"Expect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer
    assert time.monotonic() - start < 10, "nothing was to be waited for"


def test_a_chunked_body_is_counted_while_it_comes(client: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"image_base64": "'
        for _ in range(2000):
            yield b"A" * 65_536

    answer = client.post("/v1/ocr", content=endless(), headers=JSON)
    problem(answer, 413, "IMAGE_TOO_LARGE")


def test_a_sender_that_does_not_listen_still_gets_the_answer(server: LocalServer) -> None:
    head = b"POST /v1/ocr HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n"
    answer = raw(server, head + bytes(20_000_000))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert b'"IMAGE_TOO_LARGE"' in answer


@pytest.mark.parametrize("blank", [b" ", b"\n"])
def test_what_surrounds_the_document_is_bounded_too(client: httpx.Client, blank: bytes) -> None:
    body = b'{"image_base64":' + blank * (MAX * 2) + b'""}'
    problem(client.post("/v1/ocr", content=iter([body]), headers=JSON), 413, "IMAGE_TOO_LARGE")


def test_parts_fields_and_headers_of_a_form_are_bounded(client: httpx.Client) -> None:
    many = client.post("/v1/ocr", files=script("say"), data={f"field{n}": "x" for n in range(6)})
    assert "max_parts" in problem(many, 413, "IMAGE_TOO_LARGE")["detail"]
    long = client.post("/v1/ocr", files=script("say"), data={"languages": "x" * 201})
    assert "max_field_bytes" in problem(long, 413, "IMAGE_TOO_LARGE")["detail"]
    head = client.post("/v1/ocr", files={"file": ("n" * 3000, b"SCRIPT say ")})
    problem(head, 400, "INVALID_REQUEST")
    keys = client.post("/v1/ocr", json={"image_base64": ""} | {f"key{n}": 1 for n in range(6)})
    assert "max_parts" in problem(keys, 413, "IMAGE_TOO_LARGE")["detail"]
    value = client.post("/v1/ocr", json={"image_base64": "", "languages": "x" * 201})
    assert "max_field_bytes" in problem(value, 413, "IMAGE_TOO_LARGE")["detail"]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "said"),
    [
        ("text/plain", b"x", 415, "multipart/form-data"),
        ("", b"x", 415, "multipart/form-data"),
        ("multipart/form-data", b"x", 400, "boundary"),
        ("multipart/form-data; boundary=" + "b" * 71, b"x", 400, "boundary"),
        ("multipart/form-data; boundary=b", b"no form", 400, "no form"),
        ("multipart/form-data; boundary=b", b"--b\r\n", 400, "breaks off"),
        ("multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n", 400, "Content-Disposition"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nz\r\n--b--\r\n',
            400,
            "'file'",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nz\r\n' * 2 + b"--b--\r\n",
            400,
            "twice",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="pages"\r\n\r\n\xff\r\n--b--\r\n',
            400,
            "UTF-8",
        ),
        ("application/json", b"[1]", 400, "{ is expected"),
        ("application/json", b'{"image_base64": "QUJD', 400, "breaks off"),
        ("application/json", b'{"image_base64": "A*=="}', 400, "base64"),
        ("application/json", b'{"pages": "1"}', 400, "no 'image_base64'"),
        ("application/json", b'{"image_base64": "", "pages": ["1"]}', 400, "list"),
    ],
)
def test_bodies_that_are_not_what_they_say(
    client: httpx.Client, content_type: str, body: bytes, status: int, said: str
) -> None:
    answer = client.post("/v1/ocr", content=body, headers={"Content-Type": content_type})
    code = "UNSUPPORTED_FORMAT" if status == 415 else "INVALID_REQUEST"
    assert said in problem(answer, status, code)["detail"]


def test_an_upload_that_trickles_is_given_up() -> None:
    with LocalServer(uploads={"timeout_s": 0.6}) as server:
        head = b"POST /v1/ocr HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head)
            start = time.monotonic()
            sent = 0
            connection.settimeout(0.05)
            answer = b""
            while not answer:
                assert time.monotonic() - start < 8
                connection.sendall(b'{"image_base64":"'[sent : sent + 1] or b"A")
                sent += 1
                try:
                    answer = connection.recv(65_536)
                except TimeoutError:
                    continue
            connection.settimeout(10)
            answer += everything(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "TIMEOUT"
        assert 0.5 < time.monotonic() - start < 6


def test_a_client_that_goes_away_drops_the_work(server: LocalServer) -> None:
    before = sum(line.startswith("DROPPED") for line in server.out)
    document = base64.b64encode(b"SCRIPT wait 25 ")
    body = b'{"image_base64":"' + document + b'"}'
    head = b"POST /v1/ocr HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with server.client() as watcher:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head % len(body) + body)
            until(lambda: "shizi_documents_in_flight 1.0" in watcher.get("/metrics").text)
        until(lambda: sum(line.startswith("DROPPED") for line in server.out) == before + 1)
        until(lambda: "shizi_documents_in_flight 0.0" in watcher.get("/metrics").text)
    until(lambda: any(line.get("status") == 499 for line in server.log()))


def test_a_client_that_leaves_in_the_middle_of_its_upload_leaves_nothing(server: LocalServer) -> None:
    head = b"POST /v1/ocr HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    before = len(server.log())
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head + b'{"image_base64":"' + b"A" * 500_000)
    until(lambda: any(line.get("status") == 499 for line in server.log()[before:]))
