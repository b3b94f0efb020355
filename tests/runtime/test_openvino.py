"""OpenVINO behind the protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from shizi.runtime.openvino import OpenVinoRuntime
from tests.runtime import sessions


@pytest.fixture(scope="module")
def runtime() -> OpenVinoRuntime:
    return OpenVinoRuntime()


def test_it_runs_models(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.runs_and_hands_over_the_output(runtime, tmp_path)


def test_a_reader_that_fails_blocks_nobody(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.survives_a_reader_that_fails(runtime, tmp_path)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_many_threads_share_a_session(runtime: OpenVinoRuntime, tmp_path: Path, concurrency: int) -> None:
    sessions.serves_many_threads(runtime, tmp_path, concurrency)


def test_what_is_no_model_is_refused(runtime: OpenVinoRuntime, tmp_path: Path) -> None:
    sessions.refuses_what_is_no_model(runtime, tmp_path)
