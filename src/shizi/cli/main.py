"""The entry point: commands that load when called, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Final, NamedTuple, NoReturn, TextIO

import click

from shizi.cli import exits
from shizi.cli.terminal import said
from shizi.cli.version import own_version
from shizi.errors import InvalidRequest, ShiziError

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whoever cleans up after Ctrl-C cleans up after this."""


class Entry(NamedTuple):
    """Where a command lives, and the line that stands for it in `shizi --help`."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final[dict[str, Entry]] = {
    "read": Entry("shizi.cli.read", "read", "Read the text of images and PDFs."),
    "engine": Entry("shizi.cli.engine_command", "engine", "Read pages for other processes."),
    "serve": Entry("shizi.cli.serve", "serve", "Answer over HTTP until SIGTERM or Ctrl-C."),
    "worker": Entry("shizi.cli.worker", "worker", "Work off the jobs of servers until SIGTERM or Ctrl-C."),
    "jobs": Entry("shizi.cli.jobs", "jobs", "Order many documents at a server, which reads them in the background."),
    "models": Entry("shizi.cli.models", "models", "List, pull and verify the models."),
    "bench": Entry("shizi.cli.bench", "bench", "Measure how fast this machine reads."),
    "auth": Entry("shizi.cli.auth", "auth", "Make, list and revoke the API keys of a server."),
    "doctor": Entry("shizi.cli.doctor", "doctor", "Say what is installed, what fits this machine, and why."),
    "completion": Entry("shizi.cli.completion", "completion", "Print the script that completes commands in a shell."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called, so that `shizi --help` loads no engine."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself; its module is imported here and nowhere else."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, from the table above instead of from the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def _show_version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"shizi {own_version()}")
        context.exit()


@click.command(
    "shizi",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Documents stay on this machine. Try: shizi read photo.jpg",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Print the traceback of an unexpected error.")
@click.pass_context
def shizi(context: click.Context, debug: bool) -> None:
    """Read text from images and PDFs: Chinese and English first, on your own machine."""
    context.meta["shizi.debug"] = debug


def run(arguments: Sequence[str], tools: object = None) -> int:
    """Run one command line and return its exit code; `tools` replaces what `shizi read` works with."""
    debug = False
    try:
        with shizi.make_context("shizi", list(arguments), obj=tools) as context:
            debug = bool(context.params.get("debug"))
            result = shizi.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Terminated:
        return exits.TERMINATED
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except BrokenPipeError:
        return exits.PIPE_CLOSED
    except ShiziError as error:
        click.echo(f"shizi: {said(error)} ({error.code})", err=True)
        return error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            place = f" for {error.filename}" if error.filename else ""
            return _say(
                f"shizi: no room to write{place}: {error.strerror}; make room, then run it again",
                InvalidRequest.exit_code,
            )
        hint = "" if debug else "; this is a bug: run `shizi --debug …` for the traceback"
        return _say(f"shizi: unexpected {type(error).__name__}: {said(error)}{hint}", exits.BUG)
    return result if isinstance(result, int) else exits.OK


def main() -> NoReturn:
    """The console script."""
    if "_SHIZI_COMPLETE" in os.environ:
        shizi.main(prog_name="shizi")
    signal.signal(signal.SIGTERM, _terminate)
    _flush_and_leave(run(sys.argv[1:]))


def _terminate(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once: another one must not tear the report that is being written
    raise Terminated


def _flush_and_leave(code: int) -> NoReturn:
    """Ends the process without taking it apart, which takes a tenth of a second where models are loaded.

    After Ctrl-C or `| head` threads may still be reading a page, too; waiting for them would make the command seem dead.
    """
    flushed = [_flush(stream) for stream in (sys.stdout, sys.stderr)]
    os._exit(code or max(flushed))


def _flush(stream: TextIO | None) -> int:
    """What the process ends with where all else went well; a stream that was closed at the start is none."""
    try:
        if stream is not None:
            stream.flush()
    except BrokenPipeError:
        return exits.PIPE_CLOSED
    except OSError as error:
        return _say(f"shizi: the output cannot be written: {error.strerror}", InvalidRequest.exit_code)
    except ValueError:  # closed by the program itself, which then had nothing left to write
        return exits.OK
    return exits.OK


def _say(message: str, code: int) -> int:
    """Says it where anybody can still be told."""
    with contextlib.suppress(OSError):
        click.echo(message, err=True)
    return code
