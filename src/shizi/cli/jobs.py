"""`shizi jobs`: order documents at a server, look at jobs, fetch what was read."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from shizi.cli import exits
from shizi.cli.inputs import expand
from shizi.cli.jobs_client import open_client
from shizi.cli.jobs_text import job_facts, job_lines, job_table, result_name
from shizi.cli.options import BINARY, read_options
from shizi.cli.outputs import write
from shizi.cli.read import FILE, FOLDER, chosen_languages, chosen_pages
from shizi.errors import InvalidRequest
from shizi.export import EXPORTERS
from shizi.settings import from_environment

if TYPE_CHECKING:
    from shizi.client.client import Client

FORMATS: Final = tuple(name for name, exporter in EXPORTERS.items() if not exporter.needs_original)
STATES: Final = ("queued", "running", "succeeded", "failed", "partial", "cancelled")

Command = TypeVar("Command", bound=Callable[..., Any])
Open = Callable[[], "Client"]


def _server(command: Command) -> Command:
    """The options of every command here; the command gets what they lead to as `open_server`."""

    @functools.wraps(command)
    def called(server: str | None, key_file: Path | None, ca_file: Path | None, **rest: Any) -> Any:  # noqa: ANN401
        def open_server() -> Client:
            return open_client(server, key_file, ca_file, from_environment(os.environ))

        return command(open_server=open_server, **rest)

    options = (
        click.option("--server", metavar="URL", help="The server; else SHIZI_SERVER."),
        click.option("--key-file", type=FILE, help="A file whose first line is the key or token; else SHIZI_API_KEY."),
        click.option(
            "--ca-file", type=FILE, help="Certificates (PEM) of the authorities by which the server is known."
        ),
    )
    for option in reversed(options):
        called = option(called)
    return cast(Command, called)


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_id = click.argument("job_id", metavar="ID")


@click.group("jobs")
def jobs() -> None:
    """Order many documents at a server, which reads them in the background.

    \b
    Examples:
      export SHIZI_SERVER=http://127.0.0.1:8000
      ID=$(shizi jobs submit scans/ --language zh,en)
      shizi jobs wait $ID
      shizi jobs result $ID --format md --output-dir texts/
    """


@jobs.command("submit")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("-r", "--recursive", is_flag=True, help="Go down into the folders below a folder.")
@click.option(
    "--pages", callback=chosen_pages, metavar="PAGES", help="Only these pages, such as 1-3,7 (counted from 1)."
)
@click.option(
    "--language", "languages", callback=chosen_languages, metavar="LANGUAGES", help="Only these, such as zh,en."
)
@click.option("--min-score", type=click.FloatRange(0, 1), metavar="SCORE", help="Leave out lines read less surely.")
@click.option(
    "--text-layer",
    type=click.Choice(("auto", "ignore", "only")),
    default="auto",
    metavar="WHICH",
    help="Text that a PDF has already: auto (default), ignore, only.",
)
@click.option("--password-file", type=FILE, help="A file whose first line opens encrypted PDFs; else SHIZI_PASSWORD.")
@click.option("--priority", type=click.IntRange(0, 9), metavar="N", help="0 to 9 (default 5); the highest goes first.")
@click.option("--webhook-url", metavar="URL", help="Is told when the job has ended; see `shizi jobs webhook-secret`.")
@click.option("--idempotency-key", metavar="TEXT", help="The same order with the same key makes one job.")
@click.option("--wait", is_flag=True, help="Wait for the end, as `shizi jobs wait` does.")
@_json
@_server
def submit(open_server: Open, **values: Any) -> int:  # noqa: ANN401 (as click hands them over)
    """Order documents to be read, and print the job's ID."""
    inputs = expand(values["files"], values["recursive"])
    paths = [item.path for item in inputs if item.path is not None]
    if len(paths) != len(inputs) or not paths:
        raise InvalidRequest("name files or folders with documents; standard input cannot be ordered")
    names = ("pages", "languages", "min_score", "text_layer", "password_file")
    read = read_options({name: values[name] for name in names}, from_environment(os.environ))
    with open_server() as client:
        job = client.submit_job(
            paths,
            priority=values["priority"],
            webhook_url=values["webhook_url"],
            idempotency_key=values["idempotency_key"],
            pages=read.pages,
            languages=read.languages,
            password=read.password,
            text_layer=read.text_layer,
            min_score=read.min_score,
        )
        click.echo(json.dumps(job_facts(job), ensure_ascii=False, indent=2) if values["as_json"] else job.id)
        return _wait(client, job.id) if values["wait"] else exits.OK


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES), metavar="STATE", help="Only those: " + ", ".join(STATES) + ".")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The latest so many.")
@_json
@_server
def list_jobs(open_server: Open, state: str | None, limit: int, as_json: bool) -> int:
    """List jobs, the latest first."""
    with open_server() as client:
        found = [job for job, _ in zip(client.jobs(state=state), range(limit), strict=False)]
    if as_json:
        click.echo(json.dumps([job_facts(job) for job in found], ensure_ascii=False, indent=2))
    else:
        click.echo(job_table(found))
    return exits.OK


