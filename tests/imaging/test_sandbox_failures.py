"""Documents that misbehave cost themselves: which error each gives, and that the next one is read as if nothing had been."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.errors import CorruptDocument, DeadlineExceeded, EngineUnavailable, OutOfMemory, ShiziError
from shizi.imaging.limits import MIB, Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.imaging.sandbox_fake import ATTEMPTS
from shizi.imaging.sandbox_reading import SharedPage

FAKE = "shizi.imaging.sandbox_fake"
LIMITS = Limits(max_memory=400 * MIB, pdf_memory=400 * MIB, pdf_timeout_s=20)  # more than the tests take themselves
ALLOWED = {"a font"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=2), worker=FAKE)
    sandbox.bounds()
    yield sandbox
    sandbox.close()


@pytest.fixture
def alone() -> Iterator[Sandbox]:
    """A sandbox with one process."""
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1), worker=FAKE)
    yield sandbox
    sandbox.close()


def read(sandbox: Sandbox, what: str, seconds: float = 30, pages: list[int] | None = None) -> list[SharedPage]:
    document = io.BytesIO(what.encode())
    with sandbox.open(document, pages=pages, deadline=time.monotonic() + seconds) as found:
        return list(found)


def process_of(page: SharedPage) -> int:
    return int(page.warnings[0].removeprefix("process "))


def wait_for(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    give_up = time.monotonic() + seconds
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert condition()


# The system counts a process's parent as its peak: only of a small parent's child is the peak known, as the server's is.
SMALL = """
import io, time
from shizi.errors import ShiziError
from shizi.imaging.limits import MIB, Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions

limits = Limits(max_memory=400 * MIB, pdf_memory=400 * MIB)
sandbox = Sandbox(limits, SandboxOptions(processes=1), worker="shizi.imaging.sandbox_fake")
try:
    with sandbox.open(io.BytesIO(b"eat memory and crash"), deadline=time.monotonic() + 60) as pages:
        list(pages)
except ShiziError as error:
    print(error.code, error)
