"""Many documents in one request."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shizi.errors import ImageTooLarge, InvalidRequest, ShiziError
from shizi.serving.job_uploads import JobUploadLimits, Spooled, receive_documents
from shizi.serving.refusals import UploadTooSlow, WrongMediaType
from shizi.serving.uploads import UploadLimits

TYPE = "multipart/form-data; boundary=frontier"
ONE = UploadLimits(max_bytes=1000, max_parts=4, max_field_bytes=100, max_header_bytes=200, timeout_s=5)
ALL = JobUploadLimits(max_files=5, max_job_bytes=2500)


class Sent:
    """A request's body, in pieces, some of them late."""

    def __init__(self, pieces: list[bytes], headers: Mapping[str, str] | None = None, wait_s: float = 0.0) -> None:
        self.headers = {"content-type": TYPE, **(headers or {})}
        self._pieces, self._wait_s = pieces, wait_s
        self.taken = 0

    async def stream(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(self._wait_s)
            self.taken += 1
            yield piece


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    out = b""
    for field, name, data in parts:
        called = "" if name is None else f'; filename="{name}"'
        out += f'--frontier\r\nContent-Disposition: form-data; name="{field}"{called}\r\n\r\n'.encode() + data + b"\r\n"
    return out + b"--frontier--\r\n"


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def received(
    body: Sent, threads: ThreadPoolExecutor, limits: UploadLimits = ONE, job_limits: JobUploadLimits = ALL
) -> Spooled:
    return asyncio.run(receive_documents(body, limits, job_limits, threads))


def contents(spooled: Spooled) -> list[tuple[str | None, bytes]]:
    return [(name, file.read()) for name, file in spooled.documents()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=400), min_size=1, max_size=5), st.integers(1, 300))
def test_what_was_sent_is_there(threads: ThreadPoolExecutor, documents: list[bytes], step: int) -> None:
    if any(b"\r\n--frontier" in b"\r\n" + document for document in documents):
        return
    body = form(("priority", None, b"3"), *(("file", f"{n}.png", data) for n, data in enumerate(documents)))
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    with received(Sent(pieces), threads) as spooled:
        assert contents(spooled) == [(f"{number}.png", data) for number, data in enumerate(documents)]
        assert contents(spooled) == contents(spooled)
        assert [part.sha256 for part in spooled.parts] == [hashlib.sha256(data).hexdigest() for data in documents]
        assert spooled.fields == {"priority": "3"}
        assert spooled.size == sum(map(len, documents))


def test_documents_larger_than_what_is_kept_in_memory(threads: ThreadPoolExecutor) -> None:
    limits = UploadLimits(max_bytes=2_000_000)
    documents = [os.urandom(700_000), b"", os.urandom(1_500_000)]
    body = form(*(("file", None, data) for data in documents))
    pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    with received(Sent(pieces), threads, limits, JobUploadLimits(3, 10_000_000)) as spooled:
        assert contents(spooled) == [(None, data) for data in documents]
        read: list[bytes] = []
        both = [threading.Thread(target=lambda: read.extend(data for _, data in contents(spooled))) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(read) == sorted(documents * 2)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Documents\\Scan 1.pdf", "Scan 1.pdf"),
        ("发票.png", "发票.png"),
        ("a\x07b\x1b[31m.png", "ab[31m.png"),
        ("x" * 300, "x" * 255),
        ("dir/", None),
        ("", None),
    ],
)
def test_names_are_labels(threads: ThreadPoolExecutor, sent: str, kept: str | None) -> None:
    limits = UploadLimits(max_bytes=1000, max_header_bytes=2000)
    with received(Sent([form(("file", sent, b"x"))]), threads, limits) as spooled:
        assert spooled.parts[0].name == kept


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([("file", None, b"x" * 1001)], "max_bytes"),
        ([("file", None, b"x" * 900)] * 3, "max_job_bytes"),
        ([("file", None, b"x")] * 6, "max_files"),
        ([("file", None, b"x"), *((f"f{n}", None, b"x") for n in range(9))], "max_parts"),
        ([("file", None, b"x"), ("pages", None, b"1" * 200)], "max_field_bytes"),
    ],
)
def test_every_bound(threads: ThreadPoolExecutor, parts: list[tuple[str, str | None, bytes]], said: str) -> None:
    with pytest.raises(ImageTooLarge, match=said):
        received(Sent([form(*parts)]), threads)


def test_a_length_that_is_too_large_is_refused_before_a_byte_is_taken(threads: ThreadPoolExecutor) -> None:
    body = Sent([b"x"], {"content-length": "200000"})
    with pytest.raises(ImageTooLarge, match="max_job_bytes"):
        received(body, threads)
    assert body.taken == 0


def test_a_preamble_without_end_is_refused(threads: ThreadPoolExecutor) -> None:
    body = Sent([b"\r\n" * 500] * 1000)
    with pytest.raises(ShiziError):
        received(body, threads)
    assert body.taken < 100


@pytest.mark.parametrize("parts", [[], [("other", None, b"x")]])
def test_an_order_has_a_document(threads: ThreadPoolExecutor, parts: list[tuple[str, str | None, bytes]]) -> None:
    with pytest.raises(InvalidRequest):
        received(Sent([form(*parts)]), threads)


def test_another_media_type_is_refused(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(WrongMediaType, match="multipart/form-data"):
        received(Sent([b"{}"], {"content-type": "application/json"}), threads)


def test_a_slow_sender_is_refused_and_one_who_sends_much_has_more_time(threads: ThreadPoolExecutor) -> None:
    body = form(("file", None, b"x" * 900), ("file", None, b"y" * 900))
    pieces = [body[at : at + 500] for at in range(0, len(body), 500)]
    limits = UploadLimits(max_bytes=1000, timeout_s=2)
    with received(Sent(pieces, wait_s=0.5), threads, limits) as spooled:  # 2.5 s, and 2 kB take up to 6
        assert len(spooled.parts) == 2
    start = time.monotonic()
    with pytest.raises(UploadTooSlow, match="upload_timeout_s"):
        received(Sent([body[:10], body[10:]], wait_s=40), threads, limits)
    assert time.monotonic() - start < 30


def test_nothing_stays_behind(threads: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ImageTooLarge):
        received(Sent([form(("file", None, b"x" * 900), ("file", None, b"x" * 2000))]), threads)
    received(Sent([form(("file", None, b"x"))]), threads).file.close()
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
