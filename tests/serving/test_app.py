"""Over HTTP: every address, every dialect, every error."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont
from prometheus_client.parser import text_string_to_metric_families

from shizi.errors import ShiziError, StorageUnavailable, taxonomy
from shizi.export import from_json
from tests.serving.processes import LocalServer, script, until

PROBLEM = "application/problem+json"
OFFICE = "application/vnd.openxmlformats-officedocument"


def drawn(text: str) -> bytes:
    image = Image.new("RGB", (420, 90), "white")
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 36)
    ImageDraw.Draw(image).text((20, 20), text, font=font, fill="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    body: dict[str, Any] = answer.json()
    assert (body["code"], body["status"]) == (code, status)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["type"] == f"urn:shizi:error:{code}"
    return body


def test_json_is_a_document_of_the_schema(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", files={"file": drawn("Harbour 2026")})
    document = from_json(answer.content)
    assert document.text == "Harbour 2026"
    assert document.pages[0].width == 420
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_base64_in_json_reads_the_same(client: httpx.Client) -> None:
    encoded = base64.b64encode(drawn("Harbour 2026")).decode()
    for text in (encoded, f"data:image/png;base64,{encoded}"):
        answer = client.post("/v1/ocr", json={"image_base64": text, "format": "text", "min_score": 0.5})
        assert answer.text.strip() == "Harbour 2026"


def test_the_dialect_with_status_text_and_time_cost(client: httpx.Client) -> None:
    encoded = base64.b64encode(drawn("Harbour 2026")).decode()
    body = client.post("/api/v1/ocr", json={"image_base64": encoded}).json()
    assert body.keys() == {"status", "text", "time_cost"}
    assert (body["status"], body["text"]) == ("success", ["Harbour 2026"])
    assert 0 < body["time_cost"] < 60
    refused = client.post("/api/v1/ocr", json={"image_base64": "%%%"})
    assert refused.status_code == 400
    assert refused.json()["status"] == "error"
    assert refused.json()["code"] == "INVALID_REQUEST"


def test_the_nested_dialect(client: httpx.Client) -> None:
    [[[corners, [text, score]]]] = client.post("/ocr", files={"image": drawn("Harbour 2026")}).json()
    assert text == "Harbour 2026"
    assert 0.8 < score <= 1
    xs, ys = zip(*corners, strict=True)
    assert len(corners) == 4
    assert 0 <= min(xs) < 40 < 250 < max(xs) <= 420
    assert 0 <= min(ys) < max(ys) <= 90
    refused = client.post("/ocr", files={"file": b"another field"})
    assert refused.status_code == 400
    assert "'image'" in refused.json()["error"]


@pytest.mark.parametrize(
    ("name", "media_type", "begin"),
    [
        ("json", "application/json", b"{"),
        ("md", "text/markdown; charset=utf-8", b"Harbour"),
        ("csv", "text/csv; charset=utf-8; header=present", b"\xef\xbb\xbfpage"),
        ("xlsx", f"{OFFICE}.spreadsheetml.sheet", b"PK"),
        ("docx", f"{OFFICE}.wordprocessingml.document", b"PK"),
        ("hocr", "text/html; charset=utf-8", b"<?xml"),
        ("alto", "application/xml", b"<?xml"),
        ("pdf", "application/pdf", b"%PDF-"),
        ("annotated", "image/png", b"\x89PNG"),
    ],
)
def test_every_format_by_parameter_and_by_accept(
    client: httpx.Client, name: str, media_type: str, begin: bytes
) -> None:
    files = {"file": drawn("Harbour 2026")}
    asked = client.post("/v1/ocr", files=files, params={"format": name})
    assert (asked.status_code, asked.headers["content-type"]) == (200, media_type), asked.text
    assert asked.content.lstrip().lower().startswith(begin.lower()), asked.content[:40]
    accepted = client.post("/v1/ocr", files=files, headers={"Accept": f"{media_type.split(';')[0]}, */*;q=0.1"})
    assert accepted.headers["content-type"] == media_type


def test_a_format_that_nobody_makes_is_not_acceptable(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", files=script("say"), headers={"Accept": "audio/midi"})
    assert "application/json" in problem(answer, 406, "INVALID_REQUEST")["detail"]


def test_a_preview_says_so_and_reads_a_reduced_page(client: httpx.Client) -> None:
    body = client.post("/v1/preview", files=script("side")).json()
    assert body["preview"] is True
    assert body["text"] == "1280"
    assert "preview" not in client.post("/v1/ocr", files=script("side")).json()


RAISED = [error for error in taxonomy() if error is not ShiziError]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: error.code)
def test_every_error_of_the_table_is_a_problem(client: httpx.Client, error: type[ShiziError]) -> None:
    answer = client.post("/v1/ocr", files=script(f"raise {error.__name__}"))
    body = problem(answer, error.http_status, error.code)
    assert (body["number"], body["retryable"]) == (error.number, error.retryable)
    own = error is not StorageUnavailable  # whose words are for the operator: names of machines and folders
    assert (body["detail"] == "as the script says") is own
    if error.code in ("RATE_LIMITED", "OVERLOADED", "ENGINE_UNAVAILABLE"):
        assert (answer.headers["retry-after"], body["retry_after"]) == ("8", 8)
    if error.http_status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_bug_says_nothing_of_itself_but_the_log_says_where(client: httpx.Client, server: LocalServer) -> None:
    answer = client.post("/v1/ocr", files=script("break"))
    body = problem(answer, 500, "INTERNAL")
    assert "SECRET" not in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    until(lambda: any(line["request_id"] == body["request_id"] and "stack" in line for line in server.log()))
    logged = next(line for line in server.log() if line["request_id"] == body["request_id"] and "stack" in line)
    assert logged["error"] == "RuntimeError"
    assert any("local.py" in frame for frame in logged["stack"])


def test_errors_of_the_framework_are_problems_too(client: httpx.Client) -> None:
    problem(client.get("/nothing/here"), 404, "NOT_FOUND")
    answer = client.get("/v1/ocr")
    problem(answer, 405, "INVALID_REQUEST")
    assert answer.headers["allow"] == "POST"
    wrong = problem(client.post("/v1/ocr", files=script("say"), params={"min_score": "2"}), 422, "INVALID_REQUEST")
    assert wrong["parameters"][0]["name"] == "min_score"


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"colour": "red"}, "colour"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": "x" * 2000}, "pages"),
        ({"min_score": "nan"}, "min_score"),
        ({"timeout": "inf"}, "timeout"),
        ({"timeout": "0"}, "timeout"),
        ({"timeout": "86000"}, "timeout"),
        ({"format": "odt"}, "format"),
        ({"languages": " , "}, "languages"),
        ({"text_layer": "never"}, "text_layer"),
        ({"password": "in the query"}, "password"),
    ],
)
def test_wrong_parameters_are_named(client: httpx.Client, parameters: dict[str, str], name: str) -> None:
    body = problem(client.post("/v1/ocr", files=script("say"), params=parameters), 422, "INVALID_REQUEST")
    assert [fault["name"] for fault in body["parameters"]] == [name]
    assert "in the query" not in body["detail"]


def test_parameters_may_stand_in_the_form_but_not_twice(client: httpx.Client) -> None:
    assert client.post("/v1/ocr", files=script("say"), data={"format": "text"}).text.strip() == "said"
    twice = client.post("/v1/ocr", files=script("say"), data={"format": "text"}, params={"format": "json"})
    assert "query and in the body" in problem(twice, 422, "INVALID_REQUEST")["detail"]
    assert client.post("/v1/ocr", files=script("say"), data={"password": "opens"}).status_code == 200


def test_text_without_recognition_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", files=script("say"), params={"recognize": "false", "format": "text"})
    assert "without recognition" in problem(answer, 422, "INVALID_REQUEST")["detail"]


def test_what_passed_its_time_is_a_timeout(client: httpx.Client) -> None:
    problem(client.post("/v1/ocr", files=script("wait 30"), params={"timeout": "0.2"}), 504, "TIMEOUT")


def test_ids_are_taken_where_sane_and_made_elsewhere(client: httpx.Client, server: LocalServer) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = client.get("/v1/models", headers={"X-Request-ID": "abc-123_DEF", "traceparent": trace})
    assert answer.headers["x-request-id"] == "abc-123_DEF"
    until(lambda: any(line["request_id"] == "abc-123_DEF" for line in server.log()))
    logged = next(line for line in server.log() if line["request_id"] == "abc-123_DEF")
    assert logged["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    for bad in ("short", "x" * 65, 'quote"quote', "with space in it"):
        made = client.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_headers_that_browsers_need_are_on_every_answer(client: httpx.Client) -> None:
    for answer in (client.get("/healthz"), client.get("/nowhere"), client.post("/v1/ocr", files=script("break"))):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    crossing = client.options(
        "/v1/ocr", headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    )
    assert not any(name.startswith("access-control") for name in crossing.headers)


def test_capabilities_name_the_limits_that_hold(client: httpx.Client) -> None:
    body = client.get("/v1/capabilities").json()
    assert body == client.get("/capabilities").json()
    assert body["limits"]["max_bytes"] == 3_000_000
    assert body["limits"]["max_parts"] == 6
    assert body["formats"]["pdf"] == "application/pdf"
    assert body["version"] == "1.2.3"


def test_metrics_can_be_parsed_and_count(client: httpx.Client) -> None:
    def count() -> float:
        families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
        samples = families["shizi_requests"].samples
        wanted = {"route": "/v1/ocr", "method": "POST", "status": "415"}
        return next((s.value for s in samples if s.name.endswith("_total") and s.labels == wanted), 0.0)

    before = count()
    client.post("/v1/ocr", files=script("raise UnsupportedFormat"))
    assert count() == before + 1
    text = client.get("/metrics").text
    assert 'shizi_stage_seconds_bucket{le="0.005",stage="detect"}' in text
    assert 'shizi_build_info{version="1.2.3"} 1.0' in text


def test_health_and_models(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/v1/models").json()["models"][0]["name"] == "drawn"


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer shizi_a_b"}, {"X-API-Key": "x"}, {"Authorization": "Basic eDp5"}]
)
def test_a_key_that_does_not_hold_is_found_out_without_a_document(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    problem(client.get("/v1/models", headers=headers), 401, "UNAUTHENTICATED")


def test_nothing_of_a_document_is_in_the_log(client: httpx.Client, server: LocalServer) -> None:
    client.post("/v1/ocr", files={"file": ("SECRET-NAME.png", drawn("Zebra Crossing"), "image/png")})
    client.post("/v1/ocr", files=script("break"), headers={"Authorization": "Bearer SECRET-TOKEN"})
    client.post("/v1/ocr", files=script("say"), data={"password": "SECRET-PASSWORD"})
    client.get("/v1/SECRET-PATH?SECRET-QUERY=1")
    last = client.post("/v1/ocr", files=script("say")).headers["x-request-id"]
    until(lambda: any(line.get("request_id") == last for line in server.log()))
    written = "".join(server.out + server.err)
    assert "SECRET" not in written
    assert "Zebra" not in written
    logged = next(line for line in server.log() if line["request_id"] == last)
    assert logged["route"] == "/v1/ocr"
    assert re.fullmatch(r"[0-9a-f]{12}", logged["sha256"])
    assert logged["upload_bytes"] == len(b"SCRIPT say ")
    json.dumps(logged)
