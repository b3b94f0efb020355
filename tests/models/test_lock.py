from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shizi.errors import ModelLoadFailed
from shizi.models.lock import locked

HOLD = """
import sys
from pathlib import Path
from shizi.models.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_waits_and_gives_up_with_the_file_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ModelLoadFailed, match=r"a\.lock.*stop it"), locked(path, wait_s=0.3):
            pytest.fail("two processes held the same lock")
        holder.kill()

    with locked(path, wait_s=0.3):  # the lock of a killed process is gone
        assert path.exists()


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    inside: list[int] = []
    overlaps: list[int] = []

    def work() -> None:
        with locked(tmp_path / "a.lock"):
            inside.append(1)
            overlaps.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert overlaps == [1] * 8


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a.lock"):
        raise ZeroDivisionError
    with locked(tmp_path / "a.lock", wait_s=0.1):
        assert True
