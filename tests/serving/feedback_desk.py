"""The application with corrections, within the process of the tests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from shizi.database.connect import connect
from shizi.release.feedback import FeedbackLimits, FeedbackStore
from shizi.serving.addresses import ClientAddress, ProxyOptions
from shizi.serving.app import public_app
from shizi.serving.auth import Authenticator
from shizi.serving.feedback import Feedback
from shizi.serving.gate import Gate
from shizi.serving.keyring import KeyRing
from shizi.serving.keys import KeyStore
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServiceOptions
from shizi.serving.ratelimit import RateLimiter, RateOptions
from shizi.serving.service import Service
from tests.release.stores import HASH

SAID = {
    "document": HASH, "page": 1, "line": 3, "polygon": [[1, 2], [3, 2], [3, 4.5], [1, 4]],
    "original": "SECRET-READ", "correction": "SECRET-RIGHT", "model": "small-rec", "model_version": "6",
}  # fmt: skip
FOREIGN = "fb_" + "0" * 44
Ask = Callable[..., httpx.Response]


@dataclass
class Desk:
    """The application within this process, keys of its tenants, and its log."""

    app: Any
    keys: dict[str, str]
    log: io.StringIO
    store: FeedbackStore

    def ask(self, method: str, path: str, key: str | None = "a", **sent: Any) -> httpx.Response:  # noqa: ANN401
        headers = {} if key is None else {"Authorization": f"Bearer {self.keys[key]}"}
        headers |= sent.pop("headers", {})

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app), base_url="http://desk", headers=headers
            ) as client:
                return await client.request(method, path, **sent)

        return _run(ask())

    def send(self, key: str | None = "a", **changed: object) -> httpx.Response:
        return self.ask("POST", "/v1/feedback", key, json=SAID | changed)


def _run(work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    return asyncio.run(work)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    database = connect(None, tmp_path)
    threads = ThreadPoolExecutor(4)

    def desk(*, strangers_read: bool = True, **limits: Any) -> Desk:  # noqa: ANN401
        log = io.StringIO()
        keys = KeyStore(tmp_path / "keys")
        scopes = {"a": ("feedback",), "a2": ("feedback",), "b": ("feedback",), "reader": ("ocr",)}
        made = {name: keys.create(name[0], name, scope, None)[0] for name, scope in scopes.items()}
        store = FeedbackStore(database, FeedbackLimits(**limits))
        gate = Gate(
            Authenticator(KeyRing(keys), None, frozenset({"feedback"})),
            RateLimiter(RateOptions(), counted=False),
            ClientAddress(ProxyOptions()),
        )
        nothing = cast(Any, None)  # what reads documents is not asked
        engine = cast(Any, SimpleNamespace(facts=list))
        service = Service(
            ServiceOptions("1.2.3"), nothing, engine, gate, nothing, Metrics("1.2.3"), make_log(log), Lifecycle(), threads,
            feedback=Feedback(store, threads, strangers_read=strangers_read),
        )  # fmt: skip
        return Desk(public_app(service), made, log, store)

    yield desk
    threads.shutdown()
    database.close()


def problem(answer: httpx.Response, status: int, code: str) -> str:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert "SECRET" not in answer.text
    return str(body["detail"])
