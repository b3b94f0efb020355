"""What is asked of a server about jobs; nothing here sends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from shizi.client.answer import Answer, json_of, strange
from shizi.client.body import form
from shizi.client.calls import Call, document_of
from shizi.client.fields import form_fields
from shizi.client.job_values import (
    Job,
    JobEvent,
    JobPages,
    WrongValueError,
    event_of,
    job_of,
    jobs_of,
    pages_of,
    text_of,
)
from shizi.client.upload import Upload
from shizi.errors import EngineUnavailable, InvalidRequest, ShiziError
from shizi.export.json_reading import from_dict
from shizi.pipeline.options import ReadOptions
from shizi.types import SCHEMA, Document, Page

T = TypeVar("T")

LAST: Final = "finished"
_LISTED: Final = 100
_PAGES: Final = 50
_SUBMIT_S: Final = 3600.0  # for gigabytes over a slow line
_SILENCE_S: Final = 60.0  # a stream says at least every 15 seconds that it is alive
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """How documents are ordered.

    Attributes:
        priority: 0 to 9; of one tenant's jobs the highest goes first. None for the server's own.
        webhook_url: is told of the end.
        key: of idempotency: the same order with the same key makes one job.
    """

    priority: int | None = None
    webhook_url: str | None = None
    key: str


def submit_call(
    documents: Sequence[Upload], names: Sequence[str | None], options: ReadOptions, order: JobOrder
) -> Call[Job]:
    """Orders documents to be read; may be sent again, since the key keeps it one job.

    Raises:
        InvalidRequest: no document, or an option is wrong.
    """
    if not documents:
        raise InvalidRequest("a job has one document or more; here is none")
    fields = form_fields(options)
    if order.priority is not None:
        fields["priority"] = str(order.priority)
    if order.webhook_url is not None:
        fields["webhook_url"] = order.webhook_url
    body = form(fields, [("file", document) for document in documents], names)
    headers = {"Idempotency-Key": order.key}
    return Call("POST", "v1/jobs", _reading(job_of), headers=headers, body=body, timeout_s=_SUBMIT_S)


def job_call(job_id: str) -> Call[Job]:
    """Asks how far a job is."""
    return Call("GET", _of(job_id), _reading(job_of))


def jobs_call(state: str | None, after: str | None) -> Call[tuple[Sequence[Job], str | None]]:
    """Asks for some jobs, the latest first, and where those that follow begin."""
    params = {"limit": str(_LISTED)}
    params |= {name: value for name, value in (("state", state), ("after", after)) if value is not None}
    return Call("GET", "v1/jobs", _reading(jobs_of), params=params)


def pages_call(job_id: str, document: int | None, after: int) -> Call[JobPages]:
    """Asks for pages that are finished."""
    params = {"limit": str(_PAGES), "after": str(after)} | ({} if document is None else {"document": str(document)})
    return Call("GET", _of(job_id, "pages"), _reading(lambda value: pages_of(value, _page)), params=params)


def result_call(job_id: str, document: int) -> Call[Document]:
    """Asks for what was read from a document."""
    return Call("GET", _of(job_id, f"documents/{int(document)}/result"), document_of)


def export_call(job_id: str, document: int, name: str) -> Call[bytes]:
    """The same in another form."""
    path = _of(job_id, f"documents/{int(document)}/result")
    return Call("GET", path, lambda answer: answer.content, params={"format": name})


def cancel_call(job_id: str) -> Call[Job]:
    """Ends a job; may be asked again."""
    return Call("POST", _of(job_id, "cancel"), _reading(job_of))


def delete_call(job_id: str) -> Call[None]:
    """Deletes a job."""
    return Call("DELETE", _of(job_id), lambda _answer: None)


def events_call(job_id: str, after: int) -> Call[None]:
    """Asks for the stream of a job's events."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    return Call("GET", _of(job_id, "events"), lambda _answer: None, headers=headers, timeout_s=_SILENCE_S)


def secret_call() -> Call[str]:
    """Makes the secret that signs webhooks; not asked again by itself, for each answer is another one."""
    return Call("POST", "v1/webhooks/secret", _reading(lambda value: text_of(value, "secret")), again=False)


class Events:
    """Puts events together from the lines of a stream (the HTML standard, section 9.2.6), each number once."""

    def __init__(self, after: int) -> None:
        self.after = after
        """Number of the last event."""
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> JobEvent | None:
        """The event that this line ends.

        Raises:
            ShiziError: the stream is none of a job.
        """
        if line:
            name, _, value = line.partition(":")
            if name in ("id", "event", "data"):
                self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        try:
            event = event_of(fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"]))
        except (WrongValueError, ValueError, RecursionError) as error:
            raise ShiziError(f"the server's stream cannot be understood: {type(error).__name__}") from None
        if event.number <= self.after:
            return None
        if event.number != self.after + 1:
            raise EngineUnavailable(f"the events after {self.after} did not come: follow the job again", 1.0)
        self.after = event.number
        return event


def _of(job_id: str, below: str = "") -> str:
    """The path of a job; an id that is none must not lead to another path."""
    if _ID.fullmatch(job_id) is None:
        raise InvalidRequest(f"{job_id[:80]!r} is no id of a job; they are like job_0199d5f1…")
    return f"v1/jobs/{job_id}" + (f"/{below}" if below else "")


def _reading(read: Callable[[object], T]) -> Callable[[Answer], T]:
    def checked(answer: Answer) -> T:
        try:
            return read(json_of(answer))
        except (WrongValueError, InvalidRequest) as error:
            raise strange(answer, str(error)) from None

    return checked


def _page(value: object) -> Page:
    text = value.get("text") if isinstance(value, dict) else None
    return from_dict({"schema": SCHEMA, "text": text, "pages": [value], "models": [], "timings_ms": {}}).pages[0]
