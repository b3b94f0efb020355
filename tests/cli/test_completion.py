from __future__ import annotations

import os
import subprocess
import sys

import pytest

from shizi.cli.main import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_SHIZI_COMPLETE={shell}_complete" in script


def test_completion_answers_with_commands_and_options() -> None:
    def complete(words: str, index: int) -> str:
        environment = os.environ | {"_SHIZI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
        command = [sys.executable, "-m", "shizi"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert "plain,read" in complete("shizi re", 1)
    assert "plain,--output-dir" in complete("shizi read --output", 2)
