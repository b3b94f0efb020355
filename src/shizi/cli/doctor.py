"""`shizi doctor`: what is installed, what fits this machine and why, and what is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from shizi.cli import exits


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--tier", metavar="NAME", help="Look whether this tier can be used; by default the configured one.")
@click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where models are kept; by default the user's cache folder.",
)
def doctor(as_json: bool, tier: str | None, models_dir: Path | None) -> int:
    """Say what is installed, what fits this machine, and why.

    Nothing is fetched, and nothing leaves this machine. The exit code is 0 where shizi can read documents and 69 where
    it cannot; the end of the output says what to do.
    """
    from shizi.cli.facts import gather
    from shizi.cli.facts_text import as_text

    facts = gather(tier, models_dir)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(facts, colour=sys.stdout.isatty()))
    return exits.OK if facts["usable"] else exits.UNUSABLE
