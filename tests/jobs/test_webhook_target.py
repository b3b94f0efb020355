"""Addresses that clients may make up, and what becomes of them; no connection is made in any of the refusals."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.jobs.webhook_sender import Sender
from shizi.jobs.webhook_target import (
    Address,
    TargetRules,
    check_address,
    check_answers,
    networks_of,
    target_of,
)

PUBLIC = "93.184.215.14"
PUBLIC_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


class Door:
    """Listens on loopback and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with Door() as door:
        yield door


# PORT stands for the port on which somebody listens and counts.
FORMS = [
    # other schemes and forms
    "",
    "receiver.example/hook",
    "//receiver.example/hook",
    "ftp://receiver.example/hook",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_POST",
    "unix:/run/docker.sock",
    "http+unix://%2Frun%2Fdocker.sock/hook",
    "javascript:alert(1)",
    "https:receiver.example",
    "https:/receiver.example",
    "https:///hook",
    "https://",
    "https://:PORT/",
    "HTTPS//127.0.0.1:PORT",
    "jar:https://127.0.0.1:PORT!/",
    " https://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/ ",
    "https://127.0.0.1:PORT/a b",
    "https://127.0.0.1:PORT/\r\nX: y",
    "https://127.0.0.1\t:PORT/",
    "https://receiver.example/#@127.0.0.1",
    "https://receiver.example/\x00",
    "https://receiver.example/" + "a" * 2048,
    # who is who: user names, backslashes, several ports
    "https://user@127.0.0.1:PORT/",
    "https://user:word@127.0.0.1:PORT/",
    "https://receiver.example@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT@receiver.example/",
    "https://receiver.example:443@127.0.0.1:PORT/",
    "https://receiver.example\\@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT\\.receiver.example/",
    "https:\\\\127.0.0.1:PORT/",
    "https://127.0.0.1:PORT:443/",
    "https://127.0.0.1:PORT:/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:65536/",
    "https://127.0.0.1:0x1bb/",
    "https://receiver.example:22/",
    "https://receiver.example:6379/",
    "https://receiver.example:0/",
    # loopback in its many ways of writing
    "https://127.0.0.1:PORT/",
    "hTTpS://127.0.0.1:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://2130706433:PORT/",
    "https://017700000001:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0x7f000001:PORT/",
    "https://0x7f.0.0.1:PORT/",
    "https://0x7F.1:PORT/",
    "https://127.0.0.01:PORT/",
    "https://127.0.0.1.:PORT/",
    "https://127.0.0.256:PORT/",
    "https://127.0.0.1.1:PORT/",
    "https://1.0x:PORT/",
    "https://127.255.255.254:PORT/",
    "https://%31%32%37.0.0.1:PORT/",
    "https://127%2e0%2e0%2e1:PORT/",
    "https://１２７.０.０.１:PORT/",
    "https://①②⑦.⓪.⓪.①:PORT/",
    "https://127。0。0。1:PORT/",
    "https://127．0．0．1:PORT/",
    "https://0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://[::1]:PORT/",
    "https://[::]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://[64:ff9b::127.0.0.1]:PORT/",
    "https://[64:ff9b:1::7f00:1]:PORT/",
    "https://[2002:7f00:1::]:PORT/",
    "https://[2001:0:7f00:1::]:PORT/",
    "https://[::1%25lo]:PORT/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://::1:PORT/",
    "https://[127.0.0.1]:PORT/",
    "https://[v1.fe80::a]/",
    # other networks of the inside
    "https://10.0.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://192.88.99.1/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[2001:2::1]/",
    "https://[2001:20::1]/",
    # names that are none
    "https://receiver.example./hook",
    "https://receiver..example/",
    "https://.example/",
    "https://-receiver.example/",
    "https://rece iver.example/",
    "https://receiver_1.example/",
    "https://receiver%2eexample/",
    "https://" + "a" * 64 + ".example/",
    "https://" + ".".join(["abcdefg"] * 40) + "/",
    "https://xn--a/",
    "https://receiver.example\u2044hook/",
    "https://receiver.example，127.0.0.1/",
]

