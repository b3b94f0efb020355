"""How the page comes to the browser: its policy, its size, where it may live, and when it is not there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Watch, axe, until
from tests.e2e.test_serve import Serve
from tests.serving.test_site import CSP

MOST_AT_FIRST = 350_000  # bytes, as they are sent


def test_the_page_loads_without_an_error_and_asks_nobody_else(page: Page, watch: Watch) -> None:
    page.wait_for_load_state("networkidle")
    assert page.title().startswith("shizi")
    assert watch.faults == []


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        ("() => fetch('http://localhost:9/').catch(() => 0)", "connect-src"),
        ("() => { document.body.append(Object.assign(new Image(), { src: 'http://localhost:9/a.png' })) }", "img-src"),
        ("() => { document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">') }", "style-src"),
        (
            "() => { document.body.insertAdjacentHTML('beforeend', '<img onerror=\"alert(1)\" src=\"x:\">') }",
            "script-src",
        ),
        (
            "() => { document.body.append(Object.assign(document.createElement('object'), { data: '/' })) }",
            "object-src",
        ),
        ("() => { location.href = 'http://localhost:9/' }", "leaves the origin"),
        ("() => { setTimeout(() => { throw new Error('thrown') }) }", "uncaught: thrown"),
    ],
)
def test_what_a_page_must_not_do_is_stopped_or_seen(page: Page, watch: Watch, does: str, fault: str) -> None:
    page.evaluate(does)
    until(page, lambda: any(fault in each for each in watch.faults))
    watch.allow(".")


def test_the_policy_is_exactly_what_it_should_be(served: Serve) -> None:
    assert served.client.get("/").headers.get_list("content-security-policy") == [CSP]


def test_the_first_load_is_small_and_compressed(browser: Browser, served: Serve) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(served.url)
        page.wait_for_load_state("networkidle")
        sizes = {answer.url: answer.request.sizes()["responseBodySize"] for answer in answers}
        zipped = {answer.url: answer.header_value("content-encoding") for answer in answers}
    assert 20_000 < sum(sizes.values()) <= MOST_AT_FIRST, sizes
    assert {zipped[url] for url in sizes if url.endswith((".js", ".css"))} == {"gzip"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing(open_page: OpenPage, language: str) -> None:
    page = open_page(language="zh" if language == "zh" else "en")
    assert axe(page) == []


def test_a_server_without_the_page_has_the_api_alone() -> None:
    with Serve("--no-ui") as serve:
        answer = serve.client.get("/")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert "make web" not in answer.text
        assert serve.client.get("/assets/x.js").status_code == 404
        assert serve.client.get("/healthz").status_code == 200
