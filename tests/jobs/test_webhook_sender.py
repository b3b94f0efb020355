from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import replace
from email.utils import formatdate
from ipaddress import ip_address
from pathlib import Path

import pytest

from shizi.jobs.webhook_sender import Attempt, Sender
from shizi.jobs.webhook_target import Address, TargetRules, networks_of
from tests.jobs.receiver import Receiver, certificate, receiving

LOCAL = TargetRules(schemes=("https", "http"), networks=networks_of(["127.0.0.0/8"]))


async def home(host: str, port: int) -> Sequence[Address]:  # noqa: ARG001 (as resolvers are called)
    return [ip_address("127.0.0.1")]


def sent(
    receiver: Receiver,
    url: str = "http://receiver.example:{port}/hook?a=%20b",
    *,
    timeout_s: float = 5.0,
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
) -> Attempt:
    async def run() -> Attempt:
        async with receiving(receiver, tls[0] if tls else None):
            rules = replace(LOCAL, ports=(receiver.port,))
            sender = Sender(rules, timeout_s, home, tls[1] if tls else None)
            return await sender.send(url.format(port=receiver.port), {"webhook-id": "msg_1"}, b'{"a":1}')

    return asyncio.run(run())


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    receiver = Receiver()
    assert sent(receiver) == Attempt(True, status=204)
    (got,) = receiver.got
    assert got.line == "POST /hook?a=%20b HTTP/1.1"
    assert got.headers["host"] == f"receiver.example:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "msg_1"
    assert got.body == b'{"a":1}'
    assert not {"cookie", "authorization"} & got.headers.keys()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_failures_and_are_not_followed(status: int) -> None:
    other = b"HTTP/1.1 %d Elsewhere\r\nLocation: http://receiver.example/\r\nContent-Length: 0\r\n\r\n" % status
    receiver = Receiver([other])
    attempt = sent(receiver)
    assert (attempt.delivered, attempt.gone, attempt.status) == (False, False, status)
    assert "redirects" in attempt.fault
    assert len(receiver.got) == 1


def test_a_redirect_to_itself_is_not_followed_either() -> None:
    receiver = Receiver([b"HTTP/1.1 307 Again\r\nLocation: /hook\r\nContent-Length: 0\r\n\r\n"])
    sent(receiver)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("status", "gone"), [(400, False), (404, False), (410, True), (429, False), (500, False)])
def test_other_answers_are_failures(status: int, gone: bool) -> None:
    attempt = sent(Receiver([b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status]))
    assert attempt == Attempt(False, gone, status, f"the receiver answered {status}")


def test_retry_after_in_both_forms_and_as_nonsense() -> None:
    def asked(value: str) -> float | None:
        head = f"HTTP/1.1 503 Later\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
        return sent(Receiver([head])).retry_after

    assert asked("120") == 120
    assert asked("9" * 400) == 999_999_999
    assert asked(formatdate(time.time() + 90, usegmt=True)) == pytest.approx(90, abs=5)
    assert asked("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert asked("soon") is None
    assert asked("-5") is None


def test_an_answer_without_end_is_not_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    # Whoever read it would not be done when the time is over.
    assert sent(Receiver([chunked], endless=b"5\r\nabcde\r\n"), timeout_s=20).delivered


def test_a_head_without_end_is_given_up() -> None:
    attempt = sent(Receiver([b"HTTP/1.1 200 OK\r\n"], endless=b"X-More: " + b"y" * 1000 + b"\r\n"))
    assert attempt.fault in ("the connection broke off", "no answer within 5 s")
    assert not attempt.delivered


def test_informational_answers_without_end_are_given_up() -> None:
    attempt = sent(Receiver([b""], endless=b"HTTP/1.1 103 Wait\r\n\r\n"), timeout_s=0.5)
    assert attempt.fault == "no answer within 0.5 s"


def test_a_receiver_that_says_nothing_is_given_up() -> None:
    start = time.monotonic()
    assert sent(Receiver(wait_s=60), timeout_s=0.3).fault == "no answer within 0.3 s"
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("said", [b"\x00\x01\x02", b"SSH-2.0-x\r\n", b""])
def test_what_is_no_http_is_a_failure(said: bytes) -> None:
    assert sent(Receiver([said])).fault == "the connection broke off"


def test_nobody_listens() -> None:
    async def run() -> Attempt:
        async with receiving(Receiver()) as receiver:
            port = receiver.port
        sender = Sender(replace(LOCAL, ports=(port,)), 5.0, home)
        return await sender.send(f"http://receiver.example:{port}/", {}, b"")

    assert asyncio.run(run()).fault == "no connection"


def test_tls_is_checked_by_the_name_although_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    receiver = Receiver()
    attempt = sent(receiver, "https://Receiver.example:{port}/", tls=certificate(tmp_path, "receiver.example"))
    assert attempt == Attempt(True, status=204)
    assert receiver.got[0].headers["host"] == f"receiver.example:{receiver.port}"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio's server leaves the socket of a handshake that failed
def test_a_certificate_of_another_name_or_of_nobody_is_refused(tmp_path: Path) -> None:
    receiver = Receiver()
    served, trust = certificate(tmp_path, "other.example")
    url = "https://receiver.example:{port}/"
    assert sent(receiver, url, tls=(served, trust)).fault == "the certificate does not hold for this host"
    strangers = ssl.create_default_context()
    assert sent(receiver, url, tls=(served, strangers)).fault == "the certificate does not hold for this host"
    assert receiver.got == []


def test_a_name_that_hangs_costs_its_time_and_no_more() -> None:
    async def hang(host: str, port: int) -> Sequence[Address]:  # noqa: ARG001
        await asyncio.sleep(60)
        return []

    async def run() -> Attempt:
        sender = Sender(TargetRules(), 0.2, hang)
        return await sender.send("https://receiver.example/", {}, b"")

    assert asyncio.run(run()).fault == "no answer within 0.2 s"


def test_the_system_resolves_names_where_nobody_else_does() -> None:
    async def run() -> Attempt:
        sender = Sender(TargetRules(), 5.0)
        return await sender.send("https://localhost/", {}, b"")

    assert "not public" in asyncio.run(run()).fault
