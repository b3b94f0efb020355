"""Jobs over HTTP; the test does the work."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shizi.export import from_json
from tests.serving.job_server import JobServer, files, job_server, page
from tests.serving.processes import WAIT_S, LocalServer, until

PROBLEM = "application/problem+json"
OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobServer]:
    with job_server(tmp_path_factory.mktemp("jobs")) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_left(server: JobServer) -> None:
    """Each test begins without jobs."""
    for client in (server.acme, server.other):
        for job in client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
            assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204


def ordered(client: httpx.Client, *documents: bytes, **data: str) -> dict[str, Any]:
    answer = client.post("/v1/jobs", files=files(*documents), data=data)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{body['id']}"
    return body


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    return body


def test_an_order_from_its_documents_to_their_results(server: JobServer) -> None:
    acme = server.acme
    job = ordered(acme, b"one", b"bad", b"three", priority="7", languages="zh,en", min_score="0.5")
    assert re.fullmatch(r"job_[0-9a-f]{44}", job["id"])
    assert (job["state"], job["priority"], job["document_count"], job["bytes"]) == ("queued", 7, 3, 11)
    assert job["options"] == {"languages": ["zh", "en"], "min_score": 0.5}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(job["created"])).total_seconds()) < 60
    address = f"/v1/jobs/{job['id']}"
    problem(acme.get(f"{address}/documents/1/result"), 409, "CONFLICT")
    server.work()
    done = acme.get(address).json()
    assert (done["state"], done["pages_done"]) == ("partial", 2)
    assert [(each["name"], each["state"], each["error"]) for each in done["documents"]] == [
        ("1.png", "succeeded", None),
        ("2.png", "failed", "CORRUPT_DOCUMENT"),
        ("3.png", "succeeded", None),
    ]
    assert done["expires"] > done["finished"] >= done["created"]
    document = from_json(acme.get(f"{address}/documents/3/result").content)
    assert (document.text, document.models[0].name) == ("read 3.1", "drawn")
    assert problem(acme.get(f"{address}/documents/2/result"), 422, "CORRUPT_DOCUMENT")["detail"] == "it is broken"
    problem(acme.get(f"{address}/documents/4/result"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "media_type", "begin"),
    [
        ("json", "application/json", b'{"schema":"shizi/1"'),
        ("text", "text/plain; charset=utf-8", b"read 1.1"),
        ("md", "text/markdown; charset=utf-8", b"read 1.1"),
        ("csv", "text/csv; charset=utf-8; header=present", b"\xef\xbb\xbfpage"),
        ("xlsx", f"{OFFICE}.spreadsheetml.sheet", b"PK"),
        ("docx", f"{OFFICE}.wordprocessingml.document", b"PK"),
        ("hocr", "text/html; charset=utf-8", b"<?xml"),
        ("alto", "application/xml", b"<?xml"),
    ],
)
def test_every_form_of_a_result(server: JobServer, name: str, media_type: str, begin: bytes) -> None:
    job = ordered(server.acme, b"one")
    server.work()
    answer = server.acme.get(f"/v1/jobs/{job['id']}/documents/1/result", params={"format": name})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content.lstrip().startswith(begin), answer.content[:60]


@pytest.mark.parametrize("name", ["pdf", "annotated", "odt"])
def test_forms_that_show_the_pages_are_not_made_here(server: JobServer, name: str) -> None:
    job = ordered(server.acme, b"one")
    server.work()
    answer = server.acme.get(f"/v1/jobs/{job['id']}/documents/1/result", params={"format": name})
    assert problem(answer, 422, "INVALID_REQUEST")["parameters"][0]["name"] == "format"


def test_text_without_recognition_is_refused(server: JobServer) -> None:
    job = ordered(server.acme, b"one", recognize="false")
    server.work("")
    address = f"/v1/jobs/{job['id']}/documents/1/result"
    assert (
        "without recognition"
        in problem(server.acme.get(address, params={"format": "md"}), 422, "INVALID_REQUEST")["detail"]
    )
    assert server.acme.get(address, params={"format": "csv"}).status_code == 200


def test_pages_come_in_the_order_in_which_they_were_finished_and_none_is_missed(server: JobServer) -> None:
    acme = server.acme
    job = ordered(acme, b"one", b"two", b"three")
    address = f"/v1/jobs/{job['id']}/pages"
    claims = {claim.document: claim for claim in (server.claim(), server.claim(), server.claim())}
    empty = acme.get(address).json()
    assert (empty["pages"], empty["complete"]) == ([], False)
    seen, after = [], 0
    for document, number in ((3, 1), (1, 2), (1, 1), (2, 1), (3, 2), (1, 3)):
        server.tasks.save(claims[document], page(number, f"p{document}.{number}"))
        body = acme.get(address, params={"after": after}).json()
        seen += [(each["document"], each["page"]["number"], each["page"]["text"]) for each in body["pages"]]
        after = body["next"]
        assert not body["complete"]
    for claim in claims.values():
        server.tasks.succeed(claim)
    last = acme.get(address, params={"after": after}).json()
    assert (last["pages"], last["complete"]) == ([], True)
    expected = [(3, 1), (1, 2), (1, 1), (2, 1), (3, 2), (1, 3)]
    assert seen == [(document, number, f"p{document}.{number}") for document, number in expected]
    whole = acme.get(address).json()
    assert [(each["document"], each["page"]["number"]) for each in whole["pages"]] == expected
    assert whole["complete"]
    one = acme.get(address, params={"document": 1, "limit": 2}).json()
    assert [each["page"]["number"] for each in one["pages"]] == [2, 1]
    assert not one["complete"]
    rest = acme.get(address, params={"document": 1, "limit": 2, "after": one["next"]}).json()
    assert [each["page"]["number"] for each in rest["pages"]] == [3]


def test_the_list_goes_on_where_it_ended(server: JobServer) -> None:
    acme = server.acme
    made = [ordered(acme, b"one")["id"] for _ in range(5)]
    ordered(server.other, b"one")
    seen: list[str] = []
    after: str | None = None
    while True:
        body = acme.get("/v1/jobs", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [job["id"] for job in body["jobs"]]
        after = body["next"]
        if after is None:
            break
    assert seen == made[::-1]
    acme.post(f"/v1/jobs/{made[0]}/cancel")
    cancelled = acme.get("/v1/jobs", params={"state": "cancelled"}).json()
    assert [job["id"] for job in cancelled["jobs"]] == [made[0]]


def test_cancel_and_delete(server: JobServer) -> None:
    acme = server.acme
    job = ordered(acme, b"one", b"two")
    address = f"/v1/jobs/{job['id']}"
    claim = server.claim()
    server.tasks.save(claim, page(1, "kept"))
    body = acme.post(f"{address}/cancel").json()
    assert body["state"] == "cancelled"
    assert acme.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert "kept" in acme.get(f"{address}/documents/{claim.document}/result").text
    assert acme.delete(address).status_code == 204
    problem(acme.get(address), 404, "NOT_FOUND")
    problem(acme.delete(address), 404, "NOT_FOUND")


def test_the_same_request_with_the_same_key_makes_one_job(server: JobServer) -> None:
    acme = server.acme

    def send(key: str, *documents: bytes, client: httpx.Client = acme, **data: str) -> httpx.Response:
        return client.post("/v1/jobs", files=files(*documents), data=data, headers={"Idempotency-Key": key})

    first = send("order-1", b"one", b"two", priority="3")
    again = send('"order-1"', b"one", b"two", priority="3")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert send("order-2", b"one", b"two", priority="3").json()["id"] != first.json()["id"]
    assert send("order-1", b"one", b"two", priority="3", client=server.other).json()["id"] != first.json()["id"]
    for different in (
        send("order-1", b"one", b"TWO", priority="3"),
        send("order-1", b"two", b"one", priority="3"),
        send("order-1", b"one", b"two", priority="4"),
        send("order-1", b"one", b"two", priority="3", pages="1"),
    ):
        problem(different, 409, "CONFLICT")
    for wrong in ("", "x" * 256, "with space"):
        problem(send(wrong, b"one"), 422, "INVALID_REQUEST")
    assert len(acme.get("/v1/jobs").json()["jobs"]) == 2


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"priority": "10"}, "priority"),
        ({"colour": "red"}, "colour"),
        ({"format": "pdf"}, "format"),
        ({"timeout": "5"}, "timeout"),
        ({"pages": "3-1"}, "pages"),
        ({"languages": ","}, "languages"),
        ({"webhook_url": "https://127.0.0.1/"}, "webhook_url"),
        ({"webhook_url": "https://user:SESAME@receiver.example/"}, "webhook_url"),
        ({"webhook_url": ""}, "webhook_url"),
    ],
)
def test_wrong_parameters_are_named(server: JobServer, data: dict[str, str], name: str) -> None:
    answer = server.acme.post("/v1/jobs", files=files(b"one"), data=data)
    assert [fault["name"] for fault in problem(answer, 422, "INVALID_REQUEST")["parameters"]] == [name]
    assert "SESAME" not in answer.text


def test_what_may_hold_a_secret_is_not_taken_in_the_query(server: JobServer) -> None:
    for name in ("webhook_url", "password"):
        answer = server.acme.post("/v1/jobs", files=files(b"one"), params={name: "https://receiver.example/"})
        assert problem(answer, 422, "INVALID_REQUEST")["parameters"][0]["name"] == name


def test_a_password_is_never_shown(server: JobServer) -> None:
    job = ordered(server.acme, b"one", password="SECRET-WORD")
    assert "SECRET" not in server.acme.get(f"/v1/jobs/{job['id']}").text + str(job)
    assert server.claim().options["password"] == "SECRET-WORD"


def test_bounds_of_an_order(server: JobServer) -> None:
    acme = server.acme
    assert "max_bytes" in problem(acme.post("/v1/jobs", files=files(b"x" * 100_001)), 413, "IMAGE_TOO_LARGE")["detail"]
    assert "max_files" in problem(acme.post("/v1/jobs", files=files(*[b"x"] * 6)), 413, "IMAGE_TOO_LARGE")["detail"]
    large = acme.post("/v1/jobs", files=files(*[b"x" * 99_000] * 3))
    assert "max_job_bytes" in problem(large, 413, "IMAGE_TOO_LARGE")["detail"]
    problem(acme.post("/v1/jobs", json={"image_base64": "aGFsbG8="}), 415, "UNSUPPORTED_FORMAT")
    problem(acme.post("/v1/jobs", data={"priority": "1"}), 415, "UNSUPPORTED_FORMAT")
    problem(acme.post("/v1/jobs", files={"other": b"x"}), 400, "INVALID_REQUEST")
    assert acme.get("/v1/jobs").json()["jobs"] == []


def test_webhooks_need_a_secret_first(server: JobServer) -> None:
    other = server.other
    told = other.post("/v1/jobs", files=files(b"one"), data={"webhook_url": "https://receiver.example/hook"})
    assert "/v1/webhooks/secret" in problem(told, 422, "INVALID_REQUEST")["detail"]
    first = other.post("/v1/webhooks/secret")
    assert first.status_code == 201
    assert first.json()["secret"].startswith("whsec_")
    assert first.json()["previous_until"] is None
    second = other.post("/v1/webhooks/secret").json()
    assert second["secret"] != first.json()["secret"]
    assert datetime.fromisoformat(second["previous_until"]) > datetime.now(UTC)
    job = ordered(other, b"one", webhook_url="https://receiver.example/hook?token=SECRET")
    assert job["webhook"] == {"state": "waiting", "attempts": 0, "status": None, "fault": None}
    assert "SECRET" not in other.get(f"/v1/jobs/{job['id']}").text


ROUTES = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("GET", "/pages"),
    ("GET", "/pages?document=1"),
    ("GET", "/events"),
    ("GET", "/documents/1/result"),
    ("GET", "/documents/1/result?format=text"),
    ("GET", "/documents/9/result"),
]
IDS = ["theirs", "job_" + "0" * 44, "job_", "job_%00", "x" * 300, "..%2F..", "job_' OR 1=1 --", "识字"]


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_is_another_tenants_is_not_there(server: JobServer, method: str, path: str, kind: str) -> None:
    job = ordered(server.other, b"one")
    server.work()
    before = server.other.get(f"/v1/jobs/{job['id']}").json()
    shown = job["id"] if kind == "theirs" else kind
    answer = server.acme.request(method, f"/v1/jobs/{shown}{path}")
    body = problem(answer, 404, "NOT_FOUND")
    if kind == "theirs":
        never = server.acme.request(method, f"/v1/jobs/job_{'0' * 44}{path}").json()
        assert body["detail"].replace(job["id"], "") == never["detail"].replace("job_" + "0" * 44, "")
    assert server.other.get(f"/v1/jobs/{job['id']}").json() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_other_verbs_are_refused_whatever_the_id(server: JobServer, method: str) -> None:
    job = ordered(server.other, b"one")
    for path in ("", "/pages", "/events", "/documents/1/result"):
        assert server.acme.request(method, f"/v1/jobs/{job['id']}{path}").status_code == 405


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("POST", "/v1/webhooks/secret")]
)
def test_nobody_comes_in_without_a_key(server: JobServer, method: str, path: str) -> None:
    with server.process.client() as stranger:
        problem(stranger.request(method, path), 401, "UNAUTHENTICATED")
        for verb, rest in ROUTES:
            problem(stranger.request(verb, f"/v1/jobs/job_{'0' * 44}{rest}"), 401, "UNAUTHENTICATED")


def test_strangers_know_only_the_jobs_whose_ids_they_have(tmp_path: Path) -> None:
    jobs = {"folder": str(tmp_path), "limits": {}, "strangers_share": False}
    with LocalServer(jobs=jobs) as process, process.client() as stranger:
        job = ordered(stranger, b"one")
        assert stranger.get(f"/v1/jobs/{job['id']}").json()["state"] == "queued"
        problem(stranger.get("/v1/jobs"), 401, "UNAUTHENTICATED")
        problem(stranger.post("/v1/webhooks/secret"), 401, "UNAUTHENTICATED")
        told = stranger.post("/v1/jobs", files=files(b"one"), data={"webhook_url": "https://receiver.example/"})
        problem(told, 422, "INVALID_REQUEST")
        assert stranger.delete(f"/v1/jobs/{job['id']}").status_code == 204


def test_strangers_at_other_addresses_have_other_idempotency_keys(tmp_path: Path) -> None:
    jobs = {"folder": str(tmp_path), "limits": {}, "strangers_share": False}
    headers = {"Idempotency-Key": "1"}
    with LocalServer(jobs=jobs) as process, process.client() as here:
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=process.url, timeout=WAIT_S, transport=elsewhere) as there:
            mine, again, theirs, other = (
                client.post("/v1/jobs", files=files(document), headers=headers)
                for client, document in ((here, b"one"), (here, b"one"), (there, b"one"), (there, b"two"))
            )
    assert mine.json()["id"] == again.json()["id"] != theirs.json()["id"]
    problem(other, 409, "CONFLICT")


def test_an_order_that_breaks_off_leaves_nothing(server: JobServer) -> None:
    def broken() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"a" * 50_000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        server.acme.post("/v1/jobs", content=broken(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    time.sleep(0.1)
    assert server.acme.get("/v1/jobs").json()["jobs"] == []


def test_no_more_orders_are_received_at_a_time_than_there_are_places(server: JobServer) -> None:
    enough, begun = threading.Event(), threading.Semaphore(0)

    def slow() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\na'
        begun.release()
        enough.wait(30)
        yield b"\r\n--x--\r\n"

    def send(client: httpx.Client) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x", **client.headers}
        codes.append(
            httpx.post(f"{server.process.url}/v1/jobs", content=slow(), headers=headers, timeout=60).status_code
        )

    codes: list[int] = []

    def begin(client: httpx.Client) -> None:
        senders.append(threading.Thread(target=send, args=(client,)))
        senders[-1].start()
        assert begun.acquire(timeout=20)

    senders: list[threading.Thread] = []
    begin(server.acme)
    begin(server.acme)
    time.sleep(0.5)  # what is on its way comes in
    refused = server.acme.post("/v1/jobs", files=files(b"one"))
    assert "2 orders of this tenant" in problem(refused, 429, "OVERLOADED")["detail"]
    begin(server.other)  # whom slow senders of another tenant do not keep out
    ordered(server.other, b"one")
    begin(server.other)
    time.sleep(0.5)
    refused = server.other.post("/v1/jobs", files=files(b"one"))
    assert "job_uploads" in problem(refused, 429, "OVERLOADED")["detail"]
    enough.set()
    for sender in senders:
        sender.join()
    assert codes == [202] * 4


def test_results_that_nobody_takes_make_no_room_for_more(tmp_path: Path) -> None:
    with job_server(tmp_path, tenant_fetched=10) as server:
        job = ordered(server.acme, b"pages 6")
        server.work("long " * 600_000)
        address = f"/v1/jobs/{job['id']}/documents/1/result"
        key = server.acme.headers["X-API-Key"]
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.process.port))
            connection.sendall(f"GET {address} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
            refused = server.acme.get(address)
            assert "job_fetched" in problem(refused, 429, "OVERLOADED")["detail"]
            assert server.acme.get(f"/v1/jobs/{job['id']}").status_code == 200
        until(lambda: server.acme.get(address).status_code == 200)


def test_the_log_has_no_names_and_no_secrets(server: JobServer) -> None:
    job = ordered(server.acme, b"one", password="SECRET-WORD")
    server.acme.get(f"/v1/jobs/{job['id']}/documents/1/result")
    last = server.acme.get("/v1/jobs").headers["x-request-id"]
    until(lambda: any(line.get("request_id") == last for line in server.process.log()))
    written = "".join(server.process.out + server.process.err)
    assert "SECRET" not in written
    assert "1.png" not in written
    assert job["id"] not in written
    assert {line["route"] for line in server.process.log() if line.get("tenant") == "acme"} >= {
        "/v1/jobs",
        "/v1/jobs/{job_id}",
    }


def test_capabilities_say_the_limits(server: JobServer) -> None:
    offered = server.acme.get("/v1/capabilities").json()["jobs"]
    assert offered["limits"]["max_files"] == 5
    assert offered["formats"] == ["json", "text", "md", "csv", "xlsx", "docx", "hocr", "alto"]
    assert {"priority", "webhook_url", "pages"} <= set(offered["parameters"])
    assert offered["webhooks"]["schemes"] == ["https", "http"]


def test_a_database_that_is_full_of_one_tenants_jobs(tmp_path: Path) -> None:
    with job_server(tmp_path) as server:
        for _ in range(40):
            ordered(server.acme, b"x")
        refused = server.acme.post("/v1/jobs", files=files(b"x"))
        assert "tenant_jobs" in problem(refused, 429, "RATE_LIMITED")["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        ordered(server.other, b"x")
