"""`shizi engine`: an inference node alone, without the HTTP service."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from shizi.cli import exits
from shizi.cli.engine_flags import engine_flags, reader_options
from shizi.cli.groups import GroupedCommand
from shizi.cli.options import EngineOptions, engine_options
from shizi.errors import InvalidRequest
from shizi.settings import from_environment

if TYPE_CHECKING:
    from shizi.engine.options import EngineProcess

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_POSITIVE = click.IntRange(min=1)
_HOST = (
    "pages_at_a_time",
    "max_waiting",
    "max_waiting_bytes",
    "max_message_bytes",
    "max_pixels",
    "max_side",
    "warmup_batches",
)
_SECURITY = ("token_file", "certificate", "key", "client_ca")


class EngineCommand(GroupedCommand):
    """The command with its headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "Where": ("listen",),
        "Who": ("token_file", "certificate", "key", "client_ca", "allow_remote"),
        "Engine": ("tier", "runtime", "precision", "threads", "offline", "models_dir", "catalog"),
        "Work": ("pages_at_a_time", "warmup_batches"),
        "Limits": ("max_waiting", "max_waiting_bytes", "max_message_bytes", "max_pixels", "max_side"),
    }


@click.command("engine", cls=EngineCommand)
@click.option(
    "--listen",
    required=True,
    metavar="ADDRESS",
    help="unix:/path/of/a/socket, or tcp:HOST:PORT (port 0 takes a free one).",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Let other machines call a TCP address without a token or certificate: whoever reaches it may use it.",
)
@click.option("--token-file", type=_FILE, help="Answer only callers that know one of the tokens in it, one on a line.")
@click.option("--tls-certificate", "certificate", type=_FILE, help="Speak TLS on a TCP address, with this (PEM).")
@click.option("--tls-key", "key", type=_FILE, help="The key of the certificate (PEM).")
@click.option("--client-ca", type=_FILE, help="Answer only clients with a certificate of these authorities (PEM).")
@engine_flags
@click.option("--offline", is_flag=True, default=None, help="Never fetch a model.")
@click.option("--models-dir", type=_FOLDER, help="Where models are kept; by default the user's cache folder.")
@click.option("--catalog", type=_FILE, help="A catalogue of models of your own.")
@click.option("--pages-at-a-time", type=click.IntRange(1, 64), metavar="N", help="Pages read at a time (default: 4).")
@click.option(
    "--warmup-batches",
    type=click.IntRange(0, 1000),
    metavar="N",
    help="Batches that are run before the engine is ready (default: 20).",
)
@click.option("--max-waiting", type=_POSITIVE, metavar="N", help="Refuse requests while so many wait (default: 100).")
@click.option(
    "--max-waiting-bytes", type=_POSITIVE, metavar="N", help="Refuse requests while pages have so many bytes."
)
@click.option("--max-message-bytes", type=_POSITIVE, metavar="N", help="Refuse larger messages.")
@click.option("--max-pixels", type=_POSITIVE, metavar="N", help="Refuse pages with more pixels.")
@click.option("--max-side", type=_POSITIVE, metavar="N", help="Refuse pages with a longer side, in pixels.")
def engine(listen: str, allow_remote: bool, **values: object) -> int:
    """Read pages for other processes.

    An inference node alone: it speaks the Open Inference Protocol v2 (KServe, Triton) over gRPC and has one model, "shizi". On a
    Unix socket pixels may stay in shared memory. It says on standard error where it listens and when it is ready, and ends
    by SIGTERM or Ctrl-C when the pages in it are read.

    \b
    Examples:
      shizi engine --listen unix:/run/shizi/engine.sock
      shizi engine --listen tcp:127.0.0.1:8001 --tier light
      shizi engine --listen tcp:0.0.0.0:8001 --token-file tokens --tls-certificate node.pem --tls-key node.key
    """
    from shizi.cli.engine import pull_missing, store

    options = engine_options(values, from_environment(os.environ))
    process = _process(listen, allow_remote, options, values)
    pull_missing(store(options), options.tier, sys.stderr)
    return _serve(process)


def _process(listen: str, allow_remote: bool, options: EngineOptions, values: Mapping[str, object]) -> EngineProcess:
    from pydantic import TypeAdapter, ValidationError

    from shizi.engine import address
    from shizi.engine.options import EngineProcess, HostOptions
    from shizi.engine.security import ServerSecurity

    security = TypeAdapter(ServerSecurity).validate_python({name: values.get(name) for name in _SECURITY})
    place = address.parse(listen)
    if not place.loopback and not allow_remote and not security.keeps_strangers_out:
        raise InvalidRequest(
            f"{listen} can be called by other machines, and nobody would be asked who he is: name a --token-file, or a "
            "--client-ca (with --tls-certificate and --tls-key); or listen on 127.0.0.1 or a Unix socket; or say "
            "--allow-remote in a network that you trust"
        )
    if not place.loopback and security.certificate is None:
        click.echo(f"shizi engine: {listen}: without TLS, whoever sees the network sees pages and tokens", err=True)
    reader = reader_options(options)
    limits = options.limits.given()
    given = {name: value for name in _HOST if (value := values.get(name, limits.get(name))) is not None}
    try:
        host = TypeAdapter(HostOptions).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(f"{first['loc'][0]}: {first['msg']}") from None
    return EngineProcess(listen, reader, host, security)


def _serve(process: EngineProcess) -> int:
    from shizi.engine.server import serve

    logging.basicConfig(format="shizi engine: %(message)s", level=logging.WARNING, stream=sys.stderr)

    def report(event: str, about: str) -> None:
        words = {"listening": f"listening at {about}", "ready": f"ready after {about} s"}
        click.echo(f"shizi engine: {words[event]}", err=True)

    came = asyncio.run(serve(process, report))
    return exits.TERMINATED if came is signal.SIGTERM else exits.INTERRUPTED
