"""The way of a bench: options, documents, engines, report."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shizi.bench import documents
from shizi.bench.ablation import Variant
from shizi.bench.measure import Engine
from shizi.bench.peers import Peer, peers
from shizi.bench.recording import Recorder
from shizi.bench.report import as_json
from shizi.bench.run import Opened, Plan, run
from shizi.cli import exits, options, outputs
from shizi.cli.bench_text import as_text
from shizi.cli.engine import pull_missing, store
from shizi.cli.inputs import STDIN, expand
from shizi.cli.options import EngineOptions
from shizi.cli.progress import Progress
from shizi.cli.report import error_line
from shizi.cli.terminal import one_line
from shizi.errors import InvalidRequest, NotFound, ShiziError
from shizi.models.folders import compiled_root
from shizi.runtime.choose import choose, load_runtime
from shizi.settings import from_environment

if TYPE_CHECKING:
    from shizi import OCR


@dataclass(frozen=True, slots=True)
class BenchTools:
    """What the command works with; tests give their own.

    Attributes:
        open: makes the engine that is measured.
        vary: makes one that differs from it.
        peers: the other engines.
    """

    open: Callable[[EngineOptions], AbstractContextManager[Opened]]
    vary: Callable[[EngineOptions, Variant], AbstractContextManager[Engine]]
    peers: Callable[[], tuple[Peer, ...]]


def real_tools() -> BenchTools:
    """The tools of an installed shizi."""
    return BenchTools(_open, _vary, peers)


def measure_all(values: Mapping[str, object], tools: BenchTools) -> int:
    """Measure what a command line asks for; return its exit code.

    Raises:
        InvalidRequest: the options do not go together, or an output cannot be written.
        NotFound: there is nothing to read.
        ModelLoadFailed: the engine cannot be made.
    """
    engine_options = options.engine_options(values, from_environment(os.environ))
    json_file = values["json_file"]
    refused: list[str] = []
    with _documents(values) as (named, drawn), tools.open(engine_options) as opened:
        plan = Plan(
            named,
            drawn,
            _number(values["rounds"]),
            (lambda variant: tools.vary(engine_options, variant)) if values["ablation"] else None,
            tools.peers() if values["peers"] else (),
        )
        with Progress(plan.steps(opened.choice), sys.stderr, sys.stderr.isatty()) as progress:

            def refuse(name: str, error: ShiziError) -> None:
                refused.append(name)
                progress.say(error_line(name, error))

            report = run(opened, plan, lambda what: progress.advance(what, failed=False), refuse)
    if isinstance(json_file, Path):
        outputs.write(json_file, as_json(report).encode())
    click.echo(as_text(report, colour=sys.stdout.isatty()))
    return exits.PARTIAL if refused else exits.OK


@contextmanager
def _documents(values: Mapping[str, object]) -> Iterator[tuple[dict[str, Path], bool]]:
    """Documents by the names they go by, and whether the bench drew them."""
    files = values["files"]
    given = [str(name) for name in files] if isinstance(files, Sequence) else []
    if STDIN in given:
        raise InvalidRequest("a bench reads each document many times; give files instead of -")
    if not given:
        with tempfile.TemporaryDirectory(prefix="shizi-bench-") as folder:
            yield {path.stem: path for path in documents.draw_all(Path(folder))}, True
        return
    found = [item.path for item in expand(given, bool(values["recursive"])) if item.path is not None]
    if not found:
        raise NotFound(f"no image or PDF in {', '.join(given)}; --recursive looks in the folders below, too")
    chosen = evenly(found, _number(values["limit"]))
    if len(chosen) < len(found):
        click.echo(f"shizi: {len(chosen)} of {len(found)} documents are measured; --limit N takes more", err=True)
    yield {_name(path, number, bool(values["names"])): path for number, path in enumerate(chosen, 1)}, False


def _name(path: Path, number: int, shown: bool) -> str:
    return f"{number} {one_line(path.name)}" if shown else f"document {number}"


def evenly(paths: Sequence[Path], most: int) -> list[Path]:
    """At most so many of them, as far apart as can be: neighbours are often alike."""
    count = min(len(paths), most)
    return [paths[index * len(paths) // count] for index in range(count)]


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no number")
    return value


@contextmanager
def _open(engine: EngineOptions) -> Iterator[Opened]:
    choice = choose(engine.runtime, engine.precision)
    recorder = Recorder(load_runtime(choice.runtime, compiled_root()))
    with _engine(engine, None, recorder) as ocr:
        yield Opened(ocr, recorder, choice, engine.tier, ocr.models)


def _vary(engine: EngineOptions, variant: Variant) -> AbstractContextManager[Engine]:
    return _engine(engine, variant, None)


def _engine(engine: EngineOptions, variant: Variant | None, recorder: Recorder | None) -> OCR:
    from shizi import OCR
    from shizi.cli.engine import limits

    models = store(engine)
    pull_missing(models, engine.tier, sys.stderr)
    return OCR(
        engine.tier,
        runtime=recorder or (variant.runtime if variant else engine.runtime),
        precision=variant.precision if variant else engine.precision,
        threads=engine.threads,
        store=models,
        limits=limits(engine),
        tuning=variant.tuning if variant else None,
    )
