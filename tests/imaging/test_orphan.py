"""Workers do not outlive the process that they work for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shizi.imaging.limits import Limits
from shizi.imaging.pdf import read_pdf
from tests.processes import children, is_alive

FAKE = "shizi.imaging.fake"
READING = f"""
from shizi.imaging.limits import Limits
from shizi.imaging.pdf import read_pdf
list(read_pdf(b"hang", Limits(), None, None, "ignore", worker={FAKE!r}))
"""
EXPORTING = """
from shizi.export.base import Original
from shizi.export.pdf.merge import lay_over
from shizi.imaging.limits import Limits
lay_over(Original(b"a file", None, Limits()), [1], None, worker="asleep")
"""


@pytest.mark.parametrize("script", [READING, EXPORTING], ids=["reading", "exporting"])
def test_a_worker_at_a_slow_page_ends_with_a_parent_that_is_killed(script: str, tmp_path: Path) -> None:
    (tmp_path / "asleep.py").write_text("import time\ndef main(): time.sleep(3600)")
    script = f"import sys\nsys.path.append({str(tmp_path)!r})\n{script}"
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        give_up = time.monotonic() + 30
        while not children(parent.pid) and time.monotonic() < give_up:
            time.sleep(0.02)
        (worker,) = children(parent.pid)
        time.sleep(0.5)  # into its page
        assert is_alive(worker)
        parent.kill()
    try:
        give_up = time.monotonic() + 10
        while is_alive(worker) and time.monotonic() < give_up:
            time.sleep(0.05)
        assert not is_alive(worker)
    finally:
        if is_alive(worker):
            os.kill(worker, signal.SIGKILL)


def test_a_worker_outlives_the_thread_that_started_it() -> None:
    pages = read_pdf(b"nothing", Limits(), None, None, "ignore", worker=FAKE)
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(next(pages).number))
    thread.start()
    thread.join()
    time.sleep(1.5)
    assert first + [page.number for page in pages] == [1, 2, 3]
