"""Over HTTP: what is kept, what is shared, and what is refused because there is too much to do."""

from __future__ import annotations

import threading

import httpx

from tests.serving.processes import LocalServer, script, until


def outcomes(server: LocalServer) -> list[str]:
    return [line["cache"] for line in server.log() if "cache" in line]


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
        answers: list[int] = []

        def ask(timeout_s: float) -> None:
            try:
                answers.append(
                    httpx.post(
                        f"{server.url}/v1/ocr", files=script("wait 2"), timeout=timeout_s, trust_env=False
                    ).status_code
                )
            except httpx.TimeoutException:
                answers.append(0)

        first = threading.Thread(target=ask, args=(0.7,))
        first.start()
        with server.client() as client:
            until(lambda: "shizi_documents_in_flight 1.0" in client.get("/metrics").text)
            second = threading.Thread(target=ask, args=(20.0,))
            second.start()
            first.join()
            second.join()
        assert answers == [0, 200]
        assert not any(line.startswith("DROPPED") for line in server.out)


def test_one_request_too_many_is_refused_at_once_and_told_when_to_come_again() -> None:
    with LocalServer(service={"queue": 2}) as server, server.client() as client:
        asking = [
            threading.Thread(
                target=httpx.post,
                args=(f"{server.url}/v1/ocr",),
                kwargs={"files": script(f"wait 1.{number}"), "timeout": 30, "trust_env": False},
            )
            for number in range(2)
        ]
        for thread in asking:
            thread.start()
        until(lambda: "shizi_documents_in_flight 2.0" in client.get("/metrics").text)
        refused = client.post("/v1/ocr", files=script("say"))
        assert (refused.status_code, refused.json()["code"]) == (429, "OVERLOADED")
        assert refused.json()["retryable"] is True
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.elapsed.total_seconds() < 0.5
        assert client.get("/healthz").status_code == 200
        for thread in asking:
            thread.join()
        assert client.post("/v1/ocr", files=script("say")).status_code == 200
