"""Client addresses behind proxies: what clients invent is never believed."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from shizi.errors import InvalidRequest
from shizi.serving.addresses import ClientAddress, ProxyOptions, group, parse_address

TRUSTED = ProxyOptions(trusted=("10.0.0.0/8", "fd00::/8", "127.0.0.1"))
FORWARDED = ProxyOptions(trusted=("10.0.0.0/8", "fd00::/8"), header="forwarded")


def client(options: ProxyOptions, peer: str, *lines: str, name: str = "x-forwarded-for") -> str:
    headers = Headers(raw=[(name.encode(), line.encode("latin-1")) for line in lines])
    return str(ClientAddress(options).of(peer, headers))


@pytest.mark.parametrize(
    ("peer", "lines", "found"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.2.3.4, 10.0.0.7"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9:51234"], "203.0.113.9"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("fd00::1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, nonsense, 10.0.0.5"], "10.0.0.5"),
        ("10.0.0.1", ["6.6.6.6,"], "10.0.0.1"),
        ("192.0.2.1", ["6.6.6.6"], "192.0.2.1"),
        ("2001:db8::1", ["6.6.6.6"], "2001:db8::1"),
        ("", ["6.6.6.6"], "6.6.6.6"),
    ],
)
def test_x_forwarded_for(peer: str, lines: list[str], found: str) -> None:
    assert client(TRUSTED, peer, *lines) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["for=203.0.113.9"], "203.0.113.9"),
        (["For=203.0.113.9;proto=https;by=10.0.0.1"], "203.0.113.9"),
        (['proto=https; for="[2001:db8::7]:4711"'], "2001:db8::7"),
        (['for="203.0.113.9:80"'], "203.0.113.9"),
        (["for=6.6.6.6, for=203.0.113.9, for=10.2.2.2"], "203.0.113.9"),
        (["for=6.6.6.6", "for=203.0.113.9"], "203.0.113.9"),
        (['for="6.6.6.6, for=203.0.113.9'], "203.0.113.9"),
        (["for=_hidden"], "10.0.0.1"),
        (["for=unknown"], "10.0.0.1"),
        (["proto=https"], "10.0.0.1"),
        (["xfor=6.6.6.6"], "10.0.0.1"),
        (['by="for=6.6.6.6"'], "10.0.0.1"),
        (["203.0.113.9"], "10.0.0.1"),
    ],
)
def test_forwarded(lines: list[str], found: str) -> None:
    assert client(FORWARDED, "10.0.0.1", *lines, name="Forwarded") == found


def test_the_header_that_the_proxies_do_not_write_is_never_read() -> None:
    assert client(TRUSTED, "10.0.0.1", "for=6.6.6.6", name="forwarded") == "10.0.0.1"
    assert client(FORWARDED, "10.0.0.1", "6.6.6.6") == "10.0.0.1"
    assert client(TRUSTED, "10.0.0.1", "6.6.6.6", name="x-real-ip") == "10.0.0.1"


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    assert client(ProxyOptions(), "127.0.0.1", "6.6.6.6") == "127.0.0.1"
    assert client(ProxyOptions(), "", "6.6.6.6") == "127.0.0.1"


def test_long_chains_are_not_followed_to_their_end() -> None:
    assert client(TRUSTED, "10.0.0.1", "6.6.6.6, " + ", ".join(["10.0.0.2"] * 40)) == "10.0.0.2"
    cut = "1" + "10.9.9.9," + "10.9.9.9," * 453 + "10.0.0.5,10.0.0.6"
    assert client(TRUSTED, "10.0.0.1", cut).startswith("10.")


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=200), st.booleans())
def test_whatever_a_client_writes_the_hop_that_a_proxy_added_is_found(text: str, forwarded: bool) -> None:
    options, name = (FORWARDED, "forwarded") if forwarded else (TRUSTED, "x-forwarded-for")
    added = "for=203.0.113.9" if forwarded else "203.0.113.9"
    assert client(options, "10.0.0.1", f"{text},{added}", name=name) == "203.0.113.9"
    assert client(options, "192.0.2.1", text, name=name) == "192.0.2.1"


@pytest.mark.parametrize("network", ["10.0.0.1/8", "all", "", "10.0.0.0/33", "*"])
def test_networks_are_checked(network: str) -> None:
    with pytest.raises(InvalidRequest, match="no network of trusted proxies"):
        ProxyOptions(trusted=(network,))


def test_the_header_is_one_of_two() -> None:
    wrong: Any = "x-real-ip"
    with pytest.raises(InvalidRequest, match="x-forwarded-for or forwarded"):
        ProxyOptions(header=wrong)


def test_addresses_in_every_dress() -> None:
    assert parse_address("fe80::1%eth0") == ip_address("fe80::1")
    assert parse_address(" 1.2.3.4 ") == ip_address("1.2.3.4")
    for text in ("", "1.2.3", "1.2.3.4.5", "01.2.3.4", "localhost", "[::1", "1:2:3", "testclient", "１.2.3.4"):
        assert parse_address(text) is None or text == "[::1"


def test_networks_count_as_one_caller() -> None:
    first, second = ip_address("2001:db8:1:2::1"), ip_address("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert group(first, 32, 64) == group(second, 32, 64) == "2001:db8:1:2::/64"
    assert group(ip_address("1.2.3.4"), 32, 64) == "1.2.3.4/32"
    assert group(ip_address("1.2.3.4"), 24, 64) == "1.2.3.0/24"