sandbox.close()
"""


def test_an_abort_near_the_bound_is_a_lack_of_memory() -> None:
    said = subprocess.run([sys.executable, "-c", SMALL], capture_output=True, text=True, check=True, timeout=120).stdout
    assert said.startswith("OUT_OF_MEMORY")
    assert "more than 400 MiB" in said


@pytest.mark.parametrize(
    ("failure", "error", "words", "reason"),
    [
        ("crash", CorruptDocument, "crashed.*SIGSEGV", "crash"),
        ("abort", CorruptDocument, "crashed.*SIGABRT", "crash"),
        ("exit", CorruptDocument, "crashed.*status 3", "crash"),
        ("eat memory", OutOfMemory, "max_memory", "memory"),
        ("be killed", OutOfMemory, "killed", "memory"),
        ("run out of processor time", DeadlineExceeded, "processor time", "deadline"),
        ("babble", CorruptDocument, "nonsense", "nonsense"),
        ("babble in frames", CorruptDocument, "nonsense", "nonsense"),
        ("babble deeply", CorruptDocument, "nonsense", "nonsense"),
        ("babble of pages", CorruptDocument, "nonsense", "nonsense"),
        ("babble of keys", CorruptDocument, "nonsense", "nonsense"),
        ("babble of blocks", CorruptDocument, "nonsense", "nonsense"),
        ("lie", CorruptDocument, "nonsense", "nonsense"),
        ("hush", CorruptDocument, "stopped answering", "nonsense"),
    ],
)
def test_each_failure_is_told_apart_and_costs_its_document_only(
    sandbox: Sandbox, failure: str, error: type[ShiziError], words: str, reason: str
) -> None:
    before = sandbox.stats
    with pytest.raises(error, match=words) as raised:
        read(sandbox, failure)
    assert type(raised.value) is error
    after = sandbox.stats
    assert after.kills.get(reason, 0) == before.kills.get(reason, 0) + 1
    assert sum(after.kills.values()) == sum(before.kills.values()) + 1
    assert (after.shared_blocks, after.shared_bytes) == (0, 0)
    assert [page.number for page in read(sandbox, "nothing")] == [1, 2, 3]


@pytest.mark.parametrize("failure", ["hang", "spin"])
def test_the_deadline(sandbox: Sandbox, failure: str) -> None:
    read(sandbox, "nothing")
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="its deadline passed"):
        read(sandbox, failure, seconds=0.5)
    assert 0.5 <= time.monotonic() - started < 3
    assert len(read(sandbox, "nothing")) == 3


@pytest.mark.parametrize(("failure", "error"), [("crash", CorruptDocument), ("eat memory", OutOfMemory)])
def test_pages_before_the_failure_are_good(sandbox: Sandbox, failure: str, error: type[ShiziError]) -> None:
    document = io.BytesIO(f"{failure} on page 3".encode())
    with sandbox.open(document, deadline=time.monotonic() + 30) as pages:
        for number in (1, 2):
            page = next(pages)
            assert page.pixels is not None
            with page.pixels.array() as pixels:
                assert (pixels == number).all()
        with pytest.raises(error):
            next(pages)
        with pytest.raises(StopIteration):
            next(pages)


def test_floods_are_harmless(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(read(sandbox, "flood")) == 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
def test_what_a_sandbox_may_do(sandbox: Sandbox, attempt: str) -> None:
    assert sandbox.bounds().missing == {}, "this kernel has no Landlock or no seccomp"
    (page,) = read(sandbox, f"try {attempt}", pages=[1])
    assert page.warnings[1].startswith("done" if attempt in ALLOWED else "refused"), page.warnings[1]


def test_every_bound_is_reported(sandbox: Sandbox) -> None:
    held = set(sandbox.bounds().held) | set(sandbox.bounds().missing)
    assert {"rlimit-as", "rlimit-cpu", "rlimit-nofile", "rlimit-fsize", "rlimit-nproc", "rlimit-core"} <= held
    assert {"no-new-privileges", "no-capabilities", "landlock", "seccomp", "ends-with-parent"} <= held


def test_a_bound_that_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import platform\nfrom shizi.imaging import sandbox_fake, sandbox_limits as limits\n"
        "platform.machine = lambda: 'm68k'\n"
        "def main():\n    limits.allow_only_reading = refuse\n    sandbox_fake.main()\n"
        "def refuse(folders): raise limits.UnavailableError('not in this kernel')\n"
    )
    (tmp_path / "bare_worker.py").write_text(script)
    monkeypatch.syspath_prepend(tmp_path)
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1), worker="bare_worker")
    try:
        bounds = sandbox.bounds()
        assert bounds.missing == {"landlock": "not in this kernel", "seccomp": "there is no filter for Linux on m68k"}
        assert len(read(sandbox, "nothing")) == 3
    finally:
        sandbox.close()


def test_a_process_serves_one_document_after_another(alone: Sandbox) -> None:
    numbers = {process_of(read(alone, "nothing", pages=[1])[0]) for _ in range(5)}
    assert len(numbers) == 1
    assert (alone.stats.documents, alone.stats.started, alone.stats.recycled) == (5, 1, 0)


def test_recycled_by_count() -> None:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1, max_documents=3), worker=FAKE)
    try:
        numbers = [process_of(read(sandbox, "nothing", pages=[1])[0]) for _ in range(7)]
    finally:
        sandbox.close()
    assert [len(set(numbers[:3])), len(set(numbers[3:6])), len(set(numbers))] == [1, 1, 3]
    assert sandbox.stats.recycled == 2
    assert sandbox.stats.kills == {}


def test_recycled_when_it_keeps_memory() -> None:
    options = SandboxOptions(processes=1, max_resident=150 * MIB)
    sandbox = Sandbox(Limits(), options, worker=FAKE)
    try:
        numbers = [process_of(read(sandbox, "keep memory", pages=[1])[0]) for _ in range(4)]
    finally:
        sandbox.close()
    assert numbers[0] == numbers[1] != numbers[2]  # 50 MiB and 64 more each
    assert sandbox.stats.recycled >= 1


def test_a_document_that_is_left_half_way_is_stopped(alone: Sandbox) -> None:
    with alone.open(io.BytesIO(b"spin on page 2"), deadline=time.monotonic() + 30) as pages:
        first = process_of(next(pages))
    assert alone.stats.kills == {"abandoned": 1}
    assert first not in alone.processes
    assert list(pages) == []
    assert process_of(read(alone, "nothing")[0]) != first


def test_closing_in_another_thread_stops_the_work(alone: Sandbox) -> None:
    errors: list[Exception] = []
    context = alone.open(io.BytesIO(b"hang"), deadline=time.monotonic() + 60)
    pages = context.__enter__()

    def work() -> None:
        try:
            next(pages)
        except ShiziError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: alone.stats.documents == 1)
    context.__exit__(None, None, None)
    thread.join(10)
    assert not thread.is_alive()
    assert len(errors) == 1
    assert len(read(alone, "nothing")) == 3


def test_waiting_for_a_process_ends_at_the_deadline_first_come_first_served(alone: Sandbox) -> None:
    order: list[int] = []

    def take(index: int) -> None:
        with alone.open(io.BytesIO(b"nothing"), deadline=time.monotonic() + 30) as pages:
            next(pages)
            order.append(index)  # while the process is still ours

    with alone.open(io.BytesIO(b"nothing"), deadline=time.monotonic() + 30) as pages:
        next(pages)  # two more to come: the one process is taken
        with pytest.raises(DeadlineExceeded, match="none of the 1 processes"):
            read(alone, "nothing", seconds=0.3)
        threads = []
        for index in range(4):
            thread = threading.Thread(target=take, args=[index])
            thread.start()
            threads.append(thread)
            wait_for(lambda index=index: alone.stats.waiting == index + 1)
        list(pages)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3]


def test_an_idle_process_that_was_killed_harms_no_document(alone: Sandbox) -> None:
    for _ in range(3):
        read(alone, "nothing")
        (number,) = alone.processes
        os.kill(number, signal.SIGKILL)
        assert len(read(alone, "nothing")) == 3
    assert alone.stats.kills == {"start": 3}


def test_signals_to_the_whole_service_leave_documents_in_work_alone(alone: Sandbox) -> None:
    alone.bounds()
    (number,) = alone.processes
    for sent in (signal.SIGINT, signal.SIGTERM):
        timer = threading.Timer(0.1, os.kill, (number, sent))
        timer.start()
        assert process_of(read(alone, "nap")[0]) == number
        timer.join()


def test_closing_the_sandbox_ends_everything() -> None:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=3, warm=3), worker=FAKE)
    assert sandbox.stats.processes == 3
    errors: list[Exception] = []

    def work() -> None:
        try:
            read(sandbox, "hang", seconds=60)
        except ShiziError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]  # two of them wait
    for thread in threads:
        thread.start()
    wait_for(lambda: (sandbox.stats.documents, sandbox.stats.waiting) == (3, 2))
    numbers = sandbox.processes
    sandbox.close()
    for thread in threads:
        thread.join(10)
    assert [type(error) for error in errors] == [EngineUnavailable] * 5
    assert not any(Path(f"/proc/{number}").exists() for number in numbers)


def test_a_worker_that_does_not_start_blames_no_document() -> None:
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=1), worker="shizi.imaging.no_such_worker")
    try:
        with pytest.raises(EngineUnavailable, match="did not start"):
            read(sandbox, "nothing")
    finally:
        sandbox.close()


def test_a_short_deadline_leaves_a_starting_process_alone(alone: Sandbox) -> None:
    with pytest.raises(DeadlineExceeded, match="ready before the deadline"):
        read(alone, "nothing", seconds=0.02)
    assert len(read(alone, "nothing")) == 3
    assert (alone.stats.started, dict(alone.stats.kills)) == (1, {})
