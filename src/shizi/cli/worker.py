"""`shizi worker`: its options; what they start is in `shizi.serving.work`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import click

from shizi.cli import exits
from shizi.cli.engine_flags import engine_flags
from shizi.cli.groups import GroupedCommand
from shizi.cli.remote_flags import REMOTE, remote_flags
from shizi.errors import InvalidRequest
from shizi.settings import Settings, from_environment

if TYPE_CHECKING:
    from shizi.jobs.job import JobLimits
    from shizi.serving.work import WorkOptions

_NEEDED: Final = ("grpc", "prometheus_client", "sqlalchemy", "structlog", "uvicorn")


class WorkerCommand(GroupedCommand):
    """The command with its headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "Work": ("worker_slots", "data_dir"),
        "Where": ("internal_host", "internal_port"),
        "Engines elsewhere": REMOTE,
        "Engine": ("tier", "runtime", "precision", "threads", "offline", "models_dir"),
    }


@click.command("worker", cls=WorkerCommand)
@click.option(
    "--slots", "worker_slots", type=click.IntRange(1, 64), metavar="N", help="Tasks at the same time (default: 2)."
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the server on this machine keeps its jobs, without SHIZI_DATABASE_URL.",
)
@click.option("--internal-host", metavar="ADDRESS", help="The address of the internal port; by default 127.0.0.1.")
@click.option(
    "--internal-port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Answer /healthz, /readyz and /metrics on this port; by default on none.",
)
@remote_flags
@engine_flags
@click.option("--offline", is_flag=True, default=None, help="Never fetch a model.")
@click.option("--models-dir", type=click.Path(file_okay=False, path_type=Path), help="Where models are kept.")
def worker(**values: object) -> int:
    """Work off the jobs of servers until SIGTERM or Ctrl-C.

    Workers on other machines need the database of the servers (SHIZI_DATABASE_URL, a PostgreSQL) and should have their Redis
    (SHIZI_REDIS_URL), which tells them of new work at once. Any number may run; one that dies loses nothing but the page that it
    was reading.

    \b
    Examples:
      shizi worker
      SHIZI_DATABASE_URL=postgresql://shizi@db/shizi SHIZI_REDIS_URL=redis://cache/0 shizi worker --slots 4
      shizi worker --internal-host 0.0.0.0 --internal-port 9090
      shizi worker --engine tcp://10.0.0.5:8001 --engine-token-file token --engine-ca ca.pem
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InvalidRequest(f"shizi worker needs more libraries ({missing[0]} is missing): pip install 'shizi[serve]'")
    from shizi.serving.work import work

    work(_options(values, from_environment(os.environ)), lambda line: click.echo(line, err=True))
    return exits.OK


def _options(values: Mapping[str, object], settings: Settings) -> WorkOptions:
    from shizi.cli.engine import limits, pull_missing, store
    from shizi.cli.options import engine_options
    from shizi.cli.serve_options import engines_options, over, storage_options
    from shizi.cli.version import own_version
    from shizi.jobs.worker import WorkerOptions
    from shizi.serving.work import WorkOptions

    chosen = over(values, settings)
    engine = engine_options(values, settings)
    if not chosen.engines:
        pull_missing(store(engine), engine.tier, sys.stderr)
    return WorkOptions(
        limits=limits(engine),
        jobs=job_limits(chosen),
        engines=engines_options(chosen, engine, values),
        storage=storage_options(chosen),
        redis_url=chosen.redis_url.get_secret_value() if chosen.redis_url else None,
        worker=WorkerOptions(slots=chosen.worker_slots),
        version=own_version(),
        internal_host=chosen.internal_host,
        internal_port=chosen.internal_port,
    )


def job_limits(chosen: Settings) -> JobLimits:
    """Bounds of jobs; servers and workers have the same."""
    from shizi.imaging.limits import Limits
    from shizi.jobs.job import JobLimits

    return JobLimits(
        max_files=chosen.job_files,
        max_pages=chosen.job_pages,
        max_bytes=chosen.max_bytes or Limits().max_bytes,
        max_job_bytes=chosen.job_bytes,
        retention_s=chosen.job_retention_s,
        tenant_jobs=chosen.job_tenant_jobs,
        tenant_bytes=chosen.job_tenant_bytes,
        total_bytes=chosen.job_total_bytes,
    )
