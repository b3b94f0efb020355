from __future__ import annotations

from pathlib import Path

import pytest

from shizi.cli.serve_options import jobs_setup, serve_options
from shizi.serving.jobs import JobsOptions
from shizi.serving.options import ServerOptions
from shizi.serving.site import BUILT
from shizi.settings import Settings, from_environment

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


def test_bounds_of_jobs_over_http_and_of_slow_takers_are_settings() -> None:
    numbers = {"job_uploads": 9, "job_tenant_uploads": 8, "job_fetched": 7, "job_tenant_fetched": 6}
    http = jobs_setup(Settings.model_validate(numbers)).http
    assert (http.uploads, http.tenant_uploads, http.fetched, http.tenant_fetched) == (9, 8, 7, 6)
    default = jobs_setup(Settings()).http
    assert (default.uploads, default.tenant_uploads) == (JobsOptions().uploads, JobsOptions().tenant_uploads)
    assert (default.fetched, default.tenant_fetched) == (JobsOptions().fetched, JobsOptions().tenant_fetched)
    assert Settings().taking_timeout_s == ServerOptions().taking_timeout_s
