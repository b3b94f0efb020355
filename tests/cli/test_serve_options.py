from __future__ import annotations

from pathlib import Path

import pytest

from shizi.cli.serve_options import serve_options
from shizi.serving.site import BUILT
from shizi.settings import from_environment

ELSEWHERE = "tcp://127.0.0.1:9"  # so that no model is looked for


@pytest.mark.parametrize(
    ("environment", "option", "expected"),
    [({}, None, BUILT), ({"SHIZI_UI": "false"}, None, None), ({"SHIZI_UI": "false"}, True, BUILT), ({}, False, None)],
)
def test_the_page_is_there_unless_it_is_left_out(
    environment: dict[str, str], option: bool | None, expected: Path | None
) -> None:
    options = serve_options({"ui": option, "engines": ELSEWHERE}, from_environment(environment))
    assert options.service.ui == expected


def test_it_listens_on_port_8000_of_this_machine() -> None:
    server = serve_options({"engines": ELSEWHERE}, from_environment({})).server
    assert (server.host, server.port) == ("127.0.0.1", 8000)