@jobs.command("show")
@_id
@_json
@_server
def show(open_server: Open, job_id: str, as_json: bool) -> int:
    """Say how far a job is, and each of its documents."""
    with open_server() as client:
        job = client.job(job_id)
    click.echo(json.dumps(job_facts(job), ensure_ascii=False, indent=2) if as_json else "\n".join(job_lines(job)))
    return exits.OK


@jobs.command("wait")
@_id
@_server
def wait(open_server: Open, job_id: str) -> int:
    """Wait for the end of a job; exit code 1 where not all of it was read."""
    with open_server() as client:
        return _wait(client, job_id)


@jobs.command("result")
@_id
@click.option(
    "--document", type=click.IntRange(min=1), metavar="N", help="Of this document; needed where there are several."
)
@click.option(
    "-f",
    "--format",
    "name",
    type=click.Choice(FORMATS),
    default="text",
    metavar="FORMAT",
    help=f"{', '.join(FORMATS)} (default: text). What shows the pages, pdf and annotated, is made by `shizi read`.",
)
@click.option("-o", "--output", type=FILE, help="Write it here instead of standard output.")
@click.option("-O", "--output-dir", type=FOLDER, help="Write the results of all documents here, one file each.")
@_server
def result(
    open_server: Open, job_id: str, document: int | None, name: str, output: Path | None, output_dir: Path | None
) -> int:
    """Fetch what was read."""
    if output_dir is not None and (output is not None or document is not None):
        raise InvalidRequest("--output-dir takes all results; leave out --document and --output")
    if output_dir is None and output is None and name in BINARY and sys.stdout.isatty():
        raise InvalidRequest(f"--format {name} is no text for a terminal; add --output FILE or --output-dir DIR")
    with open_server() as client:
        if output_dir is not None:
            return _all_results(client, job_id, name, output_dir)
        if document is None and (count := client.job(job_id).document_count) > 1:
            raise InvalidRequest(f"the job has {count} documents; choose one with --document, or all with --output-dir")
        data = client.job_export(job_id, document or 1, name)
    if output is not None:
        write(output, data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return exits.OK


@jobs.command("cancel")
@_id
@_server
def cancel(open_server: Open, job_id: str) -> int:
    """End a job; what was read stays."""
    with open_server() as client:
        click.echo(f"{job_id}\t{client.cancel_job(job_id).state}")
    return exits.OK


@jobs.command("delete")
@_id
@_server
def delete(open_server: Open, job_id: str) -> int:
    """Delete a job with its documents and results."""
    with open_server() as client:
        client.delete_job(job_id)
    click.echo(f"{job_id}\tdeleted")
    return exits.OK


@jobs.command("webhook-secret")
@_server
def webhook_secret(open_server: Open) -> int:
    """Make the secret by which receivers of webhooks know the server; the one before holds for another day."""
    with open_server() as client:
        click.echo(client.webhook_secret())
    click.echo("Keep the secret now: it is shown this once.", err=True)
    return exits.OK


def _wait(client: Client, job_id: str) -> int:
    pages = 0
    for event in client.job_events(job_id):
        pages += event.kind == "page"
        if event.kind == "document":
            ended = f"document {event.data.get('document')} {event.data.get('state')}"
            click.echo(f"{ended}{_why(event.data.get('error'))} ({pages} pages so far)", err=True)
    job = client.job(job_id)
    click.echo(f"{job.id}\t{job.state}", err=True)
    return exits.OK if job.state == "succeeded" else exits.PARTIAL


def _why(error: object) -> str:
    return f" ({error})" if isinstance(error, str) and error.isidentifier() else ""


def _all_results(client: Client, job_id: str, name: str, folder: Path) -> int:
    job = client.job(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    missing = 0
    for document in job.documents:
        if document.state not in ("succeeded", "partial"):
            click.echo(f"document {document.number} {document.state}{_why(document.error)}", err=True)
            missing += 1
            continue
        path = folder / result_name(document, EXPORTERS[name].extension)
        write(path, client.job_export(job_id, document.number, name))
        missing += document.state == "partial"
    return exits.OK if not missing else exits.PARTIAL
