"""What a server says of jobs, as values; each is made from an answer, which is checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from shizi.types import Page

T = TypeVar("T")

FINISHED: Final = frozenset({"succeeded", "failed", "partial", "cancelled"})


@dataclass(frozen=True, slots=True)
class JobWebhook:
    """How far the message about a job's end has come: `state` is waiting, delivered or failed."""

    state: str
    attempts: int
    status: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class JobDocument:
    """One document of a job.

    Attributes:
        number: counted from 1, in the order in which they were sent.
        state: queued, running, succeeded, failed, partial or cancelled.
        pages: that are to be read; None while nobody has counted them.
        error: code of the error that it failed with.
        detail: the same in words.
    """

    number: int
    name: str | None
    bytes: int
    sha256: str
    state: str
    pages: int | None
    pages_done: int
    error: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was when the server was asked.

    Attributes:
        state: queued, running, succeeded, failed, partial or cancelled.
        options: parameters that differ from their defaults; never the password.
        pages: that are to be read, as far as they were counted.
        last_event: number of its latest event.
        expires: when it is deleted by itself.
        documents: each of them; empty in lists.
    """

    id: str
    state: str
    priority: int
    options: Mapping[str, Any]
    document_count: int
    bytes: int
    pages: int
    pages_done: int
    last_event: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None
    webhook: JobWebhook | None
    documents: tuple[JobDocument, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether nothing about it changes any more."""
        return self.state in FINISHED


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page that was read, and the number of its document."""

    document: int
    page: Page


@dataclass(frozen=True, slots=True)
class JobPages:
    """Some pages, in the order in which they were finished.

    Attributes:
        next: what `after` takes to get those that follow.
        complete: whether the job has ended and there are no more than these.
    """

    pages: tuple[JobPage, ...]
    next: int
    complete: bool


@dataclass(frozen=True, slots=True)
class JobEvent:
    """What happened to a job.

    Attributes:
        number: 1, 2, 3 … without gaps.
        kind: queued, running, page, document, or finished, which is the last one.
        data: of kind page: document, page; document: document, state, pages, error; finished: state.
    """

    number: int
    kind: str
    data: Mapping[str, Any]


class WrongValueError(Exception):
    """Something is not what it should be; the message says what."""


def job_of(value: object) -> Job:
    """Raises WrongValueError."""
    fields = _object(value, "the job")
    webhook = fields.get("webhook")
    return Job(
        id=_text(fields, "id"),
        state=_text(fields, "state"),
        priority=_whole(fields, "priority"),
        options=_object(fields.get("options"), "options"),
        document_count=_whole(fields, "document_count"),
        bytes=_whole(fields, "bytes"),
        pages=_whole(fields, "pages"),
        pages_done=_whole(fields, "pages_done"),
        last_event=_whole(fields, "last_event"),
        created=moment(fields, "created"),
        started=_perhaps(moment, fields, "started"),
        finished=_perhaps(moment, fields, "finished"),
        expires=_perhaps(moment, fields, "expires"),
        webhook=None if webhook is None else _webhook_of(webhook),
        documents=tuple(_document_of(each) for each in _list(fields.get("documents", []), "documents")),
    )


def event_of(number: str, kind: str, data: object) -> JobEvent:
    """Raises WrongValueError."""
    if not number.isascii() or not number.isdecimal() or len(number) > 10:
        raise WrongValueError("an event has no number")
    return JobEvent(int(number), kind, _object(data, "the data of an event"))


def jobs_of(value: object) -> tuple[Sequence[Job], str | None]:
    """Jobs of a list, and where the next list begins; raises WrongValueError."""
    fields = _object(value, "the list")
    return [job_of(each) for each in _list(fields.get("jobs"), "jobs")], _perhaps(_text, fields, "next")


def pages_of(value: object, page_of: Callable[[object], Page]) -> JobPages:
    """Raises WrongValueError, and what `page_of` raises."""
    fields = _object(value, "the list")
    complete = fields.get("complete")
    if not isinstance(complete, bool):
        raise WrongValueError("complete is neither true nor false")
    found = [_object(each, "a page") for each in _list(fields.get("pages"), "pages")]
    pages = tuple(JobPage(_whole(each, "document"), page_of(each.get("page"))) for each in found)
    return JobPages(pages, _whole(fields, "next"), complete)


def text_of(value: object, name: str) -> str:
    """A text of an object; raises WrongValueError."""
    return _text(_object(value, "the answer"), name)


def moment(fields: Mapping[str, Any], name: str) -> datetime:
    """A time with its zone, from RFC 3339; raises WrongValueError."""
    try:
        found = datetime.fromisoformat(_text(fields, name))
    except ValueError:
        raise WrongValueError(f"{name} is no time") from None
    if found.tzinfo is None:
        raise WrongValueError(f"{name} has no time zone")
    return found


def _webhook_of(value: object) -> JobWebhook:
    fields = _object(value, "webhook")
    return JobWebhook(
        _text(fields, "state"),
        _whole(fields, "attempts"),
        _perhaps(_whole, fields, "status"),
        _perhaps(_text, fields, "fault"),
    )


def _document_of(value: object) -> JobDocument:
    fields = _object(value, "a document")
    return JobDocument(
        number=_whole(fields, "number"),
        name=_perhaps(_text, fields, "name"),
        bytes=_whole(fields, "bytes"),
        sha256=_text(fields, "sha256"),
        state=_text(fields, "state"),
        pages=_perhaps(_whole, fields, "pages"),
        pages_done=_whole(fields, "pages_done"),
        error=_perhaps(_text, fields, "error"),
        detail=_perhaps(_text, fields, "detail"),
    )


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValueError(f"{what} is no object")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise WrongValueError(f"{what} is no list")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise WrongValueError(f"{name} is no text")
    return value


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise WrongValueError(f"{name} is no whole number")
    return value


def _perhaps(read: Callable[[Mapping[str, Any], str], T], fields: Mapping[str, Any], name: str) -> T | None:
    return None if fields.get(name) is None else read(fields, name)
