"""The part of `shizi.Client` that orders jobs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from shizi.client.job_calls import (
    LAST,
    Events,
    JobOrder,
    cancel_call,
    delete_call,
    events_call,
    export_call,
    job_call,
    jobs_call,
    pages_call,
    result_call,
    secret_call,
    submit_call,
)
from shizi.client.job_values import Job, JobEvent, JobPages
from shizi.client.options import ClientOptions, ReadKeywords
from shizi.client.retry import pause_between_streams
from shizi.client.transport import Transport
from shizi.client.upload import upload
from shizi.errors import DeadlineExceeded, TryLater
from shizi.pipeline.options import ReadOptions
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.imaging.decode import Source


class JobMethods:
    """Orders of many documents, which the server works off in the background."""

    _transport: Transport
    _options: ClientOptions

    def submit_job(
        self,
        sources: Sequence[Source],
        *,
        priority: int | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ReadKeywords],
    ) -> Job:
        """Orders documents to be read, all with the same options.

        Args:
            sources: as for `OCR.read`; of paths, the last part is sent as the document's name.
            priority: 0 to 9; of one tenant's jobs the highest goes first.
            webhook_url: is told of the end; the tenant needs a secret (`webhook_secret`).
            idempotency_key: the same order with the same key makes one job; made by chance where there is none.
            options: as for `OCR.read`.

        Raises:
            ShiziError: the order is refused; what is wrong with a document is known when it is read.
        """
        order = JobOrder(priority=priority, webhook_url=webhook_url, key=idempotency_key or secrets.token_hex(16))
        call = submit_call([upload(source) for source in sources], names_of(sources), ReadOptions(**options), order)
        return self._transport.send(call)

    def job(self, job_id: str) -> Job:
        """How far a job is, and each of its documents.

        Raises:
            NotFound: the tenant has no such job.
        """
        return self._transport.send(job_call(job_id))

    def jobs(self, *, state: str | None = None) -> Iterator[Job]:
        """The tenant's jobs, the latest first."""
        after: str | None = None
        while True:
            found, after = self._transport.send(jobs_call(state, after))
            yield from found
            if after is None:
                return

    def job_pages(self, job_id: str, *, document: int | None = None, after: int = 0) -> JobPages:
        """Pages that are finished, in that order; `after` is the `next` of those that were seen."""
        return self._transport.send(pages_call(job_id, document, after))

    def job_result(self, job_id: str, document: int = 1) -> Document:
        """What was read from a document, counted from 1.

        Raises:
            Conflict: it has not ended yet, or was cancelled.
            ShiziError: what it failed with.
        """
        return self._transport.send(result_call(job_id, document))

    def job_export(self, job_id: str, document: int = 1, format: str = "text") -> bytes:  # noqa: A002 (as in --format)
        """The same as a file: json, text, md, csv, xlsx, docx, hocr or alto."""
        return self._transport.send(export_call(job_id, document, format))

    def job_events(self, job_id: str, *, after: int = 0) -> Iterator[JobEvent]:
        """What happens, as it happens, to the last event; connections that break are made anew, and nothing is missed.

        Raises:
            NotFound: the tenant has no such job (any more).
            ShiziError: the server was away for too long.
        """
        events, failures = Events(after), 0
        if after and self._nothing_follows(job_id, after):
            return
        while True:
            try:
                with self._transport.lines(events_call(job_id, events.after)) as lines:
                    for line in lines:
                        event = events.feed(line)
                        if event is not None:
                            failures = 0
                            yield event
                            if event.kind == LAST:
                                return
                if self._nothing_follows(job_id, events.after):
                    return
                time.sleep(pause_between_streams(None, 0, self._options))
            except (TryLater, DeadlineExceeded) as error:
                failures += 1
                time.sleep(pause_between_streams(error, failures, self._options))

    def _nothing_follows(self, job_id: str, after: int) -> bool:
        job = self.job(job_id)
        return job.is_finished and job.last_event <= after

    def wait_for_job(self, job_id: str) -> Job:
        """The job, when it has ended."""
        for _ in self.job_events(job_id):
            pass
        return self.job(job_id)

    def cancel_job(self, job_id: str) -> Job:
        """Ends a job; what was read stays. One that has ended stays as it is."""
        return self._transport.send(cancel_call(job_id))

    def delete_job(self, job_id: str) -> None:
        """Deletes a job with its documents and results."""
        self._transport.send(delete_call(job_id))

    def webhook_secret(self) -> str:
        """A new secret that signs the tenant's webhooks; the one before signs as well for a day."""
        return self._transport.send(secret_call())


def names_of(sources: Sequence[Source]) -> list[str | None]:
    """What documents are called: the last part of a path."""
    return [Path(source).name if isinstance(source, str | Path) else None for source in sources]
