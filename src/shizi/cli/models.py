"""`shizi models`: list, pull and verify the models, and say where they lie."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

import click

from shizi.cli.terminal import printable, said
from shizi.errors import ModelLoadFailed, ShiziError
from shizi.models.card import DEFAULT_TIER, Card, load_catalog
from shizi.models.store import ModelStore, Progress
from shizi.settings import Settings, from_environment

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_HEADINGS: Final = ("NAME", "TASK", "VERSION", "SIZE", "LICENCE", "INSTALLED", "TIERS")

Command = TypeVar("Command", bound=Callable[..., Any])


def _store_options(command: Command) -> Command:
    """Where models lie and which there are; `SHIZI_HOME` and `SHIZI_CATALOG` say the same for every command."""
    models_dir = click.option(
        "--models-dir", type=click.Path(file_okay=False, path_type=Path), help="Where models are kept."
    )
    catalog = click.option(
        "--catalog", type=click.Path(dir_okay=False, path_type=Path), help="A catalogue of models of your own."
    )
    return models_dir(catalog(command))


def _offline_option(command: Command) -> Command:
    return click.option("--offline", is_flag=True, help="Fetch nothing (SHIZI_OFFLINE=1).")(command)


@click.group("models")
def models() -> None:
    """List, pull and verify the models.

    NAME is one of `shizi models list`, or the path of a card.toml of your own.
    """


@models.command("list")
@_store_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_models(models_dir: Path | None, catalog: Path | None, as_json: bool) -> None:
    """List the models of the catalogue."""
    store = _store(models_dir, catalog, offline=True)
    installed = store.installed()
    rows = [_row(card, installed.get(name), _tiers(store, name)) for name, card in store.catalog.models.items()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo(_table([_HEADINGS, *(_cells(row) for row in rows)]))


@models.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--tier", "tiers", multiple=True, help=f"All models of a tier; {DEFAULT_TIER} (SHIZI_TIER) when nothing is named."
)
@_offline_option
@_store_options
def pull(
    names: tuple[str, ...], tiers: tuple[str, ...], offline: bool, models_dir: Path | None, catalog: Path | None
) -> None:
    """Pull models; print their names and files."""
    store = _store(models_dir, catalog, offline)
    if not names and not tiers:
        tiers = (_settings().tier,)
    wanted = [*names, *(name for tier in tiers for name in store.catalog.tier(tier).names)]

    with _progress(sys.stderr) as progress:
        _for_each(store, wanted, lambda name: f"{name}\t{store.path(name, progress=progress)}")


@models.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_store_options
def verify(names: tuple[str, ...], models_dir: Path | None, catalog: Path | None) -> None:
    """Compare installed models with the hashes of their cards.

    Without NAME: all that are installed.
    """
    store = _store(models_dir, catalog, offline=True)
    wanted = names or tuple(store.installed())
    if not wanted:
        click.echo(f"no model is installed in {store.root}; run `shizi models pull`", err=True)

    def check(name: str) -> str:
        store.verify(name)
        return f"{name}\tok"

    _for_each(store, wanted, check)


@models.command("path")
@click.argument("name")
@_offline_option
@_store_options
def path(name: str, offline: bool, models_dir: Path | None, catalog: Path | None) -> None:
    """Print the file of a model, verified.

    It is pulled first where it is absent.
    """
    store = _store(models_dir, catalog, offline)
    with _progress(sys.stderr) as progress:
        click.echo(store.path(name, progress=progress))


def _settings() -> Settings:
    return from_environment(os.environ)


def _store(models_dir: Path | None, catalog: Path | None, offline: bool) -> ModelStore:
    settings = _settings()
    home = None if settings.home is None else settings.home.expanduser() / "models"
    return ModelStore(
        models_dir or home, offline=offline or settings.offline, catalog=load_catalog(catalog or settings.catalog)
    )


def _for_each(store: ModelStore, names: Sequence[str], action: Callable[[str], str]) -> None:
    """Print what the action gives for each model; a failing one is named at once and costs none of the others.

    Raises:
        ModelLoadFailed: at the end, when several were asked for and any failed; a single one's own error otherwise.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        store.card(name)  # a wrong name stops before anything is pulled
    failed = []
    for name in wanted:
        try:
            click.echo(action(name))
        except ShiziError as error:
            if len(wanted) == 1:
                raise
            click.echo(f"{printable(name)}: {said(error)}", err=True)
            failed.append(name)
    if failed:
        raise ModelLoadFailed(f"{len(failed)} of {len(wanted)} models failed: {', '.join(failed)}")


def _tiers(store: ModelStore, name: str) -> list[str]:
    return [tier for tier, members in store.catalog.tiers.items() if name in members.names]


def _row(card: Card, file: Path | None, tiers: list[str]) -> dict[str, Any]:
    said = card.model_dump(
        mode="json",
        include={"name", "task", "version", "size", "licence", "languages", "sha256", "origin", "description"},
    )
    return said | {"installed": file is not None, "path": None if file is None else str(file), "tiers": tiers}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = "?" if row["size"] is None else f"{row['size'] / 1e6:.1f} MB"
    tiers = ", ".join(f"{tier} (default)" if tier == DEFAULT_TIER else tier for tier in row["tiers"])
    installed = "yes" if row["installed"] else "no"
    return (row["name"], row["task"], row["version"], size, row["licence"], installed, tiers or "-")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


@contextmanager
def _progress(stream: TextIO) -> Iterator[Progress | None]:
    """What draws bars on a terminal; None elsewhere, so that logs stay clean."""
    if not stream.isatty():
        yield None
        return
    bars = _Bars(stream)
    try:
        yield bars.show
    finally:
        bars.close()


class _Bars:
    """One bar after the other, by model."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._name = ""
        self._bar: ProgressBar[int] | None = None

    def show(self, name: str, done: int, total: int | None) -> None:
        """Move the bar of this model; without a total, say the name alone."""
        if name != self._name:
            self.close()
            self._name = name
            self._stream.write(f"{name}\n" if total is None else "")
        if total is None:
            return
        if self._bar is not None and done < self._bar.pos:  # the source was given up, or changed: from the start again
            self.close()
        if self._bar is None:
            self._bar = click.progressbar(length=total, label=name, file=self._stream)
            self._bar.render_progress()
        self._bar.update(done - self._bar.pos)
        if done >= total:
            self.close()

    def close(self) -> None:
        """End the line of the bar that is shown."""
        if self._bar is not None:
            self._bar.render_finish()
            self._stream.write("\n")
        self._bar = None
