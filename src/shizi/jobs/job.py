"""Jobs, their documents and tasks as values, and the rules by which their states change; pure."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shizi.errors import InvalidRequest
from shizi.types import ModelInfo, Page

JobState = Literal["queued", "running", "succeeded", "failed", "partial", "cancelled"]
DocumentState = Literal["queued", "running", "succeeded", "failed", "partial", "cancelled"]
TaskState = Literal["queued", "running", "succeeded", "failed", "quarantined", "cancelled"]
TaskKind = Literal["split", "read"]
Ending = Literal["succeeded", "refused", "crashed", "put back", "released"]

JOB_STATES: Final[tuple[JobState, ...]] = (
    "queued",
    "running",
    "succeeded",
    "failed",
    "partial",
    "cancelled",
)
FINISHED: Final[frozenset[str]] = frozenset({"succeeded", "failed", "partial", "cancelled"})
UNFINISHED: Final[frozenset[str]] = frozenset(JOB_STATES) - FINISHED
TASK_FINISHED: Final[frozenset[str]] = frozenset({"succeeded", "failed", "quarantined", "cancelled"})
PRIORITIES: Final = range(10)
MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """Bounds of jobs; all hold at once.

    Attributes:
        max_files: documents of one job.
        max_pages: pages that one job reads.
        max_bytes: of one document.
        max_job_bytes: of all documents of one job.
        tenant_jobs: that are not finished, of one tenant.
        tenant_bytes: of documents and results that are kept for one tenant, and of the rows that name them.
        total_bytes: the same of all tenants.
        pages_per_task: pages that are read under one lease.
        lease_s: seconds after which work that nobody renewed is given to another worker.
        renew_s: seconds between two renewals.
        most_crashes: attempts that died, after which a task is given up.
        put_back_s: seconds until a task that met an overloaded engine is tried again; doubled each time, up to twelve times that.
        page_timeout_s: seconds for each page of a task.
        retention_s: seconds for which a finished job is kept.
        longest_s: seconds after which a job that never finished is given up.
        receive_s: seconds without a new byte after which a job that is being received is dropped.
    """

    max_files: int = 1000
    max_pages: int = 10_000
    max_bytes: int = 200 * MIB
    max_job_bytes: int = 4096 * MIB
    tenant_jobs: int = 1000
    tenant_bytes: int = 20 * 1024 * MIB
    total_bytes: int = 100 * 1024 * MIB
    pages_per_task: int = 16
    lease_s: float = 15.0
    renew_s: float = 4.0
    most_crashes: int = 3
    put_back_s: float = 5.0
    page_timeout_s: float = 120.0
    retention_s: float = 24 * 3600.0
    longest_s: float = 7 * 24 * 3600.0
    receive_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a tenant asks for.

    Attributes:
        tenant: whose job it is.
        options: how all documents are read: fields of `ReadOptions`, as JSON has them (`pages` as a list of numbers).
        priority: 0 to 9; of one tenant's tasks the highest goes first.
        webhook: what is to be told of the end, as the layer above wrote it down.
        keep_documents: whether the documents themselves are kept until the job is deleted; else until it is finished.
        idempotency_key: the same one again gives the same job.
        request_sha256: of the request, to tell whether it is the same one.
    """

    tenant: str
    options: Mapping[str, object] = field(default_factory=dict)
    priority: int = 5
    webhook: str | None = None
    keep_documents: bool = True
    idempotency_key: str | None = None
    request_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.priority not in PRIORITIES:
            raise InvalidRequest(f"priority is {self.priority}; it must be between 0 and 9")
        if (self.idempotency_key is None) != (self.request_sha256 is None):
            raise InvalidRequest("an idempotency key needs the digest of its request, and the other way round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it is now; times are seconds since 1970.

    Attributes:
        options: without the password.
        pages: that are to be read, as far as they were counted.
        pages_done: whose results are there.
        last_event: number of its latest event.
        finished: when; None before.
        expires: when it will be deleted; None before it is finished.
    """

    id: str
    tenant: str
    state: JobState
    priority: int
    options: Mapping[str, object]
    webhook: str | None
    keep_documents: bool
    documents: int
    bytes: int
    pages: int
    pages_done: int
    last_event: int
    created: float
    started: float | None
    finished: float | None
    expires: float | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing about it changes any more."""
        return self.state in FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStatus:
    """One document of a job.

    Attributes:
        number: counted from 1, in the order in which they were sent.
        pages: that are to be read; None while nobody knows.
        error: code of the first error; a document with an error may have pages nevertheless (`partial`).
    """

    number: int
    name: str | None
    size: int
    sha256: str
    state: DocumentState
    pages: int | None
    pages_done: int
    error: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page that was read; `cursor` is what `after` takes to get the next ones."""

    document: int
    page: Page
    cursor: int


@dataclass(frozen=True, slots=True)
class Made:
    """How a page was read.

    Attributes:
        models: that read it, or may have, where they were replaced meanwhile.
        timings_ms: milliseconds by stage, of all pages that were at work since the one before.
    """

    models: tuple[ModelInfo, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a job.

    Attributes:
        number: 1, 2, 3 … per job, without gaps.
        kind: queued, running, page, document, finished.
        data: of kind page: document, page; document: document, state, pages, error; finished: state.
        at: seconds since 1970.
    """

    number: int
    kind: str
    data: Mapping[str, object]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task that a worker holds.

    Attributes:
        pages: numbers that are still to be read; None for all pages of the document.
        options: as ordered, with the password.
        size: bytes of the document.
        token: grows with every attempt; only the latest one's holder may change anything.
        alone: it has crashed before, so nothing else should be at work beside it: then it is known who is to blame.
    """

    task_id: str
    job_id: str
    tenant: str
    document: int
    kind: TaskKind
    pages: tuple[int, ...] | None
    options: Mapping[str, object]
    priority: int
    size: int
    sha256: str
    token: int
    attempts: int
    crashes: int
    alone: bool


class LeaseLostError(Exception):
    """Somebody else has the task now, or it was cancelled or deleted; whoever held it stops and says nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a task: its next state, how often it has crashed, and seconds until it may be tried again."""

    state: TaskState
    crashes: int
    delay_s: float = 0.0


def after(ending: Ending, attempts: int, crashes: int, limits: JobLimits) -> Change:
    """What becomes of a running task whose attempt ended so.

    Args:
        ending: succeeded; refused (the document's own fault: no retry helps); crashed (its lease ran out, or what read it
            died); put back (there was no room for it); released (the worker goes home).
        attempts: begun, this one included.
        crashes: before this one.
        limits: how many are too many.
    """
    if ending == "succeeded":
        return Change("succeeded", crashes)
    if ending == "refused":
        return Change("failed", crashes)
    if ending == "crashed":
        return Change("quarantined" if crashes + 1 >= limits.most_crashes else "queued", crashes + 1)
    if ending == "put back":
        doublings = min(max(attempts - 1, 0), 10)
        return Change("queued", crashes, min(limits.put_back_s * 2.0**doublings, 12 * limits.put_back_s))
    return Change("queued", crashes)


def document_state(tasks: Collection[str], pages_done: int) -> DocumentState:
    """State of a document from those of all its tasks.

    Args:
        tasks: their states; at least one.
        pages_done: pages of it whose results are there.
    """
    states = set(tasks)
    if states <= {"queued"}:
        return "queued"
    if states & {"queued", "running"}:
        return "running"
    if states == {"succeeded"}:
        return "succeeded"
    if "cancelled" in states:
        return "cancelled"
    return "partial" if pages_done else "failed"


def job_state(documents: Collection[str]) -> JobState:
    """State of a job from those of all its documents; at least one."""
    states = set(documents)
    if states & {"queued", "running"}:
        return "queued" if states == {"queued"} else "running"
    if "cancelled" in states:
        return "cancelled"
    if states == {"succeeded"}:
        return "succeeded"
    return "partial" if states & {"succeeded", "partial"} else "failed"


def new_id(now: float | None = None) -> str:
    """`job_`, 48 bits of time and 128 of chance, in hexadecimal: sorted by age, and not to be guessed."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    return f"job_{milliseconds & (2**48 - 1):012x}{secrets.token_hex(16)}"
