from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine.address import free, parse
from shizi.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "target", "loopback"),
    [
        ("unix:/run/a.sock", "unix:/run/a.sock", True),
        ("unix:///run/a.sock", "unix:/run/a.sock", True),
        ("tcp:127.0.0.1:8001", "127.0.0.1:8001", True),
        ("tcp://localhost:1", "localhost:1", True),
        ("tcp:[::1]:1", "[::1]:1", True),
        ("tcp:0.0.0.0:1", "0.0.0.0:1", False),
        ("tcp:engine.example:65535", "engine.example:65535", False),
        ("tcp:[::]:1", "[::]:1", False),
    ],
)
def test_addresses(text: str, target: str, loopback: bool) -> None:
    assert (parse(text).target, parse(text).loopback) == (target, loopback)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix:",
        "unix:a.sock",
        "tcp:",
        "tcp:host",
        "tcp:host:x",
        "tcp::1",
        "tcp:h:65536",
        "http://h:1",
        "tcp:h:٣",
        "tcp:unix-abstract:x:1",
        "tcp:a/b:1",
        "tcp:-:1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="unix:/path/of/a/socket or tcp:HOST:PORT"):
        parse(text)


@given(st.text(max_size=150))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for prefix in ("", "unix:/", "tcp:"):
        with contextlib.suppress(InvalidRequest):
            place = parse(prefix + text)
            assert place.path is not None or place.target == f"{place.host}:{place.target.rpartition(':')[2]}"


def test_a_path_that_no_system_takes_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="more than 103 bytes"):
        parse("unix:/" + "a" * 103)


def test_a_socket_of_a_dead_process_is_removed_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    free(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(InvalidRequest, match="another process listens"):
            free(path)
        assert path.exists()
    free(path)
    assert not path.exists()


def test_a_file_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear")
    with pytest.raises(InvalidRequest, match="is no socket"):
        free(path)
    assert path.read_text() == "dear"


def test_an_address_is_named_in_one_way() -> None:
    assert {parse(text).text for text in ("unix:/a/b", "unix:///a/b")} == {"unix:/a/b"}
    assert {parse(text).text for text in ("tcp:h:080", "tcp://h:80")} == {"tcp:h:80"}
