"""What clients may say about jobs and what they get, as it is described in `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shizi.jobs.job import DocumentState, DocumentStatus, Job, JobState
from shizi.jobs.webhook_store import Told
from shizi.jobs.webhook_target import LONGEST_URL
from shizi.pipeline.options import ReadOptions
from shizi.serving.schemas import PasswordField, ReadParameters
from shizi.types import Page

MOST_LISTED: Final = 100
MOST_PAGES: Final = 50
_LARGEST: Final = 2**31 - 1
_ID: Final = "job_0199d5f1a2b34d8f1b8c5b7e3f0a9c2d4e6f8a1b3c5d"

ResultFormat = Literal["json", "text", "md", "csv", "xlsx", "docx", "hocr", "alto"]


class JobQuery(ReadParameters):
    """How all documents of a job are read, and how soon."""

    priority: int = Field(
        default=5, ge=0, le=9, description="of one tenant's jobs, those of a higher priority are worked on first"
    )


class JobForm(JobQuery, PasswordField):
    """All parameters of an order."""

    webhook_url: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_URL,
        description="is told when the job has ended (Standard Webhooks); in the form only, since it may hold a token",
        examples=["https://receiver.example/shizi"],
    )


class ListQuery(BaseModel):
    """Which jobs."""

    model_config = ConfigDict(extra="forbid")

    state: JobState | None = Field(default=None, description="only jobs in this state")
    after: str | None = Field(
        default=None, pattern=r"^job_[0-9a-f]{44}$", description="`next` of the list before", examples=[_ID]
    )
    limit: int = Field(default=20, ge=1, le=MOST_LISTED, description="jobs of one answer")


class PagesQuery(BaseModel):
    """Which pages."""

    model_config = ConfigDict(extra="forbid")

    document: int | None = Field(default=None, ge=1, le=_LARGEST, description="only pages of this document")
    after: int = Field(default=0, ge=0, le=_LARGEST, description="`next` of the answer before")
    limit: int = Field(default=20, ge=1, le=MOST_PAGES, description="pages of one answer")


class ResultQuery(BaseModel):
    """In which form."""

    model_config = ConfigDict(extra="forbid")

    format: ResultFormat = Field(
        default="json",
        description="pdf and annotated show the pages themselves, which a job does not keep: they are made by /v1/ocr",
    )


class NoQuery(BaseModel):
    """No parameters: one that is sent all the same is a typing error."""

    model_config = ConfigDict(extra="forbid")


class WebhookBody(BaseModel):
    """How far the message about the end has come."""

    model_config = ConfigDict(title="JobWebhook")

    state: Literal["waiting", "delivered", "failed"] = Field(
        description="waiting: for the job's end or for the next attempt"
    )
    attempts: int
    status: int | None = Field(description="of the receiver's last answer")
    fault: str | None = Field(description="what went wrong in the last attempt")


class DocumentStatusBody(BaseModel):
    """One document of a job."""

    model_config = ConfigDict(title="JobDocument")

    number: int = Field(description="counted from 1, in the order in which they were sent")
    name: str | None = Field(description="as it was sent, without folders")
    bytes: int
    sha256: str
    state: DocumentState
    pages: int | None = Field(description="to be read; null while nobody has counted them")
    pages_done: int
    error: str | None = Field(description="code of the error that it failed with", examples=["CORRUPT_DOCUMENT"])
    detail: str | None = Field(description="the same in words")


class JobBody(BaseModel):
    """A job."""

    model_config = ConfigDict(title="Job")

    id: str = Field(examples=[_ID])
    state: JobState
    priority: int
    options: dict[str, Any] = Field(description="parameters that differ from their defaults; never the password")
    document_count: int
    bytes: int = Field(description="of documents and results that are kept")
    pages: int = Field(description="to be read, as far as they were counted")
    pages_done: int
    last_event: int = Field(description="number of the latest event")
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None = Field(description="when the job is deleted by itself")
    webhook: WebhookBody | None = Field(default=None, description="where one was asked for")


class JobDetailBody(JobBody):
    """A job with its documents."""

    model_config = ConfigDict(title="JobDetail")

    documents: list[DocumentStatusBody]


class JobsBody(BaseModel):
    """Some jobs, the latest first."""

    model_config = ConfigDict(title="Jobs")

    jobs: list[JobBody]
    next: str | None = Field(description="`after` of the next list; null where there is no more")


class JobPageBody(BaseModel):
    """A page that was read."""

    model_config = ConfigDict(title="JobPage")

    document: int
    page: Page


class JobPagesBody(BaseModel):
    """Pages in the order in which they were finished."""

    model_config = ConfigDict(title="JobPages")

    pages: list[JobPageBody]
    next: int = Field(description="`after` of the next answer")
    complete: bool = Field(description="the job has ended, and there are no more pages than these")


class WebhookSecretBody(BaseModel):
    """What receivers check signatures with."""

    model_config = ConfigDict(title="WebhookSecret")

    secret: str = Field(description="shown this once", examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    previous_until: datetime | None = Field(description="until then messages are signed with the one before, too")


def job_body(job: Job, told: Told | None) -> dict[str, Any]:
    """A job as JSON has it."""
    body: dict[str, Any] = {
        "id": job.id,
        "state": job.state,
        "priority": job.priority,
        "options": dict(job.options),
        "document_count": job.documents,
        "bytes": job.bytes,
        "pages": job.pages,
        "pages_done": job.pages_done,
        "last_event": job.last_event,
        "created": moment(job.created),
        "started": moment(job.started),
        "finished": moment(job.finished),
        "expires": moment(job.expires),
        "webhook": None,
    }
    if job.webhook is not None:
        said = told or Told("waiting", 0, None, None)
        body["webhook"] = {
            "state": said.state,
            "attempts": said.attempts,
            "status": said.status,
            "fault": said.fault,
        }
    return body


def detail_body(job: Job, told: Told | None, documents: Sequence[DocumentStatus]) -> dict[str, Any]:
    """The same with its documents."""
    listed = [
        {
            "number": document.number,
            "name": document.name,
            "bytes": document.size,
            "sha256": document.sha256,
            "state": document.state,
            "pages": document.pages,
            "pages_done": document.pages_done,
            "error": document.error,
            "detail": document.message,
        }
        for document in documents
    ]
    return job_body(job, told) | {"documents": listed}


def order_options(options: ReadOptions) -> Mapping[str, object]:
    """What differs from the defaults, as JSON has it."""
    plain = ReadOptions()
    return {
        name: sorted(value) if name == "pages" else list(value) if name == "languages" else value
        for name in ("detect", "classify", "recognize", "pages", "languages", "password", "text_layer", "min_score")
        if (value := getattr(options, name)) != getattr(plain, name)
    }


def moment(seconds: float | None) -> str | None:
    """A time as RFC 3339 writes it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
