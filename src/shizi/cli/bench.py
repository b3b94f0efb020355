"""`shizi bench`: how fast this machine reads, where the time goes, what each optimisation brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click

from shizi.cli.engine_flags import engine_flags
from shizi.cli.groups import GroupedCommand
from shizi.cli.read import FILE, FOLDER


class BenchCommand(GroupedCommand):
    """The command with its headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "What to measure": ("recursive", "limit", "rounds", "ablation", "peers"),
        "Output": ("json_file", "names"),
        "Engine": ("tier", "runtime", "precision", "threads", "offline", "models_dir", "catalog"),
    }


@click.command("bench", cls=BenchCommand)
@click.argument("files", nargs=-1, type=click.Path())
@click.option("-r", "--recursive", is_flag=True, help="Go down into the folders below a folder.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    metavar="N",
    help="Take at most so many documents (default: 20), evenly from all that are named.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=5,
    metavar="N",
    help="Read each document so often for each figure (default: 5).",
)
@click.option("--ablation", is_flag=True, help="Change one switch, runtime or precision at a time, and compare.")
@click.option("--peers", is_flag=True, help="Measure RapidOCR and Tesseract too, where they are installed.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write every figure here, too.")
@click.option("--names", is_flag=True, help="Call documents by their names; without it they are numbered.")
@engine_flags
@click.option("--offline", is_flag=True, default=None, help="Never fetch a model.")
@click.option("--models-dir", type=FOLDER, help="Where models are kept; by default the user's cache folder.")
@click.option("--catalog", type=FILE, help="A catalogue of models of your own.")
@click.pass_context
def bench(context: click.Context, /, **values: object) -> int:
    """Measure how fast this machine reads.

    FILES are images, PDFs, folders or globs, as for `shizi read`. Without any, the bench draws three documents, so that
    it needs nothing and takes a minute. Nothing leaves this machine; neither the table nor the JSON names your
    documents unless you ask for it.

    \b
    Examples:
      shizi bench
      shizi bench scans/ --limit 50 --names
      shizi bench --ablation --json figures.json
      shizi bench page.png --peers
    """
    from shizi.cli.bench_run import BenchTools, measure_all, real_tools

    tools = context.obj if isinstance(context.obj, BenchTools) else real_tools()
    return measure_all(values, tools)
