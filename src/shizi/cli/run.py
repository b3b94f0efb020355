"""The way of a batch: inputs, plan, engine, results in order, report."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO

import click

from shizi.cli import options, outputs
from shizi.cli.batch import in_order
from shizi.cli.inputs import Input, expand
from shizi.cli.options import EngineOptions, OutputOptions, ReadOptions
from shizi.cli.outputs import Job, Journal
from shizi.cli.progress import Progress
from shizi.cli.reading import LINE, Outcome, Reader, Tools, Work
from shizi.cli.remote import RemoteOptions
from shizi.cli.report import Tally, error_line, ndjson
from shizi.cli.terminal import one_line, printable
from shizi.cli.version import own_version
from shizi.errors import Forbidden, ModelLoadFailed, NotFound, Unauthenticated
from shizi.settings import from_environment

_KEPT: Final = ("password_file", "key_file", "ca_file", "catalog")
_FATAL: Final = (ModelLoadFailed, Unauthenticated, Forbidden)


@dataclass(frozen=True, slots=True)
class Streams:
    """The standard streams; data goes to `stdout` as bytes, messages to `stderr`."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: TextIO
    stdout_is_terminal: bool
    stdout_is_file: bool
    stderr_is_terminal: bool


def standard_streams() -> Streams:
    """Those of this process."""
    return Streams(
        sys.stdin.buffer,
        sys.stdout.buffer,
        sys.stderr,
        sys.stdout.isatty(),
        _is_regular_file(sys.stdout),
        sys.stderr.isatty(),
    )


def _is_regular_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # not a file of the system at all
        return False


@dataclass(frozen=True, slots=True)
class Batch:
    """A checked command line, ready to run."""

    engine: EngineOptions
    read: ReadOptions
    out: OutputOptions
    remote: RemoteOptions | None
    jobs: tuple[Job, ...]
    tally: Tally
    journal: Journal | None

    @property
    def to_stdout(self) -> bool:
        """Whether results go to standard output."""
        return self.out.output is None and self.out.output_dir is None


def run_batch(values: Mapping[str, object], tools: Tools, debug: bool) -> int:
    """Read everything that a command line names; return its exit code.

    Raises:
        InvalidRequest: the options do not go together, or an output cannot be written.
        NotFound: the folders named hold nothing to read.
        ModelLoadFailed: no file can be read.
    """
    streams = standard_streams()
    batch = prepare(values, tools, streams)
    start = time.monotonic()
    interrupted = True
    try:
        if batch.jobs:
            _read_all(batch, tools, streams, debug)
        interrupted = False
    except KeyboardInterrupt:
        _say_interrupted(batch, streams)
        raise
    finally:
        if batch.out.report is not None:
            outputs.write(batch.out.report, batch.tally.report(time.monotonic() - start, interrupted))
    if batch.tally.total > 1 and not batch.out.quiet:
        click.echo(batch.tally.summary(time.monotonic() - start), file=streams.stderr)
    return batch.tally.exit_code()


def prepare(values: Mapping[str, object], tools: Tools, streams: Streams) -> Batch:
    """Check the command line, find the inputs, and give each its output; loads nothing heavy."""
    settings = from_environment(os.environ)
    engine = options.engine_options(values, settings)
    read = options.read_options(values, settings)
    out = options.output_options(values, settings)
    inputs = _inputs(values, out)
    options.check(read, out, inputs, streams.stdout_is_terminal)
    remote = options.remote_options(values, settings, tools.max_bytes(engine), engine.limits.timeout_s)
    jobs = outputs.plan(inputs, out.output, out.output_dir, tools.extension(out.format), out.report)
    kept = {f"--{name.replace('_', '-')}": values.get(name) for name in _KEPT}
    outputs.refuse_kept({name: path for name, path in kept.items() if isinstance(path, Path)}, jobs, out.report)
    journal = None
    waiting = jobs
    if out.output_dir is not None:
        digest = options.digest(engine, read, out, own_version(), None if remote is None else remote.server)
        journal = Journal(out.output_dir, digest)
        if out.resume:
            waiting = tuple(job for job in jobs if not journal.is_done(job))
    return Batch(engine, read, out, remote, waiting, Tally(len(jobs), skipped=len(jobs) - len(waiting)), journal)


