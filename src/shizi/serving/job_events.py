"""What happens to a job, told as it happens: server-sent events, which a reader resumes where it was."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from shizi.errors import InvalidRequest, NotFound, StorageUnavailable
from shizi.jobs.job import Event
from shizi.serving.job_schemas import moment
from shizi.serving.jobs import Jobs

MEDIA_TYPE: Final = "text/event-stream"
LAST: Final = "finished"
_AT_ONCE: Final = 200
_DIGITS: Final = 9
_RETRY_MS: Final = 1000


def last_event_id(header: str | None) -> int:
    """The number after which a reader wants to go on.

    Raises:
        InvalidRequest: it is none.
    """
    if header is None or header == "":
        return 0
    if not header.isascii() or not header.isdecimal() or len(header) > _DIGITS:
        raise InvalidRequest("the header Last-Event-ID must be the id of an event of this stream, a whole number")
    return int(header)


async def stream(
    jobs: Jobs, tenant: str, job_id: str, begin: Sequence[Event], after: int, ending: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The events of a job, from those that are known already to its last one.

    It ends early where the job is deleted, the database is away, the server is about to end, or the stream is old; a reader comes
    again, with the number of the last event that it saw, and misses nothing.

    Args:
        jobs: where they are.
        tenant: whose job it is.
        job_id: of the job.
        begin: events after `after`, as far as they were read already.
        after: number of the last event that the reader has.
        ending: whether this server is about to end.
    """
    options = jobs.options
    begun = said = time.monotonic()
    events = begin
    yield f"retry: {_RETRY_MS}\n\n".encode()
    with jobs.watch.on(tenant, job_id) as watched:
        while True:
            for event in events:
                after, said = event.number, time.monotonic()
                yield written(event)
                if event.kind == LAST:
                    return
            if ending() or time.monotonic() - begun > options.longest_stream_s:
                return
            if time.monotonic() - said > options.keep_alive_s:
                said = time.monotonic()
                yield b": nothing new\n\n"
            if len(events) < _AT_ONCE and not await watched.newer(after, options.poll_s):
                events = ()
                continue
            try:
                events = await following(jobs, tenant, job_id, after)
            except (NotFound, StorageUnavailable):
                return


async def beginning(jobs: Jobs, tenant: str, job_id: str, after: int) -> Sequence[Event] | None:
    """Some events after a number, for a stream to begin with; None where that is the job's last one and nothing will follow.

    A job may end between the look at its events and the look at itself, so that its being finished says nothing.

    Raises:
        NotFound: the tenant has no such job.
    """
    events = await following(jobs, tenant, job_id, after)
    if events:
        return events
    job = await jobs.run(lambda: jobs.store.get(tenant, job_id))
    return None if job.is_finished and after >= job.last_event else ()


async def following(jobs: Jobs, tenant: str, job_id: str, after: int) -> Sequence[Event]:
    """Some events after a number.

    Raises:
        NotFound: the tenant has no such job.
    """
    return await jobs.run(lambda: jobs.store.events(tenant, job_id, after=after, limit=_AT_ONCE))


def written(event: Event) -> bytes:
    """An event as the stream has it; JSON of one line."""
    data: dict[str, Any] = {**event.data, "at": moment(event.at)}
    text = json.dumps(data, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.kind}\ndata: {text}\n\n".encode("ascii")
