from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from shizi.engine.options import EngineProcess, HostOptions, ReaderOptions, as_json, from_json


def test_options_come_back_as_they_were() -> None:
    process = EngineProcess(
        "unix:/a",
        ReaderOptions(tier="light", threads=2, models_dir=Path("/m"), offline=True),
        HostOptions(max_waiting=3),
    )
    assert from_json(as_json(process)) == process


@pytest.mark.parametrize("limit", ["pages_at_a_time", "max_waiting", "max_waiting_bytes", "max_pixels", "stall_s"])
def test_nothing_is_unlimited(limit: str) -> None:
    with pytest.raises(ValidationError):
        from_json(as_json(EngineProcess("unix:/a", host=HostOptions(**{limit: 0}))))
