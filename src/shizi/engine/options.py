"""How an engine process is made and what it takes, as it is handed from process to process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shizi.engine.security import ServerSecurity

MIB = 2**20
OPEN_OCR = "shizi.engine.reader:open_ocr"

Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How the reader is made.

    Attributes:
        opener: "module:function" that takes these options and returns a reader; another one only for tests.
        tier: as for `OCR`.
        runtime: as for `OCR`.
        precision: as for `OCR`.
        threads: as for `OCR`.
        models_dir: where models are kept; None for the user's cache folder.
        catalog: a catalogue of models of one's own.
        offline: never fetch a model.
    """

    opener: str = OPEN_OCR
    tier: str = "general"
    runtime: Literal["auto", "onnx", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    threads: Positive | None = None
    models_dir: Path | None = None
    catalog: Path | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What one engine takes.

    Attributes:
        pages_at_a_time: pages that are read at a time.
        max_waiting: requests that wait for their turn; one more is refused.
        max_waiting_bytes: bytes of all pages that wait or are read, in messages and in shared memory; more are refused.
        max_message_bytes: of one message, that is of a page whose pixels travel in it.
        max_head_bytes: of one message beside its raw contents.
        max_pixels: of one page.
        max_side: of one page, in pixels.
        max_text_layer_bytes: of the JSON of a page's text layer.
        max_wait_s: seconds that a request without a deadline may take.
        max_regions: shared memory regions that may be registered at a time.
        warmup_batches: batches that are run before the engine is ready; 0 for none.
        stall_s: a page that takes longer is taken for a hang: the process ends itself, and whoever looks after it starts another.
        drain_s: seconds that running requests get when the engine is asked to end.
    """

    pages_at_a_time: Annotated[int, Field(ge=1, le=64)] = 6
    max_waiting: Positive = 100
    max_waiting_bytes: Positive = 2048 * MIB
    max_message_bytes: Annotated[int, Field(ge=1, lt=2**31)] = 320 * MIB
    max_head_bytes: Positive = MIB
    max_pixels: Positive = 100_000_000
    max_side: Positive = 32_000
    max_text_layer_bytes: Positive = 16 * MIB
    max_wait_s: Seconds = 300.0
    max_regions: Positive = 256
    warmup_batches: Annotated[int, Field(ge=0, le=1000)] = 20
    stall_s: Seconds = 300.0
    drain_s: Seconds = 30.0


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """Everything that an engine process is started with.

    Attributes:
        listen: "unix:/path" or "tcp:HOST:PORT".
        reader: how the reader is made.
        host: what the engine takes.
        security: what it asks of its callers.
    """

    listen: str
    reader: ReaderOptions = field(default_factory=ReaderOptions)
    host: HostOptions = field(default_factory=HostOptions)
    security: ServerSecurity = field(default_factory=ServerSecurity)


def as_json(process: EngineProcess) -> str:
    """For the command line of the process."""
    return TypeAdapter(EngineProcess).dump_json(process).decode()


def from_json(text: str) -> EngineProcess:
    """What `as_json` wrote.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return TypeAdapter(EngineProcess).validate_json(text)
