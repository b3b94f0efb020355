from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.models.sources import LocalFile, Url, WheelMember, parse_source, redacted


def test_a_wheel_source_is_a_requirement_and_a_member() -> None:
    source = parse_source("pypi://rapidocr==3.10.0#rapidocr/models/PP-OCRv6_rec_small.onnx")

    assert source == WheelMember("rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx")


@pytest.mark.parametrize(
    "text",
    [
        "pypi://rapidocr#a.onnx",
        "pypi://rapidocr>=3#a.onnx",
        "pypi://rapidocr==*#a.onnx",
        "pypi://--index-url=evil==1#a.onnx",
        "pypi://a==1 --extra-index-url evil#a.onnx",
        "pypi://rapidocr==3.10.0",
        "pypi://rapidocr==3.10.0#",
        "pypi://rapidocr==3.10.0#/etc/passwd",
        "pypi://rapidocr==3.10.0#../../x.onnx",
    ],
)
def test_a_wheel_source_needs_one_exact_version_and_a_file_inside(text: str) -> None:
    with pytest.raises(InvalidRequest, match="pypi://NAME==VERSION#FILE"):
        parse_source(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example/a.onnx",
        "http://127.0.0.1:8000/a.onnx",
        "http://localhost/a.onnx",
        "http://[::1]:80/a.onnx",
    ],
)
def test_https_is_a_source_and_http_only_on_this_machine(url: str) -> None:
    assert parse_source(url) == Url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example/a.onnx",
        "http://127.0.0.1.example/a.onnx",
        "http://169.254.169.254/a.onnx",
        "ftp://models.example/a.onnx",
        "file:///etc/passwd",
    ],
)
def test_what_could_be_changed_on_its_way_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="neither https:// nor http:// on this machine"):
        parse_source(url)


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidRequest, match="user name or password") as caught:
        parse_source("https://ann:hunter2@models.example/a.onnx?token=s3cret")

    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https:///a.onnx", "https://models.example:notaport/a.onnx", "https://[::1/a.onnx"])
def test_a_url_that_names_no_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="model URL"):
        parse_source(url)


def test_all_else_is_a_path() -> None:
    assert parse_source("/models/a.onnx") == LocalFile(Path("/models/a.onnx"))
    assert parse_source("a.onnx") == LocalFile(Path("a.onnx"))
    assert parse_source("~/a.onnx") == LocalFile(Path.home() / "a.onnx")


def test_the_home_folder_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no home folder"):
        parse_source("~nobody-has-this-name/a.onnx")


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        parse_source("  ")


@pytest.mark.parametrize("text", ["~\0", "models/x\0.onnx", "~\ud800"])
def test_a_path_that_no_file_can_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_source(text)


@given(
    st.text(max_size=80) | st.text(max_size=60).map("pypi://".__add__) | st.text(max_size=60).map("https://".__add__)
)
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        source = parse_source(text)
    except InvalidRequest:
        return
    assert isinstance(source, WheelMember | Url | LocalFile)


def test_redaction_takes_credentials_and_queries_out_of_urls() -> None:
    said = "see https://ann:hunter2@index.example/simple/x/, https://cdn.example/x.whl?sig=s3cret#y and a@b.example"

    shown = redacted(said)

    assert shown == "see https://***@index.example/simple/x/, https://cdn.example/x.whl?***#y and a@b.example"


@given(st.text(alphabet="abc:@$%!-_.~", min_size=1, max_size=20), st.text(alphabet="xyz", min_size=1, max_size=8))
def test_no_password_survives_redaction(password: str, user: str) -> None:
    assert redacted(f"see https://{user}:{password}@host.example/p now") == "see https://***@host.example/p now"
