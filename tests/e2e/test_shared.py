"""Two servers that share results in a real Redis, and go on when it is gone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
from PIL import Image

from shizi.engine.fake import page
from tests.servers import RedisServer
from tests.serving.processes import WAIT_S, Process, until

SECRET = "the same on both of them"


@contextmanager
def serving(redis: RedisServer) -> Iterator[tuple[httpx.Client, Process]]:
    environment = {"SHIZI_CACHE_STORAGE": redis.url, "SHIZI_CACHE_SECRET": SECRET, "SHIZI_RATE_STORAGE": redis.url}
    with Process(["-m", "tests.serving.fake_serve", json.dumps({"port": 0, "pre_stop_s": 0})], environment) as process:
        url = process.line("shizi serve: ").split()[-1]
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as client:
            until(lambda: client.get("/readyz").status_code == 200, WAIT_S)
            yield client, process


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(page(seed=seed)).save(file, "PNG")
    return file.getvalue()


def outcomes(process: Process) -> list[str]:
    return [line["cache"] for line in process.log() if "cache" in line]


def test_what_one_read_the_other_gives_out_and_both_go_on_without_the_redis() -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        (one, first), (two, second) = (stack.enter_context(serving(redis)) for _ in range(2))
        for seed in range(10, 20):  # a Redis that does not answer within a quarter of a second is done without
            answers = [client.post("/v1/ocr", files={"file": png(seed)}) for client in (one, two)]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert answers[0].json()["text"] == answers[1].json()["text"]
            until(lambda seed=seed: len(outcomes(second)) == seed - 9)  # type: ignore[misc]
            if outcomes(second)[-1] == "hit":
                break
        assert outcomes(second)[-1] == "hit"
        asked = len(outcomes(second))
        redis.kill()
        for client in (one, two):
            for seed in (1, 2, 2):
                answer = client.post("/v1/ocr", files={"file": png(seed)})
                assert answer.status_code == 200
                assert answer.elapsed.total_seconds() < 3
            metrics = client.get("/metrics").text
            assert "shizi_cache_storage_left_alone 1.0" in metrics
            assert "shizi_cache_storage_failures_total 0.0" not in metrics
        for process in (first, second):
            until(lambda process=process: len(outcomes(process)) == asked + 3)  # type: ignore[misc]
            assert outcomes(process)[asked:] == ["miss"] * 3
        assert redis.url not in "".join(first.err)


def test_a_storage_of_results_without_a_secret_is_refused() -> None:
    environment = {"SHIZI_CACHE_STORAGE": "redis://:passw0rd@127.0.0.1:9/0"}
    with Process(["-m", "shizi", "serve", "--port", "0"], environment) as refused:
        assert refused.wait() == 2
        assert any("SHIZI_CACHE_SECRET" in line for line in refused.err)
        assert "passw0rd" not in "".join(refused.err)
