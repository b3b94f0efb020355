"""The options that every command with an engine has, and the engine process that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from shizi.cli.options import EngineOptions
    from shizi.engine.options import ReaderOptions

F = TypeVar("F", bound=Callable[..., Any])


def engine_flags(command: F) -> F:
    """Adds --tier, --runtime, --precision and --threads."""
    flags = (
        click.option(
            "--tier",
            metavar="NAME",
            help="Which models: general (default), or light, which is faster; see `shizi models`.",
        ),
        click.option(
            "--runtime",
            type=click.Choice(("auto", "onnx", "openvino")),
            metavar="NAME",
            help="auto, onnx or openvino: what runs the models; auto takes the fastest that is installed.",
        ),
        click.option(
            "--precision",
            type=click.Choice(("auto", "float32", "bfloat16", "int8")),
            metavar="NAME",
            help="auto, float32, bfloat16 or int8: arithmetic inside the models.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1, 256),
            metavar="N",
            help="CPU threads of the models; by default what this machine or container allows.",
        ),
    )
    for flag in reversed(flags):  # as if they stood one below the other
        command = flag(command)
    return command


def reader_options(options: EngineOptions) -> ReaderOptions:
    """What an engine process reads with."""
    from shizi.engine.options import ReaderOptions

    return ReaderOptions(
        tier=options.tier,
        runtime=options.runtime,
        precision=options.precision,
        threads=options.threads,
        models_dir=options.models_dir,
        catalog=options.catalog,
        offline=options.offline,
    )
