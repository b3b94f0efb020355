"""`shizi auth`: make, list and revoke the API keys of a server."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from shizi.cli.terminal import one_line
from shizi.errors import InvalidRequest, NotFound
from shizi.serving.caller import OCR, SCOPES
from shizi.serving.keys import KeyRecord, KeyStore, default_path
from shizi.settings import from_environment

_HEADINGS: Final = ("ID", "TENANT", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE", "NAME")
_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([hdy])")
_SECONDS: Final = {"h": 3600, "d": 86_400, "y": 365 * 86_400}
_LONGEST_YEARS: Final = 100

Command = TypeVar("Command", bound=Callable[..., Any])


def _keys_option(command: Command) -> Command:
    option = click.option(
        "--api-keys",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The file of keys; default: SHIZI_API_KEYS, else keys.sqlite3 in SHIZI_HOME or the user's folder for data.",
    )
    return option(command)


def _json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@click.group("auth")
def auth() -> None:
    """Make, list and revoke the API keys of a server.

    A running server knows of a change within about a second.
    """


@auth.command("create-key")
@click.option("--tenant", required=True, help="Who owns what is made with the key.")
@click.option("--name", required=True, help="What the key is for, to know it again in the list.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=(OCR,),
    show_default=True,
    help="What it may do; several times for several scopes.",
)
@click.option(
    "--expires",
    default="1y",
    show_default=True,
    metavar="TIME",
    help="When it ends: 12h, 90d, 2y, a date (2030-12-31, UTC), or never.",
)
@_json_option
@_keys_option
def create_key(
    tenant: str, name: str, scopes: tuple[str, ...], expires: str, as_json: bool, api_keys: Path | None
) -> None:
    """Make a key and print it; it is shown this once."""
    key, record = KeyStore(_path(api_keys)).create(tenant, name, scopes, _end(expires, time.time()))
    if as_json:
        click.echo(json.dumps({"key": key} | _row(record), ensure_ascii=False, indent=2))
    else:
        click.echo(key)
    click.echo("Keep the key now: it is shown this once, and only a hash of it is stored.", err=True)


@auth.command("list")
@_json_option
@_keys_option
def list_keys(as_json: bool, api_keys: Path | None) -> None:
    """List all keys, without their secrets."""
    rows = [_row(record) for record in _existing(api_keys).records()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo(_table([_HEADINGS, *(_cells(row) for row in rows)]))


@auth.command("revoke")
@click.argument("key_id", metavar="ID")
@_json_option
@_keys_option
def revoke(key_id: str, as_json: bool, api_keys: Path | None) -> None:
    """End the key of this ID for good."""
    record = _existing(api_keys).revoke(key_id)
    if as_json:
        click.echo(json.dumps(_row(record), ensure_ascii=False, indent=2))
    else:
        click.echo(f"{record.id}\trevoked")


def _path(api_keys: Path | None) -> Path:
    settings = from_environment(os.environ)
    return api_keys or settings.api_keys or default_path(settings.home)


def _existing(api_keys: Path | None) -> KeyStore:
    """The file, which must be there: a wrong path must not look like a server without keys."""
    path = _path(api_keys)
    if not path.exists():
        raise NotFound(
            f"there is no file of keys at {path}; `shizi auth create-key` makes it, --api-keys names another"
        )
    return KeyStore(path)


def _end(text: str, now: float) -> int | None:
    """Seconds since 1970; None for never."""
    if text == "never":
        return None
    span = _SPAN.fullmatch(text)
    try:
        end = int(now) + int(span[1]) * _SECONDS[span[2]] if span else _midnight(text)
    except ValueError:
        raise InvalidRequest("--expires is a time like 12h, 90d, 2y, a date like 2030-12-31, or never") from None
    if end > now + _LONGEST_YEARS * _SECONDS["y"]:
        raise InvalidRequest(f"--expires is more than {_LONGEST_YEARS} years away; say never if that is meant")
    return end


def _midnight(date: str) -> int:
    return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def _row(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "tenant": record.tenant,
        "scopes": sorted(record.scopes),
        "created": _time(record.created),
        "expires": _time(record.expires),
        "last_used": _time(record.used),
        "revoked": _time(record.revoked),
        "state": record.state(time.time()),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["id"],
        row["tenant"],
        ",".join(row["scopes"]),
        row["created"],
        row["expires"] or "never",
        row["last_used"] or "-",
        row["state"],
        one_line(row["name"]),  # last, since it may have characters as wide as two
    )


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
