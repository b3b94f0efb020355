"""Jobs as text and as plain values; names of documents are shown, and never obeyed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shizi.cli.terminal import one_line

if TYPE_CHECKING:
    from shizi.client.job_values import Job, JobDocument

_HEADINGS: Final = ("ID", "STATE", "DOCUMENTS", "PAGES", "CREATED")
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_LONGEST: Final = 100


def job_facts(job: Job) -> dict[str, Any]:
    """The job as plain values of JSON, by the names of the server's."""
    facts = dataclasses.asdict(job)
    for name, value in facts.items():
        if isinstance(value, datetime):
            facts[name] = _time(value)
    if not job.documents:
        del facts["documents"]
    return facts


def job_table(found: Sequence[Job]) -> str:
    """One line for each."""
    rows = [_HEADINGS, *(_cells(job) for job in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def job_lines(job: Job) -> Iterator[str]:
    """What is to be said about one."""
    yield f"{one_line(job.id)}  {one_line(job.state)}  {_pages(job)} pages  priority {job.priority}"
    for name in ("created", "started", "finished", "expires"):
        at = getattr(job, name)
        if at is not None:
            yield f"{name:<9} {_time(at)}"
    if job.webhook is not None:
        said = f" ({one_line(job.webhook.fault)})" if job.webhook.fault else ""
        yield f"webhook   {one_line(job.webhook.state)}, {job.webhook.attempts} attempts{said}"
    for document in job.documents:
        pages = f"{document.pages_done}/{'?' if document.pages is None else document.pages}"
        why = f"  {one_line(document.error)}: {one_line(document.detail or '')}" if document.error else ""
        name = one_line(document.name or "")
        yield f"{document.number:>5}  {one_line(document.state):<9}  {pages:>9}  {name}{why}"


def result_name(document: JobDocument, extension: str) -> str:
    """The name of a file for a result: numbered, so that none meets another, and without anything that leads elsewhere."""
    label = _UNSAFE.sub("_", document.name or "")[:_LONGEST].strip(".")
    return f"{document.number:04d}{'-' if label else ''}{label}{extension}"


def _cells(job: Job) -> tuple[str, ...]:
    return (one_line(job.id), one_line(job.state), str(job.document_count), _pages(job), _time(job.created))


def _pages(job: Job) -> str:
    return f"{job.pages_done}/{max(job.pages, job.pages_done)}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
