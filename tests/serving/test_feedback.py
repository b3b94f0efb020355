"""Corrections over HTTP: two tenants, and strangers."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import tarfile
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.release.stores import HASH, OTHER_HASH, correction, png
from tests.serving.feedback_desk import FOREIGN, SAID, Desk, problem


def test_a_correction_is_kept_shown_listed_and_deleted(make: Callable[..., Desk]) -> None:
    desk = make()
    sent = desk.send()
    kept = sent.json()
    assert (sent.status_code, sent.headers["location"]) == (201, f"/v1/feedback/{kept['id']}")
    assert {name: kept[name] for name in SAID} == SAID
    assert kept["editor"].startswith("key:")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", kept["created"])  # as those of jobs
    assert abs(datetime.now(UTC) - datetime.fromisoformat(kept["created"])) < timedelta(minutes=1)
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
        refused = desk.ask(method, f"/v1/feedback/{kept['id']}", key, json=SAID)
        assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET")
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


def test_exports_that_nobody_takes_keep_the_places_of_their_tenant(make: Callable[..., Desk]) -> None:
    desk = make()
    for key in ("a", "b"):
        assert desk.send(key).status_code == 201

    async def statuses() -> list[int]:
        taken = asyncio.Event()
        slow = [asyncio.create_task(exported(desk, "a", taken)) for _ in range(2)]
        await asyncio.sleep(0.5)
        others = [await exported(desk, key, None) for key in ("a", "b")]
        taken.set()
        return [*others, *await asyncio.gather(*slow), await exported(desk, "a", None)]

    assert asyncio.run(statuses()) == [429, 200, 200, 200, 200]


async def exported(desk: Desk, key: str, taken: asyncio.Event | None) -> int:
    """Status of an export, whose contents are not taken before it is time."""
    status = 0

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0 if not status else 60)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        if message["type"] == "http.response.body" and taken is not None:
            await taken.wait()

    head = [(b"authorization", f"Bearer {desk.keys[key]}".encode())]
    place = {"path": "/v1/feedback/export", "raw_path": b"/v1/feedback/export", "query_string": b"", "root_path": ""}
    about = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    await desk.app(
        {**about, **place, "headers": head, "client": ("127.0.0.1", 1), "server": ("desk", 80)}, receive, send
    )
    return status


def test_an_export_is_a_line_of_json_each(make: Callable[..., Desk]) -> None:
    desk = make()
    desk.send()
    desk.send(line=4, correction="识字")
    export = desk.ask("GET", "/v1/feedback/export")
    assert export.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["text"] for line in export.text.splitlines()] == ["SECRET-RIGHT", "识字"]


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
