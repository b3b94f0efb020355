"""Corrections over HTTP: what comes in, what goes out, and who may see it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Annotated, BinaryIO, Final, Literal, ParamSpec, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from shizi.errors import InvalidRequest, Overloaded, Unauthenticated
from shizi.page_numbers import LARGEST
from shizi.release.correction import Correction
from shizi.release.crop import MAX_CROP_BYTES
from shizi.release.feedback import FeedbackStore
from shizi.release.training import write_archive, write_lines
from shizi.serving.caller import Caller

MAX_BODY_BYTES: Final = MAX_CROP_BYTES * 4 // 3 + 256 * 1024
BODY_S: Final = 30.0
MOST_LISTED: Final = 1000

EVERY_DOCUMENT: Final = "all"

_LONGEST_TEXT: Final = 10_000
_LONGEST_NAME: Final = 200
_FARTHEST: Final = 1_000_000.0
_EXPORTS: Final = 2  # at a time; each holds a thread and, for a moment, the tenant's corrections on the disk
_SENT: Final = 8  # that are being made or sent; each keeps the disk busy until its reader has all of it
_SENT_TO_ONE: Final = 2  # tenant
_SOON_S: Final = 5.0
_NEVER: Final = ("Cc", "Cs", "Zl", "Zp")  # Unicode's control characters, halves of surrogate pairs, line separators

P = ParamSpec("P")
T = TypeVar("T")


def _one_line(text: str) -> str:
    if any(unicodedata.category(char) in _NEVER for char in text):
        raise ValueError("has a line break, a control character, or half a character; a line of text has none")
    return text


def _whole(value: object) -> object:
    """3.0 is a whole number to JSON, though not to pydantic where it is strict."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# The same for the API's description; here it would say less to people.