def _inputs(values: Mapping[str, object], out: OutputOptions) -> tuple[Input, ...]:
    files = values["files"]
    names = [str(name) for name in files] if isinstance(files, Sequence) else []
    inputs = expand(names, bool(values.get("recursive")), out.output_dir)
    if not inputs:
        hint = "" if values.get("recursive") else "; --recursive looks in the folders below, too"
        raise NotFound(f"no image or PDF in {', '.join(names)}{hint}")
    return inputs


def _read_all(batch: Batch, tools: Tools, streams: Streams, debug: bool) -> None:
    if batch.remote is None:
        reader = tools.open_reader(batch.engine)
        _read_with(reader, batch, tools, streams, debug)
        reader.close()  # not after an error or Ctrl-C: threads may still be reading
        return
    with contextlib.closing(tools.open_remote(batch.remote)) as remote:
        _read_with(remote, batch, tools, streams, debug)


def _read_with(reader: Reader, batch: Batch, tools: Tools, streams: Streams, debug: bool) -> None:
    form = LINE if batch.out.stream else batch.out.format
    work = Work(reader, tools, batch.engine, batch.read, form, streams.stdin, debug)
    # results on a terminal, also those that come through a pipe, would tear the progress line apart
    apart = not batch.to_stdout or streams.stdout_is_file
    shown = streams.stderr_is_terminal and not batch.out.quiet and apart
    with Progress(len(batch.jobs), streams.stderr, shown) as progress:
        results = in_order(work, batch.jobs, min(batch.out.jobs, len(batch.jobs)))
        with contextlib.closing(results):
            for outcome in results:
                _finish(outcome, batch, streams, progress)


def _finish(outcome: Outcome, batch: Batch, streams: Streams, progress: Progress) -> None:
    name = outcome.job.input.name
    if isinstance(outcome.error, _FATAL):
        raise outcome.error  # every other file would fail alike
    if outcome.error is None:
        _deliver(outcome, batch, streams)
        if not batch.out.quiet:
            for warning in outcome.warnings:
                progress.say(f"shizi: {one_line(name)}: {printable(warning)}")
    else:
        if batch.out.stream:
            _put(streams.stdout, ndjson(outcome))
        progress.say(error_line(name, outcome.error))
    batch.tally.add(outcome)
    progress.advance(one_line(name), outcome.error is not None)


def _deliver(outcome: Outcome, batch: Batch, streams: Streams) -> None:
    if outcome.job.output is not None:
        outputs.write(outcome.job.output, outcome.data)
        if batch.journal is not None:
            batch.journal.add(outcome.job)
        return
    data = ndjson(outcome) if batch.out.stream else outcome.data
    if batch.out.format == "text":
        data = _as_text(outcome, batch, streams.stdout_is_terminal)
    _put(streams.stdout, data)


def _as_text(outcome: Outcome, batch: Batch, terminal: bool) -> bytes:
    """Text for standard output: with a heading where there are several files, harmless and readable on a terminal."""
    data = outcome.data
    if terminal:
        data = printable(data.decode().replace("\f", "\n")).encode()  # a blank line between pages
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if batch.tally.total > 1:
        gap = "\n" if batch.tally.read else ""
        data = f"{gap}==> {one_line(outcome.job.input.name)} <==\n".encode() + data
    return data


def _put(stdout: BinaryIO, data: bytes) -> None:
    stdout.write(data)
    stdout.flush()


def _say_interrupted(batch: Batch, streams: Streams) -> None:
    done = batch.tally.read + batch.tally.skipped
    hint = ""
    if batch.out.output_dir is not None:
        hint = "; the same command with --resume goes on from there"
    click.echo(f"\nshizi: interrupted: {done} of {batch.tally.total} files done{hint}", file=streams.stderr)
