"""Over HTTP: what is kept, what is shared, and what is refused because there is too much to do."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.serving.processes import LocalServer, script, until


def outcomes(server: LocalServer) -> list[str]:
    return [line["cache"] for line in server.log() if "cache" in line]


def asked(server: LocalServer, text: str) -> socket.socket:
    """The connection of somebody who asks, and who leaves where it is closed."""
    request = httpx.Request("POST", f"{server.url}/v1/ocr", files=script(text))
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(f"POST /v1/ocr HTTP/1.1\r\n{head}\r\n".encode() + request.read())
    return connection


def test_equal_requests_are_read_once_unless_nothing_is_to_be_kept() -> None:
    with LocalServer() as server, server.client() as client:
        first = client.post("/v1/ocr", files=script("say"))
        again = client.post("/v1/ocr", files=script("say"))
        assert first.content == again.content
        other = client.post("/v1/ocr", files=script("say"), params={"min_score": "0.1"})
        # Not what is left out by default, where lone strokes have a bound of their own.
        said = client.post("/v1/ocr", files=script("say"), params={"min_score": "0.7"})
        fresh = client.post("/v1/ocr", files=script("say"), headers={"Cache-Control": "no-store"})
        text = client.post("/v1/ocr", files=script("say"), params={"format": "text"})
        preview = client.post("/v1/preview", files=script("say"))
        assert [answer.status_code for answer in (other, said, fresh, text, preview)] == [200] * 5
        assert text.text.strip() == "said"
        until(lambda: len(outcomes(server)) == 7)
        assert outcomes(server) == ["miss", "hit", "miss", "miss", "bypass", "hit", "miss"]


def test_what_failed_is_not_kept() -> None:
    with LocalServer() as server, server.client() as client:
        for _ in range(2):
            assert client.post("/v1/ocr", files=script("raise OutOfMemory")).status_code == 503
        assert client.post("/v1/ocr", files=script("say")).status_code == 200


def test_one_who_waits_with_others_may_leave() -> None:
    with LocalServer() as server:
        with server.client() as client, ThreadPoolExecutor(1) as pool:
            with asked(server, "wait 4"):
                until(lambda: "shizi_documents_in_flight 1.0" in client.get("/metrics").text)
                second = pool.submit(client.post, "/v1/ocr", files=script("wait 4"))
                until(lambda: "shizi_requests_in_flight 3.0" in client.get("/metrics").text)  # and the one that asks
                time.sleep(0.5)  # until it waits with the first
            assert second.result().status_code == 200
        until(lambda: len(outcomes(server)) == 1)
        assert not any(line.startswith("DROPPED") for line in server.out)


def test_one_request_too_many_is_refused_at_once_and_told_when_to_come_again() -> None:
    with LocalServer(service={"queue": 2}) as server, server.client() as client:
        with asked(server, "wait 25.0"), asked(server, "wait 25.1"):
            until(lambda: "shizi_documents_in_flight 2.0" in client.get("/metrics").text)
            refused = client.post("/v1/ocr", files=script("say"))
            assert (refused.status_code, refused.json()["code"]) == (429, "OVERLOADED")
            assert refused.json()["retryable"] is True
            assert int(refused.headers["retry-after"]) >= 1
            assert client.get("/healthz").status_code == 200
            assert "shizi_documents_in_flight 2.0" in client.get("/metrics").text, "it was not refused at once"
        until(lambda: client.post("/v1/ocr", files=script("say")).status_code == 200)
