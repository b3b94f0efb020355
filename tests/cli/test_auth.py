"""`shizi auth`: keys are made, listed without secrets, revoked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shizi.cli.main import run
from shizi.serving.keys import KeyStore, parse_key


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHIZI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SHIZI_API_KEYS", raising=False)
    return tmp_path / "home"


def create(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, str]:
    assert run(["auth", "create-key", "--tenant", "bank", "--name", "扫描仪 3", *options]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def seconds(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def test_a_key_is_data_and_the_advice_is_a_message(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = create(capsys)
    parsed = parse_key(out.strip())
    assert parsed
    assert out.count("\n") == 1
    assert err == "Keep the key now: it is shown this once, and only a hash of it is stored.\n"
    [record] = KeyStore(home / "keys.sqlite3").records()
    assert (record.id, record.hash, record.tenant, record.name) == (*parsed, "bank", "扫描仪 3")
    assert record.scopes == {"ocr"}
    assert record.expires
    assert record.expires - record.created == 365 * 86400


@pytest.mark.usefixtures("home")
def test_json_says_the_key_once_and_the_list_never(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(create(capsys, "--json", "--scope", "jobs", "--scope", "admin", "--expires", "never")[0])
    key = made.pop("key")
    assert made["scopes"] == ["admin", "jobs"]
    assert (made["expires"], made["revoked"], made["last_used"], made["state"]) == (None, None, None, "active")
    assert abs(seconds(made["created"]) - time.time()) < 60
    assert run(["auth", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert json.loads(listed) == [made]
    assert run(["auth", "list"]) == 0
    table = capsys.readouterr().out
    parsed = parse_key(key)
    assert parsed
    for text in (listed, table):
        assert key.split("_")[2] not in text
        assert parsed[1].hex() not in text
    assert table.splitlines()[0].split() == [
        "ID",
        "TENANT",
        "SCOPES",
        "CREATED",
        "EXPIRES",
        "LAST",
        "USED",
        "STATE",
        "NAME",
    ]
    assert table.splitlines()[1].split() == [
        made["id"], "bank", "admin,jobs", made["created"], "never", "-", "active", "扫描仪", "3",
    ]  # fmt: skip


@pytest.mark.usefixtures("home")
def test_a_revoked_key_is_listed_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    key = create(capsys)[0].strip()
    key_id = key.split("_")[1]
    assert run(["auth", "revoke", key_id]) == 0
    assert capsys.readouterr().out == f"{key_id}\trevoked\n"
    assert run(["auth", "revoke", key_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "revoked"
    assert run(["auth", "list"]) == 0
    assert " revoked " in capsys.readouterr().out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("text", "after"), [("12h", 12 * 3600), ("90d", 90 * 86400), ("2y", 2 * 365 * 86400), ("2099-12-31", None)]
)
def test_times_of_expiry(capsys: pytest.CaptureFixture[str], text: str, after: int | None) -> None:
    made = json.loads(create(capsys, "--json", "--expires", text)[0])
    if after is None:
        assert made["expires"] == "2099-12-31T00:00:00Z"
    else:
        assert abs(seconds(made["expires"]) - time.time() - after) < 60


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create-key", "--name", "a"], 2, "--tenant"),
        (["create-key", "--tenant", "anonymous", "--name", "a"], 2, "tenant's name"),
        (["create-key", "--tenant", "b", "--name", "a", "--scope", "root"], 2, "root"),
        (["create-key", "--tenant", "b", "--name", "a", "--expires", "soon"], 2, "--expires is a time like"),
        (["create-key", "--tenant", "b", "--name", "a", "--expires", "0d"], 2, "--expires is a time like"),
        (["create-key", "--tenant", "b", "--name", "a", "--expires", "2001-01-01"], 2, "expired already"),
        (["create-key", "--tenant", "b", "--name", "a", "--expires", "999y"], 2, "more than 100 years"),
        (["list"], 66, "there is no file of keys"),
        (["revoke", "aaaaaaaaaaaa"], 66, "there is no file of keys"),
    ],
)
def test_wrong_values_are_said(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert run(["auth", *arguments]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert not home.exists()


@pytest.mark.usefixtures("home")
def test_a_whole_key_is_no_id_and_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    key = create(capsys)[0].strip()
    assert run(["auth", "revoke", key]) == 2
    assert key[20:] not in capsys.readouterr().err
    assert run(["auth", "revoke", "aaaaaaaaaaaa"]) == 66


def test_another_file_can_be_named(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys, "--api-keys", str(tmp_path / "deep" / "other.sqlite3"))
    assert len(KeyStore(tmp_path / "deep" / "other.sqlite3").records()) == 1
    assert not home.exists()


def test_the_file_that_the_server_was_told_of_is_meant(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHIZI_API_KEYS", str(tmp_path / "server.sqlite3"))
    create(capsys)
    assert len(KeyStore(tmp_path / "server.sqlite3").records()) == 1
    assert not home.exists()


@pytest.mark.usefixtures("home")
def test_a_name_that_would_play_with_the_terminal_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["auth", "create-key", "--tenant", "bank", "--name", "a\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_keys_need_no_web_framework_and_no_engine() -> None:
    code = (
        "import sys\nfrom shizi.cli import auth\n"
        "heavy = {'fastapi', 'jwt', 'limits', 'httpx', 'numpy', 'onnxruntime', 'openvino'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
