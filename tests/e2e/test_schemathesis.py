"""Every address by its description, with right and wrong requests, alone and one after the other; all checks of schemathesis.

The server is the whole one but for its engine, which reads without models. A longer run is the same with more time:
`schemathesis --config-file tests/e2e/schemathesis.toml run URL/openapi.json --checks all`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serving.processes import WAIT_S, Process, until

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def schemathesis(url: str, phases: str, most_s: int, folder: Path) -> str:
    """What it says of a server in some of its phases, if it finds nothing wrong."""
    ran = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION, "run"),
            *(f"{url}/openapi.json", "--checks", "all", "--seed", "1", "--max-examples", "5", "--phases", phases),
            *("--max-time", str(most_s), "--request-timeout", "20", "--suppress-health-check", "all"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[:3000] + ran.stdout[-3000:] + ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.timeout(400)
def test_answers_are_as_described_and_none_is_an_error_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIZI_DATA_DIR", str(tmp_path / "data"))
    options = json.dumps({"port": 0, "pre_stop_s": 0.0})
    with Process(["-m", "tests.serving.fake_serve", options]) as serve:
        url = serve.line("shizi serve: ").split()[-1]
        until(lambda: httpx.get(f"{url}/readyz", trust_env=False).status_code == 200, WAIT_S)
        for phases, most_s in (("examples,coverage", 90), ("fuzzing,stateful", 25)):  # the last two have no end
            said = schemathesis(url, phases, most_s, tmp_path)
            assert all(f"✅ {phase.capitalize()}" in said for phase in phases.split(",")), said[-3000:]
        failed = [line for line in serve.log() if line.get("code") == "INTERNAL" or line.get("status") == 500]
        assert failed == []
