"""The API's description: valid, with examples, and true."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.serving.processes import script
from tests.serving.test_app import drawn


@pytest.fixture(scope="module")
def description(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/openapi.json").json()
    return answer


def check(description: dict[str, Any], value: object, schema: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": description["components"]}).validate(value)


def test_it_is_a_valid_description_of_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1.")
    validate(description)
    assert description["info"]["version"] == "1.2.3"


def test_it_names_every_address_once(description: dict[str, Any]) -> None:
    assert set(description["paths"]) == {
        "/v1/ocr",
        "/v1/preview",
        "/v1/export",
        "/v1/render",
        "/v1/models",
        "/v1/capabilities",
        "/api/v1/ocr",
        "/ocr",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    ids = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids)


def test_every_parameter_says_what_it_is(description: dict[str, Any]) -> None:
    for address in ("/v1/ocr", "/v1/preview", "/api/v1/ocr", "/ocr"):
        operation = description["paths"][address]["post"]
        assert all(parameter["description"] for parameter in operation["parameters"])
        for content in operation["requestBody"]["content"].values():
            assert content["schema"]["additionalProperties"] is False
            assert "password" in content["schema"]["properties"]
        assert "password" not in [parameter["name"] for parameter in operation["parameters"]]


def test_answers_are_as_described(description: dict[str, Any], client: httpx.Client) -> None:
    answers = description["paths"]["/v1/ocr"]["post"]["responses"]
    document = client.post("/v1/ocr", files=script("say")).json()
    check(description, document, answers["200"]["content"]["application/json"]["schema"])
    preview = client.post("/v1/preview", files=script("say")).json()
    check(description, preview, answers["200"]["content"]["application/json"]["schema"])
    refused = client.post("/v1/ocr", files=script("raise RateLimited"), params={"format": "json"})
    check(description, refused.json(), answers["429"]["content"]["application/problem+json"]["schema"])
    wrong = client.post("/v1/ocr", files=script("say"), params={"pages": "x"})
    check(description, wrong.json(), answers["422"]["content"]["application/problem+json"]["schema"])
    simple = description["paths"]["/api/v1/ocr"]["post"]["responses"]["200"]
    encoded = base64.b64encode(b"SCRIPT say ").decode()
    read = client.post("/api/v1/ocr", json={"image_base64": encoded}).json()
    check(description, read, simple["content"]["application/json"]["schema"])


@pytest.mark.parametrize(("address", "status"), [("/api/v1/ocr", 415), ("/ocr", 400)])
def test_errors_of_dialects_are_as_described(
    description: dict[str, Any], client: httpx.Client, address: str, status: int
) -> None:
    answer = client.post(
        address, content=b"x", headers={"Content-Type": "multipart/form-data" if status == 400 else "x/y"}
    )
    assert answer.status_code == status
    described = description["paths"][address]["post"]["responses"][str(status)]
    check(description, answer.json(), described["content"]["application/json"]["schema"])


def test_a_document_of_another_kind_does_not_pass_the_schema(description: dict[str, Any]) -> None:
    schema = description["paths"]["/v1/ocr"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": description["components"]})
    assert not validator.is_valid({"schema": "shizi/2", "text": "", "pages": [], "models": [], "timings_ms": {}})


def test_examples_can_be_sent_as_they_are(description: dict[str, Any], client: httpx.Client) -> None:
    content = description["paths"]["/v1/ocr"]["post"]["requestBody"]["content"]["application/json"]
    check(description, content["example"], content["schema"])
    answer = client.post("/v1/ocr", json=content["example"])
    assert (answer.status_code, answer.json()["text"]) == (200, "")
    assert drawn("x")[:8] == base64.b64decode(content["example"]["image_base64"])[:8]
