"""The file of API keys: only hashes in it, whole under many processes, closed to others."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest, NotFound
from shizi.serving import keys as module
from shizi.serving.keys import KeyStore, default_path, parse_key


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "keys.sqlite3")


def files(store: KeyStore) -> list[Path]:
    return sorted(store._path.parent.iterdir())


def test_a_key_is_an_id_and_256_bits_and_only_its_hash_is_kept(store: KeyStore) -> None:
    key, record = store.create("bank", "扫描仪 3", ["jobs", "ocr"], None)
    matched = re.fullmatch(r"shizi_([0-9a-z]{12})_([0-9a-f]{64})", key)
    assert matched
    assert record.id == matched[1]
    assert record.hash == hashlib.sha256(key.encode()).digest()
    assert parse_key(key) == (record.id, record.hash)
    assert store.records() == [record]
    for file in files(store):
        content = file.read_bytes()
        assert matched[2].encode() not in content
        assert bytes.fromhex(matched[2]) not in content
    assert record.hash.hex() not in repr(record)
    assert repr(record.hash) not in repr(record)


def test_keys_differ(store: KeyStore) -> None:
    made = [store.create("bank", "same", ["ocr"], None)[0] for _ in range(20)]
    assert len(set(made)) == len({key.split("_")[1] for key in made}) == len({key.split("_")[2] for key in made}) == 20


@pytest.mark.parametrize(
    "text",
    [
        "", "shizi_", "shizi_aaaaaaaaaaaa_", "shizi_aaaaaaaaaaaa_" + "a" * 63, "shizi_aaaaaaaaaaaa_" + "a" * 65,
        "shizi_aaaaaaaaaaaa_" + "A" * 64, "shizi_aaaaaaaaaaaa_" + "g" * 64, "shizi_aaaaaaaaaaa_" + "a" * 64,
        "Shizi_aaaaaaaaaaaa_" + "a" * 64, "shizi_aaaaaaaaaaaa_" + "a" * 64 + "\n", " shizi_aaaaaaaaaaaa_" + "a" * 64,
        "shizi_aaaaaaaaaaaa_" + "٣" * 64, "shizi_../../../etc_" + "a" * 64,
    ],
)  # fmt: skip
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse_key(text) is None


@given(st.text(max_size=120))
def test_any_text_is_parsed_or_not(text: str) -> None:
    assert parse_key(text) is None or text.startswith("shizi_")


def test_a_revoked_key_stays_revoked_at_its_first_time(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, record = store.create("bank", "a", ["ocr"], None)
    first = store.revoke(record.id)
    assert first.revoked
    assert first.state(time.time()) == "revoked"
    monkeypatch.setattr(time, "time", lambda: first.created + 5000.0)
    assert store.revoke(record.id) == first
    with pytest.raises(NotFound, match="there is no key aaaaaaaaaaaa"):
        store.revoke("aaaaaaaaaaaa")


def test_revoking_by_the_whole_key_is_refused_without_showing_it(store: KeyStore) -> None:
    key, _ = store.create("bank", "a", ["ocr"], None)
    with pytest.raises(InvalidRequest, match="by its ID") as caught:
        store.revoke(key)
    assert key[20:] not in str(caught.value)
    assert store.records()[0].revoked is None


def test_keys_expire(store: KeyStore) -> None:
    end = int(time.time()) + 100
    _, record = store.create("bank", "a", ["ocr"], end)
    assert (record.state(end - 1), record.state(end)) == ("active", "expired")
    with pytest.raises(InvalidRequest, match="expired already"):
        store.create("bank", "a", ["ocr"], int(time.time()) - 1)


def test_the_last_use_is_kept_to_the_hour_and_never_goes_back(store: KeyStore) -> None:
    _, record = store.create("bank", "a", ["ocr"], None)
    store.used([record.id, "unknown"], 7200 + 1234)
    store.used([record.id], 3600)
    assert store.records()[0].used == 7200


def test_changes_are_counted_and_uses_are_none(store: KeyStore) -> None:
    before = store.changes()
    _, record = store.create("bank", "a", ["ocr"], None)
    made = store.changes()
    store.used([record.id], time.time())
    assert store.changes() == made == before + 1
    store.revoke(record.id)
    assert store.changes() == before + 2


@pytest.mark.parametrize(
    ("tenant", "name", "scopes", "why"),
    [
        ("", "a", ["ocr"], "tenant's name"),
        ("anonymous", "a", ["ocr"], "tenant's name"),
        ("a/b", "a", ["ocr"], "tenant's name"),
        ("bank", "", ["ocr"], "key's name"),
        ("bank", "a\nb", ["ocr"], "key's name"),
        ("bank", "a" * 65, ["ocr"], "key's name"),
        ("bank", "a", [], "needs a scope"),
        ("bank", "a", ["all"], "no scope"),
    ],
)
def test_values_that_are_not_allowed(store: KeyStore, tenant: str, name: str, scopes: list[str], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        store.create(tenant, name, scopes, None)
    assert store.records() == []


def test_the_number_of_keys_is_bounded(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 2)
    for _ in range(2):
        store.create("bank", "a", ["ocr"], None)
    before = store.changes()
    with pytest.raises(InvalidRequest, match="there are 2 keys"):
        store.create("bank", "a", ["ocr"], None)
    assert (len(store.records()), store.changes()) == (2, before), "what is refused leaves nothing behind"


def test_names_are_values_and_never_sql(store: KeyStore) -> None:
    store.create("bank", "a'); DROP TABLE keys; --", ["ocr"], None)
    assert store.records()[0].name == "a'); DROP TABLE keys; --"


def test_only_the_owner_may_read_the_files(store: KeyStore) -> None:
    store.create("bank", "a", ["ocr"], None)
    holding = sqlite3.connect(store._path)  # while it is open, SQLite keeps its own files beside it
    holding.execute("SELECT * FROM keys").fetchall()
    try:
        assert len(files(store)) == 3
        assert {file.stat().st_mode & 0o777 for file in files(store)} == {0o600}
        assert store._path.parent.stat().st_mode & 0o777 == 0o700
        assert holding.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        holding.close()


def test_a_file_that_is_open_to_all_is_not_used(store: KeyStore) -> None:
    store.create("bank", "a", ["ocr"], None)
    store._path.chmod(0o644)
    with pytest.raises(InvalidRequest, match=r"mode 644.*chmod 600"):
        store.records()


def test_files_of_others_are_left_alone(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("these are no keys, and stay as they are\n" * 100)
    path.chmod(0o600)
    with pytest.raises(InvalidRequest, match="cannot be used as the file of keys"):
        KeyStore(path).create("bank", "a", ["ocr"], None)
    assert path.read_text().startswith("these are no keys")
    with pytest.raises(InvalidRequest, match="cannot be used"):
        KeyStore(tmp_path).records()
    store.records()
    file = sqlite3.connect(store._path)
    file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(InvalidRequest, match="newer shizi"):
        store.records()


def test_many_processes_may_make_and_revoke_keys_in_a_new_file_at_once(store: KeyStore) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom shizi.serving.keys import KeyStore\n"
        "store = KeyStore(Path(sys.argv[1]))\n"
        "print(flush=True)\nsys.stdin.readline()\n"  # all begin at the same moment: also the file is made by all
        "for number in range(5):\n"
        "    key, record = store.create('bank', f'{sys.argv[2]}-{number}', ['ocr'], None)\n"
        "    if number % 2: store.revoke(record.id)\n"
        "    store.records()\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(store._path), str(number)], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True
        )
        for number in range(6)
    ]
    for process in running:
        assert process.stdout
        process.stdout.readline()
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    records = store.records()
    assert {record.name for record in records} == {f"{process}-{number}" for process in range(6) for number in range(5)}
    assert sum(record.revoked is not None for record in records) == 12
    assert store.changes() == 42


def test_the_default_path_is_no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_path(tmp_path) == tmp_path / "keys.sqlite3"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path(None) == tmp_path / "shizi" / "keys.sqlite3"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_path(None) == Path.home() / ".local" / "share" / "shizi" / "keys.sqlite3"
