"""A page of another site cannot use a server that asks this machine's callers for no key."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import Headers

from shizi.errors import Forbidden
from shizi.serving.auth import AuthOptions, authenticator
from shizi.serving.foreign_pages import check_page


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "127.0.0.1:8000"},
        {"host": "localhost"},
        {"host": "LOCALHOST:8000"},
        {"host": "[::1]:8000"},
        {"host": "shizi.localhost:8000"},
        {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1:8000", "sec-fetch-site": "none"},
    ],
)
def test_programs_of_this_machine_and_the_own_page_pass(headers: dict[str, str]) -> None:
    check_page(headers, local_names=True)


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8000",
        "localhost.attacker.example",
        "127.0.0.1.x.example",
        "10.0.0.5",
        "[::1",
        "localhost/.attacker.example",
        "localhost#attacker.example",
        "localhost?attacker.example",
        "attacker.example@localhost",
        "localhost.",
        "[::1%25eth0]",
    ],
)
def test_a_name_that_was_bound_to_this_machine_is_refused(host: str) -> None:
    with pytest.raises(Forbidden, match="names of this machine"):
        check_page({"host": host}, local_names=True)
    check_page({"host": host}, local_names=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://attacker.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://127.0.0.1:8000.attacker.example"},
    ],
)
@pytest.mark.parametrize("local_names", [True, False])
def test_a_form_of_another_site_is_refused(headers: dict[str, str], local_names: bool) -> None:
    with pytest.raises(Forbidden, match="another site"):
        check_page({"host": "127.0.0.1:8000", **headers}, local_names=local_names)


def test_it_stands_before_everything_that_needs_no_key() -> None:
    people = authenticator(AuthOptions(), loopback_only=True, keys=None, tokens=None)
    assert asyncio.run(people.authenticate({"host": "127.0.0.1:8000"})).anonymous
    with pytest.raises(Forbidden):
        asyncio.run(people.authenticate({"host": "attacker.example"}))
    everybody = authenticator(AuthOptions(anonymous="always"), loopback_only=False, keys=None, tokens=None)
    assert asyncio.run(everybody.authenticate({"host": "ocr.example.org"})).anonymous
    with pytest.raises(Forbidden):
        asyncio.run(everybody.authenticate({"host": "ocr.example.org", "sec-fetch-site": "cross-site"}))


@pytest.mark.parametrize(
    "twice",
    [
        [("host", "127.0.0.1:8000"), ("host", "attacker.example")],
        [("host", "127.0.0.1:8000"), ("origin", "http://127.0.0.1:8000"), ("origin", "https://attacker.example")],
        [("host", "127.0.0.1:8000"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
    ],
)
def test_a_second_header_does_not_hide_behind_the_first(twice: list[tuple[str, str]]) -> None:
    headers = Headers(raw=[(name.encode(), value.encode()) for name, value in twice])
    with pytest.raises(Forbidden, match="twice"):
        check_page(headers, local_names=True)


def test_a_page_without_an_origin_of_its_own_is_foreign_to_a_request_without_a_host() -> None:
    with pytest.raises(Forbidden, match="another site"):
        check_page({"origin": "null"}, local_names=True)