# What a name leads to, by a resolver that somebody else runs.
ANSWERS = [
    [],
    ["127.0.0.1"],
    ["::1"],
    ["0.0.0.0"],
    ["::"],
    ["10.1.2.3"],
    ["172.16.0.1"],
    ["192.168.0.10"],
    ["169.254.169.254"],
    ["100.64.10.1"],
    ["fd00::5"],
    ["fe80::1%1"],
    ["::ffff:10.0.0.1"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["2001:0:1:2:3:4:5:6"],
    ["224.0.0.251"],
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    [PUBLIC_6, "::1"],
    [PUBLIC] * 65,
]


class Resolver:
    """Answers what it was told, time after time; the last answer stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[Address]:
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(text) for text in answer]


def attempt(url: str, rules: TargetRules, resolver: Resolver) -> str:
    """What a sender says of an address; it must not have delivered anything."""

    async def send() -> str:
        sender = Sender(rules, 2.0, resolver)
        came = await sender.send(url, {}, b"{}")
        assert not came.delivered
        assert came.status is None
        return came.fault

    return asyncio.run(send())


def rules_for(door: Door) -> TargetRules:
    return TargetRules(schemes=("https", "http"), ports=(443, door.port))


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("form", FORMS)
def test_addresses_that_are_refused_by_their_form_alone(door: Door, form: str, scheme: str) -> None:
    url = form.replace("PORT", str(door.port)).replace("https://", f"{scheme}://", 1)
    rules, resolver = rules_for(door), Resolver(["127.0.0.1"])
    if scheme == "http" and ":" not in url.partition("://")[2]:
        rules = TargetRules(schemes=("https", "http"), ports=(80, 443, door.port))
    before = door.connections
    with pytest.raises(InvalidRequest):
        target_of(url, rules)
    assert attempt(url, rules, resolver).startswith("the address ")
    assert (resolver.asked, door.connections) == ([], before)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: ",".join(answer[:2]) or "none")
def test_names_that_lead_inside_are_not_followed(door: Door, answer: Sequence[str]) -> None:
    for scheme in ("https", "http"):
        resolver, before = Resolver(answer), door.connections
        fault = attempt(f"{scheme}://receiver.example:{door.port}/", rules_for(door), resolver)
        assert fault.startswith("the address ")
        assert not any(text in fault for text in answer)
        assert (len(resolver.asked), door.connections) == (1, before)


def test_a_name_is_asked_for_once_so_that_a_second_answer_changes_nothing(door: Door) -> None:
    """Rebinding: a public address while it is judged, loopback when it is connected to."""
    resolver = Resolver([PUBLIC], ["127.0.0.1"])
    before = door.connections
    # Whatever the network between makes of the public address, it is not the door on loopback.
    attempt(f"http://rebinding.example:{door.port}/", rules_for(door), resolver)
    assert resolver.asked == ["rebinding.example"]
    assert door.connections == before


def test_the_door_counts_so_that_the_tests_above_can_fail(door: Door) -> None:
    before = door.connections
    rules = TargetRules(schemes=("http",), ports=(door.port,), networks=networks_of(["127.0.0.0/8"]))
    for url in (f"http://127.0.0.1:{door.port}/", f"http://receiver.example:{door.port}/"):
        assert attempt(url, rules, Resolver(["127.0.0.1"])) == "the connection broke off"
    assert door.connections == before + 2


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://receiver.example", "receiver.example", 443, "/", "receiver.example"),
        ("HTTPS://Receiver.Example/Hook?a=b", "receiver.example", 443, "/Hook?a=b", "receiver.example"),
        ("https://receiver.example:8443?x", "receiver.example", 8443, "/?x", "receiver.example:8443"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
        ("https://例え.example/", "xn--r8jz45g.example", 443, "/", "xn--r8jz45g.example"),
        (f"https://{PUBLIC}/", PUBLIC, 443, "/", PUBLIC),
        (f"https://[{PUBLIC_6}]/", PUBLIC_6, 443, "/", f"[{PUBLIC_6}]"),
        ("https://[64:ff9b::5db8:d70e]/", "64:ff9b::5db8:d70e", 443, "/", "[64:ff9b::5db8:d70e]"),
        ("https://1.example/", "1.example", 443, "/", "1.example"),
        ("https://receiver.example/%00%0d@/", "receiver.example", 443, "/%00%0d@/", "receiver.example"),
    ],
)
def test_addresses_that_hold(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = target_of(url, TargetRules())
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


def test_plain_http_only_where_it_is_allowed() -> None:
    with pytest.raises(InvalidRequest, match="scheme http; this server allows https"):
        target_of("http://receiver.example/", TargetRules(ports=(80, 443)))
    assert target_of("http://receiver.example/", TargetRules(schemes=("https", "http"), ports=(80,))).port == 80


def test_named_networks_open_the_inside_but_never_what_hands_out_keys() -> None:
    rules = TargetRules(networks=networks_of(["10.1.0.0/16", "169.254.0.0/16", "fd12::/48", "0.0.0.0/0"]))
    check_address(ip_address("10.1.2.3"), rules)
    check_address(ip_address("::ffff:10.1.2.3"), rules)
    check_address(ip_address("fd12::9"), rules)
    for text in (
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fd13::1",
    ):
        with pytest.raises(InvalidRequest, match="not public"):
            check_address(ip_address(text), rules)
    with pytest.raises(InvalidRequest, match=r"10\.1\.0\.1/16"):
        networks_of(["10.1.0.1/16"])


@given(st.ip_addresses())
def test_what_passes_is_global_by_the_library_as_well(address: Address) -> None:
    try:
        chosen = check_answers([address], TargetRules())
    except InvalidRequest:
        return
    nat64 = address.version == 6 and str(address).startswith("64:ff9b::")
    assert chosen == address
    assert nat64 or (address.is_global and not address.is_multicast)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://receiver.example{text}"):
        try:
            target = target_of(url, TargetRules())
        except InvalidRequest:
            continue
        assert target.host.isascii()
        assert target.path.isascii()
        assert target.port in (443, 8443)
