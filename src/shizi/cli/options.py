"""What the options of `shizi read` mean: click's values and the settings become three checked, frozen records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, SecretStr

from shizi.cli.inputs import Input
from shizi.cli.remote import RemoteOptions
from shizi.errors import InvalidRequest, NotFound
from shizi.settings import LONGEST_TIMEOUT_S, MOST_THREADS, Settings

BINARY = frozenset({"xlsx", "docx", "pdf", "annotated"})
LONGEST_SECRET = 16_384
# options of the engine that no output shows
UNCHANGING: Final[dict[str, bool | set[str]]] = {
    "threads": True,
    "offline": True,
    "models_dir": True,
    "catalog": True,
    "limits": {"timeout_s"},
}
_OF_THE_ENGINE: Final = (
    "tier", "runtime", "precision", "threads", "offline", "models_dir", "catalog", "max_pixels", "max_side", "max_pages",
    "max_memory", "max_words", "pdf_dpi", "pdf_max_pixels",
)  # fmt: skip

M = TypeVar("M", bound=BaseModel)


class LimitOptions(BaseModel):
    """Bounds that were asked for; their names are those of `shizi.imaging.limits.Limits`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: PositiveInt | None = None
    max_pixels: PositiveInt | None = None
    max_side: PositiveInt | None = None
    max_pages: PositiveInt | None = None
    max_memory: PositiveInt | None = None
    max_words: PositiveInt | None = None
    timeout_s: Annotated[int, Field(ge=1, le=LONGEST_TIMEOUT_S)] | None = None
    pdf_dpi: PositiveInt | None = None
    pdf_max_pixels: PositiveInt | None = None

    def given(self) -> dict[str, Any]:
        """Those that are not left to their default."""
        return {name: value for name, value in self if value is not None}


class EngineOptions(BaseModel):
    """How the engine is made; None leaves its own default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier: str
    runtime: Literal["auto", "onnx", "openvino"]
    precision: Literal["auto", "float32", "bfloat16", "int8"]
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] | None = None
    offline: bool = False
    models_dir: Path | None = None
    catalog: Path | None = None
    limits: LimitOptions = LimitOptions()


class ReadOptions(BaseModel):
    """What is done with each document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detect: bool = True
    classify: bool = True
    recognize: bool = True
    pages: frozenset[int] | None = None
    languages: tuple[str, ...] | None = None
    password: str | None = None
    text_layer: Literal["auto", "ignore", "only"] = "auto"
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None


class OutputOptions(BaseModel):
    """Where results go, and what is said on the way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["text", "json", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated"] = "text"
    output: Path | None = None
    output_dir: Path | None = None
    stream: bool = False
    resume: bool = False
    report: Path | None = None
    quiet: bool = False
    jobs: PositiveInt = 1


def engine_options(values: Mapping[str, object], settings: Settings) -> EngineOptions:
    """The command line's values; where it says nothing, the settings'."""
    defaults: dict[str, object] = settings.model_dump(include=set(EngineOptions.model_fields))
    limits = settings.model_dump(include=set(LimitOptions.model_fields)) | _given(values, LimitOptions)
    if settings.home is not None:
        defaults["models_dir"] = settings.home.expanduser() / "models"
    return EngineOptions.model_validate(defaults | _given(values, EngineOptions) | {"limits": limits})


def read_options(values: Mapping[str, object], settings: Settings) -> ReadOptions:
    """The same for the reading; the password comes from its option, its file or the settings, in this order.

    Raises:
        NotFound: the password file cannot be read.
    """
    given = _given(values, ReadOptions)
    file = values.get("password_file")
    if "password" not in given and isinstance(file, Path):
        given["password"] = first_line(file, "password")
    elif "password" not in given and settings.password is not None:
        given["password"] = settings.password.get_secret_value()
    return ReadOptions.model_validate(given)


def output_options(values: Mapping[str, object], settings: Settings) -> OutputOptions:
    """The same for the output."""
    return OutputOptions.model_validate({"jobs": settings.jobs} | _given(values, OutputOptions))


def remote_options(
    values: Mapping[str, object], settings: Settings, max_bytes: int, timeout_s: int | None
) -> RemoteOptions | None:
    """The server that is to read, with its key from a file or the settings; None where this machine reads.

    Raises:
        InvalidRequest: an option that a server has its own value for, or one that only a server needs.
        NotFound: the file of the key cannot be read.
    """
    given = values.get("server")
    server = given if isinstance(given, str) else settings.server  # an empty one overrules the environment's
    if not server:
        for name in ("key_file", "ca_file"):
            if values.get(name) is not None:
                raise InvalidRequest(f"--{name.replace('_', '-')} is for a server; name it with --server")
        return None
    for name in _OF_THE_ENGINE:
        if values.get(name) is not None:
            raise InvalidRequest(
                f"--{name.replace('_', '-')} is the server's to choose; leave it out, or read without a server"
            )
    file, authorities = values.get("key_file"), values.get("ca_file")
    key = SecretStr(first_line(file, "key")) if isinstance(file, Path) else settings.api_key
    return RemoteOptions(
        server=server,
        key=key,
        ca_file=authorities if isinstance(authorities, Path) else settings.ca_file,
        concurrency=output_options(values, settings).jobs,
        max_bytes=max_bytes,
        timeout_s=timeout_s,
    )


def check(read: ReadOptions, out: OutputOptions, inputs: tuple[Input, ...], terminal: bool) -> None:
    """Refuse what makes no sense together, before a model is loaded.

    Raises:
        InvalidRequest: with the option that is wrong and what to use instead.
    """
    to_stdout = out.output is None and out.output_dir is None
    if out.stream and (out.format != "json" or not to_stdout):
        raise InvalidRequest("--stream writes one JSON document per line to standard output; use it with --format json")
    if out.resume and out.output_dir is None:
        raise InvalidRequest("--resume goes on with a batch in a folder; it needs --output-dir")
    if out.format in BINARY and to_stdout and terminal:
        raise InvalidRequest(f"--format {out.format} is no text for a terminal; add --output FILE or --output-dir DIR")
    if len(inputs) > 1 and to_stdout and not out.stream and out.format != "text":
        hint = "--stream (one document per line) or " if out.format == "json" else ""
        raise InvalidRequest(f"several files as {out.format} cannot share standard output; add {hint}--output-dir DIR")
    if not read.recognize and out.format in ("text", "md", "pdf"):
        raise InvalidRequest(
            f"without recognition there is no text for --format {out.format}; use json, csv or annotated"
        )


def digest(
    engine: EngineOptions, read: ReadOptions, out: OutputOptions, version: str, server: str | None = None
) -> str:
    """A short hash of everything that changes an output; secrets, folders and speed do not.

    Which models a server has is not known here: of it only the address counts.
    """
    record = {
        "version": version,
        "format": out.format,
        "engine": engine.model_dump(mode="json", exclude=UNCHANGING),
        "read": read.model_dump(mode="json", exclude={"password", "pages"}),
        "pages": sorted(read.pages) if read.pages is not None else None,
    }
    if server is not None:
        record["server"] = server
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def _given(values: Mapping[str, object], model: type[M]) -> dict[str, object]:
    return {name: value for name in model.model_fields if (value := values.get(name)) is not None}


def first_line(file: Path, what: str) -> str:
    """The first line of a file that holds a secret, which is called so in the error.

    Raises:
        NotFound: it cannot be read.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.readline(LONGEST_SECRET).rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise NotFound(f"the {what} file {file} cannot be read: {error}") from error
