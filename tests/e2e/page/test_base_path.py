"""The page below a path of somebody else's site, behind a proxy that takes the path away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect

from benchmarks.serving.process import Server, free_port
from benchmarks.serving.rolling import haproxy
from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import give
from tests.e2e.test_serve import Serve

BASE = "/tools/ocr/"
_CONFIGURATION = """
global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend site
    bind 127.0.0.1:{port}
    monitor-uri /alive
    acl ours path_beg {base}
    http-request return status 418 unless ours
    http-request replace-path {base}(.*) /\\1
    default_backend shizi
backend shizi
    server shizi {server}
"""


@pytest.fixture(scope="module")
def below(served: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    file = tmp_path_factory.mktemp("proxy") / "haproxy.cfg"
    file.write_text(_CONFIGURATION.format(port=port, base=BASE, server=served.url.removeprefix("http://")))
    with Server([str(Path(haproxy())), "-db", "-f", str(file)], port, "/alive") as proxy:
        proxy.until_ready()
        yield f"http://127.0.0.1:{port}{BASE}"


def test_the_page_works_below_a_path(open_page: OpenPage, below: str) -> None:
    page = open_page(url=below)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.reload()
    with page.expect_response(lambda answer: answer.url.startswith(f"{below}v1/ocr")) as read:
        give(page, "invoice.png")
    assert read.value.status == 200
    expect(page.get_by_text("Qingshan Instruments").first).to_be_attached()
    fetched = [url for url in asked if not url.startswith(("blob:", "data:"))]
    assert len(fetched) > 3
    assert [url for url in fetched if not url.startswith(below)] == []
