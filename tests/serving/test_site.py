"""The files of the web page, as they are served."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shizi.errors import InvalidRequest
from shizi.serving import site as module
from shizi.serving.site import site
from tests.serving.processes import LocalServer
from tests.serving.test_app import problem

HTML = b"<!doctype html><title>shizi</title>"
SCRIPT = b"export const answer = 42;\n" * 100
CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def build(folder: Path) -> Path:
    """A page as the bundler leaves it, and beside it what is not of it."""
    ui = folder / "ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_bytes(HTML)
    (ui / "icon.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (ui / "assets" / "index-B2f_x-9Q.js").write_bytes(SCRIPT)
    (ui / "assets" / "index-B2f_x-9Q.js.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (ui / "assets" / "plain.wasm").write_bytes(b"\0asm\1\0\0\0")
    (folder / "secret.txt").write_text("SECRET")
    (ui / "assets" / "link.txt").symlink_to(folder / "secret.txt")
    (ui / "linked").symlink_to(folder)
    return ui


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    ui = build(tmp_path_factory.mktemp("page"))
    with LocalServer({"ui": str(ui), "strangers": False}) as server, server.client() as client:
        yield client


def test_the_page_is_public_and_the_api_is_not(page: httpx.Client) -> None:
    answer = page.get("/")
    assert (answer.status_code, answer.content) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    problem(page.post("/v1/ocr", files={"file": b"x"}), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("path", ["/", "/index.html", "/icon.svg", "/assets/index-B2f_x-9Q.js", "/assets/plain.wasm"])
def test_every_file_has_the_headers_that_keep_a_page_to_itself(page: httpx.Client, path: str) -> None:
    headers = page.get(path).headers
    assert headers.get_list("content-security-policy") == [CSP]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=(self),")
    assert headers["x-frame-options"] == "DENY"


def test_answers_of_the_api_have_a_policy_of_their_own(page: httpx.Client) -> None:
    assert page.get("/healthz").headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("path", "media_type", "cached"),
    [
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/assets/plain.wasm", "application/wasm", "no-cache"),
        ("/assets/index-B2f_x-9Q.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ],
)
def test_only_what_has_a_hash_in_its_name_is_kept_for_ever(
    page: httpx.Client, path: str, media_type: str, cached: str
) -> None:
    headers = page.get(path).headers
    assert (headers["content-type"], headers["cache-control"]) == (media_type, cached)


def test_what_the_browser_has_already_is_not_sent_again(page: httpx.Client) -> None:
    tag = page.get("/").headers["etag"]
    for known in (tag, f'"another", W/{tag}', "*"):
        answer = page.get("/", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert answer.headers["content-security-policy"] == CSP
    assert page.get("/", headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [("gzip, br", True), ("br;q=1, GZIP;q=0.1", True), ("gzip;q=0", False), ("identity", False), ("xgzip", False)],
)
def test_gzip_is_sent_where_it_is_taken(page: httpx.Client, accepted: str, zipped: bool) -> None:
    answer = page.get("/assets/index-B2f_x-9Q.js", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == ("gzip" if zipped else None)
    assert answer.content == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"].endswith('-gz"') is zipped
    assert (int(answer.headers["content-length"]) < 200) is zipped
    assert "content-encoding" not in page.get("/", headers={"Accept-Encoding": accepted}).headers


def test_head_says_the_same_without_the_file(page: httpx.Client) -> None:
    asked, headed = page.get("/assets/index-B2f_x-9Q.js"), page.head("/assets/index-B2f_x-9Q.js")
    assert headed.content == b""
    for name in ("content-length", "content-type", "content-encoding", "etag", "cache-control"):
        assert headed.headers[name] == asked.headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/link.txt",
        "/linked/secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/",
        "/assets",
        "/assets/index-B2f_x-9Q.js.gz",
        "/assets/index-B2f_x-9Q.js/",
    ],
)
def test_nothing_but_files_of_the_page_is_there(page: httpx.Client, path: str) -> None:
    url = httpx.URL(page.base_url, raw_path=path.encode())
    answer = page.get(url)
    problem(answer, 404, "NOT_FOUND")
    assert "SECRET" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_files_are_only_got(page: httpx.Client) -> None:
    for path in ("/", "/assets/plain.wasm"):
        answer = page.post(path)
        problem(answer, 405, "INVALID_REQUEST")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_metrics_count_folders_not_files(page: httpx.Client) -> None:
    page.get("/assets/plain.wasm")
    page.get("/assets/never-was-1.js")
    metrics = page.get("/metrics").text
    assert 'route="/assets/{rest:path}"' in metrics
    assert "never-was-1" not in metrics


def test_where_no_page_was_built_its_address_says_how_it_is(tmp_path: Path) -> None:
    with LocalServer({"ui": str(tmp_path / "none")}) as server, server.client() as client:
        body = problem(client.get("/"), 404, "NOT_FOUND")
        assert "make web" in body["detail"]
        assert client.get("/healthz").status_code == 200


def test_a_server_without_the_page_does_not_speak_of_it(client: httpx.Client) -> None:
    assert "make web" not in problem(client.get("/"), 404, "NOT_FOUND")["detail"]


def test_what_is_no_built_page_is_not_taken_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ui = build(tmp_path)
    assert set(site(ui)) == {"index.html", "icon.svg", "assets/index-B2f_x-9Q.js", "assets/plain.wasm"}
    monkeypatch.setattr(module, "MOST_BYTES", len(SCRIPT))
    with pytest.raises(InvalidRequest, match="--no-ui"):
        site(ui)
    monkeypatch.setattr(module, "MOST_BYTES", 2**20)
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(InvalidRequest, match="more than 2 files"):
        site(ui)
