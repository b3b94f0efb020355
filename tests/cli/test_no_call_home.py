"""Reading a document tells nobody: no library that shizi loads may open a connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "turned.png"
# an audit hook sees every name that is looked up and every address that is connected to, whatever library does it;
# the hook is inherited by forked children, which is how some libraries hide their reports
WATCH = """
import os, sys
def hook(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect"):
        os.write(2, f"CALLS HOME: {event} {arguments}\\n".encode())
sys.addaudithook(hook)
from shizi.cli.main import run
code = run(["read", "--offline", "--runtime", sys.argv[1], sys.argv[2]])
sys.exit(code or ("openvino_telemetry loaded" if sys.modules.get("openvino_telemetry") else 0))
"""


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_reading_opens_no_connection(runtime: str) -> None:
    command = [sys.executable, "-c", WATCH, runtime, str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "停电通知" in done.stdout
    assert done.stderr == ""
    assert done.returncode == 0
