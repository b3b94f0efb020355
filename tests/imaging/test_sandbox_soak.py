"""Three hundred documents of all sizes, some of them poison: nothing is left over, and nothing grows."""

from __future__ import annotations

import io
import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from shizi.errors import ShiziError
from shizi.imaging.limits import MIB, Limits
from shizi.imaging.sandbox import Sandbox, SandboxOptions
from shizi.imaging.shared import FOLDER, new_name

pytestmark = pytest.mark.alone

DOCUMENTS = 300
POISON = {
    b"crash": "CorruptDocument",
    b"babble": "CorruptDocument",
    b"eat memory": "OutOfMemory",
    b"crash on page 2": "CorruptDocument",
    b"hang": "DeadlineExceeded",
}
LIMITS = Limits(max_memory=96 * MIB, pdf_memory=96 * MIB)
WORKER = """
from shizi.imaging import sandbox_fake
from shizi.imaging.sandbox_decode import read_document
from shizi.imaging.sandbox_worker import serve

def read(data, task, room):
    is_poison = data.partition(b" on page")[0].decode("latin-1") in sandbox_fake.FAILURES
    return (sandbox_fake._read if is_poison else read_document)(data, task, room)

def main():
    serve(read)
"""


def documents() -> list[tuple[bytes, str]]:
    """Bytes, and what is to come of them: the name of an error, or the number of pages."""
    found: list[tuple[bytes, str]] = []
    for index in range(DOCUMENTS):
        if index % 25 == 7:
            found.append(list(POISON.items())[index // 25 % len(POISON)])
            continue
        side = (30, 300, 1500)[index % 3] + index
        out = io.BytesIO()
        image = Image.new("RGB", (side, 200 + index), (index % 256, 100, 50))
        if index % 5 == 4:
            image.save(out, "TIFF", save_all=True, append_images=[image])
        else:
            image.save(out, ("PNG", "JPEG", "WEBP", "BMP")[index % 4])
        damaged = index % 29 == 3 and index % 5 != 4
        data = out.getvalue()[:60] if damaged else out.getvalue()
        found.append((data, "CorruptDocument" if damaged else str(1 + (index % 5 == 4))))
    return found


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def blocks() -> int:
    return len(list(FOLDER.glob(new_name().rpartition("-")[0] + "*")))


def test_nothing_is_left_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "poisoned_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(tmp_path)
    work = documents()
    before = descriptors(), blocks(), threading.active_count()
    sandbox = Sandbox(LIMITS, SandboxOptions(processes=2, max_documents=15), worker="poisoned_worker")
    wrong: list[tuple[int, str, str]] = []
    sizes: list[int] = []

    def one(index: int) -> None:
        data, wanted = work[index]
        seconds = 1.0 if data == b"hang" else 60.0
        try:
            with sandbox.open(io.BytesIO(data), deadline=time.monotonic() + seconds) as pages:
                outcome = str(sum(1 for _ in pages))
        except ShiziError as error:
            outcome = type(error).__name__
        if outcome != wanted:
            wrong.append((index, wanted, outcome))

    def many(start: int) -> None:
        for index in range(start, DOCUMENTS, 3):
            one(index)
            sizes.append(resident())

    threads = [threading.Thread(target=many, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [Path(f"/proc/{number}/fd") for number in sandbox.processes]
    assert all(len(list(folder.iterdir())) <= 4 for folder in held)  # the socket, /dev/null twice, statm
    stats = sandbox.stats
    sandbox.close()
    assert wrong == []
    assert stats.documents == DOCUMENTS
    assert stats.recycled >= 3
    poisoned = Counter(wanted for data, wanted in work if data in POISON)
    assert stats.kills["deadline"] == poisoned["DeadlineExceeded"]
    assert stats.kills["memory"] == poisoned["OutOfMemory"]
    assert stats.kills["crash"] + stats.kills["nonsense"] == poisoned["CorruptDocument"]
    assert (stats.shared_blocks, stats.shared_bytes) == (0, 0)
    assert (descriptors(), blocks(), threading.active_count()) == before
    assert sandbox.processes == []
    # A page kept of one document in ten would be 30 MB; less is what a process that ran other tests before swings by.
    assert max(sizes[DOCUMENTS // 2 :]) - max(sizes[: DOCUMENTS // 2]) < 24 * MIB
