"""`shizi serve`: its options; what they start is in `shizi.serving.process`."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

import click

from shizi.cli import exits
from shizi.cli.engine_flags import engine_flags
from shizi.cli.groups import GroupedCommand
from shizi.cli.remote_flags import remote_flags
from shizi.errors import InvalidRequest
from shizi.settings import from_environment

_NEEDED: Final = (
    "fastapi",
    "grpc",
    "jwt",
    "limits",
    "prometheus_client",
    "python_multipart",
    "sqlalchemy",
    "structlog",
    "uvicorn",
)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_PORT: Final = click.IntRange(0, 65_535)
_POSITIVE: Final = click.IntRange(min=1)


class ServeCommand(GroupedCommand):
    """The command with its headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "Where": ("host", "port", "internal_host", "internal_port", "ui", "docs"),
        "Who": ("anonymous", "api_keys", "token_issuer", "token_audience", "token_keys", "trusted_proxies"),
        "How much": (
            "documents",
            "max_queue_size",
            "cache_bytes",
            "request_timeout_s",
            "upload_timeout_s",
            "max_bytes",
            "max_pages",
            "preview_side",
        ),
        "Jobs and corrections": (
            "data_dir",
            "webhooks",
            "webhook_ports",
            "webhook_networks",
            "feedback_crops",
            "feedback_rows",
            "feedback_bytes",
        ),
        "The end": ("pre_stop_s", "drain_s"),
        "Engines elsewhere": ("engines", "engine_token_file", "engine_ca", "engine_certificate", "engine_key"),
        "Engine": ("tier", "runtime", "precision", "threads", "offline", "models_dir"),
    }


@click.command("serve", cls=ServeCommand)
@click.option("--host", metavar="ADDRESS", help="Listen here; by default 127.0.0.1, that is, for this machine alone.")
@click.option("--port", type=_PORT, metavar="N", help="By default 8000; 0 for any that is free.")
@click.option("--internal-host", metavar="ADDRESS", help="The address of the internal port; by default 127.0.0.1.")
@click.option(
    "--internal-port", type=_PORT, metavar="N", help="Answer /metrics and /openapi.json on this port, and only there."
)
@click.option("--ui/--no-ui", default=None, help="Whether the web page is there, at /; it needs no key, the API does.")
@click.option("--docs/--no-docs", default=None, help="Whether /openapi.json is there at all.")
@click.option(
    "--anonymous",
    type=click.Choice(("loopback", "always", "never")),
    metavar="WHO",
    help="Who may ask without a key or token: loopback (default) where only this machine can reach the server, always, "
    "never.",
)
@click.option("--api-keys", type=_FILE, help="The file of API keys.")
@click.option("--token-issuer", metavar="URL", help="Take tokens (JWT) of this issuer.")
@click.option("--token-audience", metavar="NAME", help="For whom they must be made.")
@click.option("--token-keys", metavar="URL", help="Address or file of the issuer's keys (JWK set).")
@click.option("--trusted-proxies", metavar="NETWORKS", help="Proxies whose X-Forwarded-For is believed: 10.0.0.0/8,…")
@click.option("--documents", type=click.IntRange(1, 256), metavar="N", help="Documents at the same time (default: 4).")
@click.option(
    "--max-queue-size", type=_POSITIVE, metavar="N", help="Requests under way; more are refused (default: 100)."
)
@click.option(
    "--cache-bytes", type=click.IntRange(min=0), metavar="N", help="Bytes of results that are kept (256 MiB)."
)
@click.option(
    "--request-timeout",
    "request_timeout_s",
    type=_POSITIVE,
    metavar="SECONDS",
    help="For a document, where its client asks for no other (default: 30).",
)
@click.option(
    "--upload-timeout", "upload_timeout_s", type=_POSITIVE, metavar="SECONDS", help="For an upload (default: 120)."
)
@click.option("--max-bytes", type=_POSITIVE, metavar="N", help="Refuse larger documents.")
@click.option("--max-pages", type=_POSITIVE, metavar="N", help="Refuse to read more pages of one document.")
@click.option(
    "--preview-side", type=_POSITIVE, metavar="N", help="Longer side of a page for a preview (default: 1280)."
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where jobs and corrections are kept, without SHIZI_DATABASE_URL; by default the user's folder for data.",
)
@click.option(
    "--webhooks",
    type=click.Choice(("https", "http", "off")),
    metavar="HOW",
    help="Tell of the end of jobs, where clients ask for it, by https (default), also by http, or off.",
)
@click.option("--webhook-ports", metavar="PORTS", help="Ports to which webhooks may go (default: 443,8443).")
@click.option(
    "--webhook-networks", metavar="NETWORKS", help="Internal networks to which they may go, beside public addresses."
)
@click.option(
    "--feedback-crops",
    metavar="TENANTS",
    help="Keep pictures of corrected lines of these: a,b,…; * for all, default none.",
)
@click.option("--feedback-rows", type=_POSITIVE, metavar="N", help="Corrections kept of one tenant (default: 100000).")
@click.option("--feedback-bytes", type=_POSITIVE, metavar="N", help="Bytes kept of them (default: 256 MiB).")
@click.option(
    "--pre-stop",
    "pre_stop_s",
    type=click.FloatRange(0, 3600),
    metavar="SECONDS",
    help="After SIGTERM /readyz says 503, and requests are still taken for so long (default: 5).",
)
@click.option(
    "--drain",
    "drain_s",
    type=click.FloatRange(1, 86_400),
    metavar="SECONDS",
    help="After that, what was begun may end within so long (default: 60).",
)
@remote_flags
@engine_flags
@click.option("--offline", is_flag=True, default=None, help="Never fetch a model.")
@click.option("--models-dir", type=click.Path(file_okay=False, path_type=Path), help="Where models are kept.")
def serve(**values: object) -> int:
    """Answer over HTTP until SIGTERM or Ctrl-C.

    Without options the server listens on 127.0.0.1:8000, for this machine alone; a browser finds the web page there. To listen
    beyond it, name a file of API keys or an issuer of tokens; a server that everybody may use must be asked for: --anonymous
    always.

    \b
    Examples:
      shizi serve
      shizi serve --host 0.0.0.0 --api-keys /etc/shizi/keys.db --internal-port 9090
      shizi serve --engine tcp://10.0.0.5:8001 --engine tcp://10.0.0.6:8001 --engine-token-file token --engine-ca ca.pem
      curl -F file=@invoice.png 'http://127.0.0.1:8000/v1/ocr?format=text'
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InvalidRequest(f"shizi serve needs more libraries ({missing[0]} is missing): pip install 'shizi[serve]'")
    from shizi.cli.serve_options import serve_options
    from shizi.serving.process import run

    run(serve_options(values, from_environment(os.environ)), lambda line: click.echo(line, err=True))
    return exits.OK