_PATTERN: Final = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"}
Text = Annotated[str, Field(max_length=_LONGEST_TEXT, json_schema_extra=_PATTERN), AfterValidator(_one_line)]
Name = Annotated[
    str, Field(min_length=1, max_length=_LONGEST_NAME, json_schema_extra=_PATTERN), AfterValidator(_one_line)
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the document's bytes")]
Whole = Annotated[int, BeforeValidator(_whole)]
Coordinate = Annotated[float, Field(ge=-_FARTHEST, le=_FARTHEST)]
Corner = Annotated[
    tuple[Coordinate, Coordinate],
    WithJsonSchema(  # without prefixItems, which tools that know older drafts cannot read
        {
            "type": "array",
            "items": {"type": "number", "minimum": -_FARTHEST, "maximum": _FARTHEST},
            "minItems": 2,
            "maxItems": 2,
        }
    ),
]


class _Line(BaseModel):
    """What a correction says."""

    document: Sha256
    page: Whole = Field(ge=1, le=LARGEST, description="counted from 1")
    line: Whole = Field(ge=1, le=1_000_000, description="of the page, in reading order, counted from 1")
    polygon: tuple[Corner, ...] = Field(
        min_length=4, max_length=4, description="corners in pixels of the original page"
    )
    original: Text = Field(description="what was read; empty where the line was overlooked")
    correction: Text = Field(description="what is right; empty where there is no text")
    model: Name = Field(description="name of the recogniser, as the result has it")
    model_version: Name = Field(description="its version")


class CorrectionBody(_Line):
    """A correction as it is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, title="NewCorrection")

    crop: Annotated[str, Field(max_length=MAX_CROP_BYTES * 4 // 3 + 4)] | None = Field(
        default=None,
        json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"},
        description="the picture of the line, a PNG of at most 1 MiB; refused where the operator keeps none of the tenant",
    )

    def said(self) -> Correction:
        """As it is kept."""
        return Correction(**self.model_dump(exclude={"crop"}))

    def picture(self) -> bytes | None:
        """The bytes of the crop.

        Raises:
            InvalidRequest: it is no base64.
        """
        if self.crop is None:
            return None
        try:
            return base64.b64decode(self.crop, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("crop: this is no base64 (RFC 4648, with + and /)") from None


class KeptBody(_Line):
    """A correction as it is kept."""

    model_config = ConfigDict(title="Correction")

    id: str
    editor: str = Field(description="who sent it: `key:<id>`, `token:<subject>` or `anonymous`")
    created: str = Field(description="in UTC", json_schema_extra={"format": "date-time"})
    crop_bytes: int | None = Field(description="size of its picture; null without one")


class ListBody(BaseModel):
    """Corrections in the order in which they came."""

    model_config = ConfigDict(title="Corrections")

    corrections: list[KeptBody]
    next: str | None = Field(description="send it as `after` for those that follow; null at the end")


class DeletedBody(BaseModel):
    """How many corrections were deleted."""

    model_config = ConfigDict(title="Deleted")

    deleted: int


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    document: Sha256 | None = Field(default=None, description="only those of this document: its SHA-256")


class ListQuery(_Query):
    """Which corrections are listed."""

    after: str | None = Field(default=None, pattern=r"^fb_[0-9a-f]{44}$", description="the `next` of the list before")
    limit: int = Field(default=100, ge=1, le=MOST_LISTED)


class ExportQuery(_Query):
    """Which corrections are exported."""

    format: Literal["jsonl", "tar"] = Field(default="jsonl", description="lines alone, or lines and their crops")


class DeleteQuery(BaseModel):
    """Which corrections are deleted: those of a document, or all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(
        pattern=rf"^([0-9a-f]{{64}}|{EVERY_DOCUMENT})$", description="its SHA-256; `all` for all of the tenant"
    )


class Feedback:
    """The store, for the event loop.

    Args:
        store: keeps corrections.
        threads: in which it may block.
        strangers_read: whether callers that did not sign in may see, export and delete what came from such callers. All
            of them are one tenant, so only where none but the users of one machine can be strangers.
    """

    def __init__(self, store: FeedbackStore, threads: Executor, *, strangers_read: bool) -> None:
        self.store = store
        self._threads = threads
        self._strangers_read = strangers_read
        self._exporting = asyncio.Semaphore(_EXPORTS)
        self._sent: Counter[str] = Counter()

    def check_reader(self, caller: Caller) -> None:
        """Lets only those pass who may see the corrections of their tenant.

        Raises:
            Unauthenticated: nobody signed in, and such corrections may be anybody's.
        """
        if caller.anonymous and not self._strangers_read:
            raise Unauthenticated("without a key or token corrections can be sent, but not seen, exported or deleted")

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The result of work that may block."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*arguments, **named))

    @contextlib.contextmanager
    def sending(self, tenant: str) -> Iterator[None]:
        """A place for an export, until it is sent.

        Raises:
            Overloaded: there is none.
        """
        if self._sent[tenant] >= _SENT_TO_ONE or self._sent.total() >= _SENT:
            raise Overloaded(
                f"{self._sent[tenant]} exports of this tenant and {self._sent.total()} in all are being sent; {_SENT_TO_ONE} and "
                f"{_SENT} are the limits: take those first",
                _SOON_S,
            )
        self._sent[tenant] += 1
        try:
            yield
        finally:
            self._sent[tenant] -= 1
            if not self._sent[tenant]:
                del self._sent[tenant]

    async def export(self, tenant: str, query: ExportQuery) -> tuple[BinaryIO, int]:
        """An unnamed file with the corrections, from its beginning, and its size.

        Raises:
            Overloaded: too many others are being made.
            StorageUnavailable: the database cannot be used.
        """
        if self._exporting.locked():
            raise Overloaded(f"{_EXPORTS} exports are being made already; ask again later", _SOON_S)
        async with self._exporting:
            return await self.run(self._exported, tenant, query)

    def _exported(self, tenant: str, query: ExportQuery) -> tuple[BinaryIO, int]:
        write = write_archive if query.format == "tar" else write_lines
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was sent)
        try:
            write(self.store, tenant, query.document, file)
            size = file.tell()
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file, size
