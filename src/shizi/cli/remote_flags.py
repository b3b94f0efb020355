"""The options of commands that may have their pages read by engines elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

REMOTE: Final = ("engines", "engine_token_file", "engine_ca", "engine_certificate", "engine_key")
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


def _joined(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """One text, as the environment's variable has it."""
    return ",".join(values) or None


def remote_flags(command: F) -> F:
    """Adds --engine and what goes with it."""
    flags = (
        click.option(
            "--engine",
            "engines",
            multiple=True,
            metavar="ADDRESS",
            callback=_joined,
            help="Have pages read by the engine at tcp://HOST:PORT or unix:///path; may be said several times. "
            "Then none is started here.",
        ),
        click.option("--engine-token-file", type=_FILE, help="Its first line is the token that these engines ask for."),
        click.option("--engine-ca", type=_FILE, help="Call them over TLS; by these certificates (PEM) they are known."),
        click.option("--engine-certificate", type=_FILE, help="The certificate (PEM) that they ask for."),
        click.option("--engine-key", type=_FILE, help="The key of that certificate (PEM)."),
    )
    for flag in reversed(flags):  # as if they stood one below the other
        command = flag(command)
    return command
