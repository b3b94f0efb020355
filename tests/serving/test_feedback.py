"""Corrections over HTTP: two tenants, strangers, and everything that is wrong."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import tarfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from shizi.database.connect import connect
from shizi.release.feedback import FeedbackLimits, FeedbackStore
from shizi.serving.addresses import ClientAddress, ProxyOptions
from shizi.serving.app import public_app
from shizi.serving.auth import Authenticator
from shizi.serving.feedback import MAX_BODY_BYTES, Feedback
from shizi.serving.gate import Gate
from shizi.serving.keyring import KeyRing
from shizi.serving.keys import KeyStore
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServiceOptions
from shizi.serving.ratelimit import RateLimiter, RateOptions
from shizi.serving.service import Service
from tests.release.stores import HASH, OTHER_HASH, correction, png

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


def test_a_correction_is_kept_shown_listed_and_deleted(make: Callable[..., Desk]) -> None:
    desk = make()
    sent = desk.send()
    kept = sent.json()
    assert (sent.status_code, sent.headers["location"]) == (201, f"/v1/feedback/{kept['id']}")
    assert {name: kept[name] for name in SAID} == SAID
    assert kept["editor"].startswith("key:")
    assert desk.send().json() == kept
    assert desk.send().status_code == 200
    assert desk.ask("GET", sent.headers["location"]).json() == kept
    assert desk.ask("GET", "/v1/feedback", "a2").json() == {"corrections": [kept], "next": None}
    assert desk.ask("DELETE", sent.headers["location"]).status_code == 204
    assert problem(desk.ask("GET", sent.headers["location"]), 404, "NOT_FOUND")


def test_a_list_goes_on_where_it_ended(make: Callable[..., Desk]) -> None:
    desk = make()
    for line in range(1, 6):
        desk.send(line=line)
    lines: list[int] = []
    after: str | None = ""
    while after is not None:
        page = desk.ask("GET", "/v1/feedback", params={"limit": 2} | ({"after": after} if after else {})).json()
        lines += [entry["line"] for entry in page["corrections"]]
        after = page["next"]
    assert sorted(lines) == [1, 2, 3, 4, 5]
    assert desk.ask("GET", "/v1/feedback", params={"document": OTHER_HASH}).json()["corrections"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/feedback/{id}"),
        ("GET", "/v1/feedback/{id}/crop"),
        ("DELETE", "/v1/feedback/{id}"),
        ("DELETE", "/v1/feedback?document={document}"),
    ],
)
def test_what_is_foreign_is_not_there(make: Callable[..., Desk], method: str, path: str) -> None:
    desk = make(crops={"*"})
    crop = base64.b64encode(png()).decode()
    kept = desk.send(crop=crop).json()
    foreign = desk.ask(method, path.format(id=kept["id"], document=HASH), "b")
    unknown = desk.ask(method, path.format(id=FOREIGN, document=OTHER_HASH), "b")
    assert problem(foreign, 404, "NOT_FOUND") == problem(unknown, 404, "NOT_FOUND")
    assert desk.ask("GET", f"/v1/feedback/{kept['id']}").json() == kept
    stranger = desk.ask(method, path.format(id=kept["id"], document=HASH), None)
    problem(stranger, 404, "NOT_FOUND")
    assert desk.ask(method, path.format(id=kept["id"], document=HASH)).status_code in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_other_verbs_change_nothing_whoever_asks(make: Callable[..., Desk], method: str) -> None:
    desk = make()
    kept = desk.send().json()
    for key in ("a", "b"):
        assert desk.ask(method, f"/v1/feedback/{kept['id']}", key, json=SAID).status_code == 405
        assert desk.ask(method, f"/v1/feedback/{kept['id']}/crop", key, json=SAID).status_code == 405
    assert desk.ask("GET", f"/v1/feedback/{kept['id']}").json() == kept


def test_lists_exports_and_deletion_see_the_tenant_alone(make: Callable[..., Desk]) -> None:
    desk = make()
    desk.send()
    for key in ("b", None):
        assert desk.ask("GET", "/v1/feedback", key).json()["corrections"] == []
        assert desk.ask("GET", "/v1/feedback/export", key).content == b""
        assert desk.ask("DELETE", "/v1/feedback?document=all", key).json() == {"deleted": 0}
    assert desk.ask("DELETE", "/v1/feedback?document=all", "a2").json() == {"deleted": 1}


def test_without_the_scope_nothing_is_possible(make: Callable[..., Desk]) -> None:
    desk = make()
    kept = desk.send().json()
    problem(desk.send("reader"), 403, "FORBIDDEN")
    for method, path in (
        ("GET", ""), ("GET", "/export"), ("DELETE", "?document=all"),
        ("GET", f"/{kept['id']}"), ("GET", f"/{kept['id']}/crop"), ("DELETE", f"/{kept['id']}"),
    ):  # fmt: skip
        problem(desk.ask(method, f"/v1/feedback{path}", "reader"), 403, "FORBIDDEN")
    assert len(desk.store.list("a")) == 1


def test_strangers_may_send_but_not_see_where_anybody_could_be_one(make: Callable[..., Desk]) -> None:
    desk = make(strangers_read=False)
    kept = desk.send(None).json()
    assert kept["editor"] == "anonymous"
    for method, path in (
        ("GET", ""), ("GET", "/export"), ("DELETE", "?document=all"),
        ("GET", f"/{kept['id']}"), ("GET", f"/{kept['id']}/crop"), ("DELETE", f"/{kept['id']}"),
    ):  # fmt: skip
        problem(desk.ask(method, f"/v1/feedback{path}", None), 401, "UNAUTHENTICATED")


def test_crops_come_back_where_they_are_kept(make: Callable[..., Desk]) -> None:
    desk = make(crops={"a"})
    crop = base64.b64encode(png(comment="SECRET")).decode()
    kept = desk.send(crop=crop).json()
    shown = desk.ask("GET", f"/v1/feedback/{kept['id']}/crop")
    assert (shown.headers["content-type"], shown.content) == ("image/png", png())
    assert "feedback_crops" in problem(desk.send("b", crop=crop), 403, "FORBIDDEN")
    problem(desk.send(crop="%%%"), 422, "INVALID_REQUEST")
    problem(desk.send(crop=base64.b64encode(b"GIF89a").decode()), 415, "UNSUPPORTED_FORMAT")
    problem(desk.send(crop=base64.b64encode(png()[:-5]).decode()), 422, "CORRUPT_DOCUMENT")
    problem(desk.send(crop=base64.b64encode(png(4000, 4000)).decode()), 413, "IMAGE_TOO_LARGE")
    archive = desk.ask("GET", "/v1/feedback/export?format=tar")
    assert archive.headers["content-length"] == str(len(archive.content))
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        assert opened.getnames() == [f"crops/{kept['id']}.png", "corrections.jsonl"]


def test_an_export_is_a_line_of_json_each(make: Callable[..., Desk]) -> None:
    desk = make()
    desk.send()
    desk.send(line=4, correction="识字")
    export = desk.ask("GET", "/v1/feedback/export")
    assert export.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["text"] for line in export.text.splitlines()] == ["SECRET-RIGHT", "识字"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"document": "abc"}, "document"),
        ({"document": HASH.upper()}, "document"),
        ({"page": 0}, "page"),
        ({"page": "1"}, "page"),
        ({"page": 1.5}, "page"),
        ({"line": True}, "line"),
        ({"line": 10**7}, "line"),
        ({"polygon": [[1, 2], [3, 2], [3, 4]]}, "polygon"),
        ({"polygon": [[1, 2], [3, 2], [3, 4], [1e9, 4]]}, "polygon"),
        ({"original": "SECRET" * 2000}, "original"),
        ({"correction": "SECRET\nSECRET"}, "correction"),
        ({"correction": "SECRET\0"}, "correction"),
        ({"correction": None}, "correction"),
        ({"model": ""}, "model"),
        ({"tenant": "b"}, "tenant"),
        ({"editor": "key:SECRET"}, "editor"),
        ({"id": FOREIGN}, "id"),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(
    make: Callable[..., Desk], changed: dict[str, Any], named: str
) -> None:
    desk = make()
    assert named in problem(desk.send(**changed), 422, "INVALID_REQUEST")
    assert desk.store.list("a") == []


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_REQUEST"),
        (b'{"page": 1, "page": 2}', "application/json", 400, "INVALID_REQUEST"),
        (b'{"page": NaN}', "application/json", 400, "INVALID_REQUEST"),
        (b'"\xff"', "application/json", 400, "INVALID_REQUEST"),
        (b"[]", "application/json", 422, "INVALID_REQUEST"),
        (b"[" * 100_000, "application/json", 400, "INVALID_REQUEST"),
        (b"page=1", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_FORMAT"),
        (b" " * (MAX_BODY_BYTES + 1), "application/json", 413, "IMAGE_TOO_LARGE"),
        (json.dumps(SAID | {"correction": "\ud800"}).encode(), "application/json", 422, "INVALID_REQUEST"),
    ],
)
def test_bodies_that_are_none_are_refused(
    make: Callable[..., Desk], body: bytes, media_type: str, status: int, code: str
) -> None:
    desk = make()
    problem(desk.ask("POST", "/v1/feedback", content=body, headers={"Content-Type": media_type}), status, code)


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "limit=0"), ("GET", "limit=1001"), ("GET", "after=x%00"), ("GET", "document=x"), ("GET", "tenant=b"),
        ("DELETE", ""), ("DELETE", "document="), ("DELETE", "document=All"), ("DELETE", "document=all&all=1"),
    ],
)  # fmt: skip
def test_queries_that_are_wrong_do_nothing(make: Callable[..., Desk], method: str, query: str) -> None:
    desk = make()
    desk.send()
    problem(desk.ask(method, f"/v1/feedback?{query}"), 422, "INVALID_REQUEST")
    assert len(desk.store.list("a")) == 1


def test_a_whole_number_may_be_written_with_a_point(make: Callable[..., Desk]) -> None:
    assert make().send(page=2.0, line=3e0).json()["page"] == 2


def test_the_limits_are_told_and_no_tenants_name(make: Callable[..., Desk]) -> None:
    desk = make(rows=7, crops={"SECRET-TENANT"})
    told = desk.ask("GET", "/v1/capabilities", None)
    assert told.json()["feedback"]["limits"]["feedback_rows"] == 7
    assert "SECRET" not in told.text


def test_a_full_tenant_is_told_so(make: Callable[..., Desk]) -> None:
    desk = make(rows=1)
    desk.send()
    assert "feedback_rows" in problem(desk.send(line=4), 409, "CONFLICT")


def test_no_word_of_a_correction_is_logged(make: Callable[..., Desk]) -> None:
    desk = make()
    kept = desk.send().json()
    desk.send(correction="SECRET\n", original="SECRET")
    desk.ask("GET", "/v1/feedback")
    desk.ask("GET", "/v1/feedback/export")
    desk.ask("DELETE", f"/v1/feedback/{kept['id']}")
    lines = [json.loads(line) for line in desk.log.getvalue().splitlines()]
    assert [line["route"] for line in lines][-1] == "/v1/feedback/{correction}"
    assert {line["tenant"] for line in lines} == {"a"}
    assert "SECRET" not in desk.log.getvalue()
    assert HASH not in desk.log.getvalue()


def test_the_description_is_valid_and_its_examples_true(make: Callable[..., Desk]) -> None:
    desk = make()
    description = desk.ask("GET", "/openapi.json", None).json()
    validate(description)
    post = description["paths"]["/v1/feedback"]["post"]
    content = post["requestBody"]["content"]["application/json"]

    def check(value: object, schema: dict[str, Any]) -> None:
        Draft202012Validator({**schema, "components": description["components"]}).validate(value)

    check(content["example"], content["schema"])
    answer = post["responses"]["201"]["content"]["application/json"]
    check(answer["example"], answer["schema"])
    sent = desk.ask("POST", "/v1/feedback", json=content["example"])
    assert sent.status_code == 201, sent.text
    check(sent.json(), answer["schema"])
    listed = description["paths"]["/v1/feedback"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    check(desk.ask("GET", "/v1/feedback").json(), listed)
    assert not Draft202012Validator(content["schema"]).is_valid(SAID | {"tenant": "b"})


def test_what_the_store_keeps_is_what_was_sent(make: Callable[..., Desk]) -> None:
    desk = make()
    kept = desk.send().json()
    [row] = desk.store.list("a")
    assert (row.id, row.original, row.correction) == (kept["id"], SAID["original"], SAID["correction"])
    assert desk.store.add("a", row.editor, correction())[1]
