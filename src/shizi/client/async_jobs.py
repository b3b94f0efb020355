"""The part of `shizi.AsyncClient` that orders jobs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Unpack

from shizi.client.async_transport import AsyncTransport
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
from shizi.client.jobs import names_of
from shizi.client.options import ClientOptions, ReadKeywords
from shizi.client.retry import pause_between_streams
from shizi.client.upload import Upload, upload
from shizi.errors import DeadlineExceeded, TryLater
from shizi.pipeline.options import ReadOptions
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.imaging.decode import Source


class AsyncJobMethods:
    """See `shizi.client.jobs.JobMethods`."""

    _transport: AsyncTransport
    _options: ClientOptions

    async def submit_job(
        self,
        sources: Sequence[Source],
        *,
        priority: int | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ReadKeywords],
    ) -> Job:
        """See `Client.submit_job`."""
        order = JobOrder(priority=priority, webhook_url=webhook_url, key=idempotency_key or secrets.token_hex(16))

        def uploads() -> list[Upload]:
            return [upload(source) for source in sources]

        documents = await asyncio.to_thread(uploads)  # which looks at files, and packs pixels
        return await self._transport.send(submit_call(documents, names_of(sources), ReadOptions(**options), order))

    async def job(self, job_id: str) -> Job:
        """See `Client.job`."""
        return await self._transport.send(job_call(job_id))

    async def jobs(self, *, state: str | None = None) -> AsyncIterator[Job]:
        """See `Client.jobs`."""
        after: str | None = None
        while True:
            found, after = await self._transport.send(jobs_call(state, after))
            for job in found:
                yield job
            if after is None:
                return

    async def job_pages(self, job_id: str, *, document: int | None = None, after: int = 0) -> JobPages:
        """See `Client.job_pages`."""
        return await self._transport.send(pages_call(job_id, document, after))

    async def job_result(self, job_id: str, document: int = 1) -> Document:
        """See `Client.job_result`."""
        return await self._transport.send(result_call(job_id, document))

    async def job_export(self, job_id: str, document: int = 1, format: str = "text") -> bytes:  # noqa: A002
        """See `Client.job_export`."""
        return await self._transport.send(export_call(job_id, document, format))

    async def job_events(self, job_id: str, *, after: int = 0) -> AsyncIterator[JobEvent]:
        """See `Client.job_events`."""
        events, failures = Events(after), 0
        if after and await self._nothing_follows(job_id, after):
            return
        while True:
            try:
                async with self._transport.lines(events_call(job_id, events.after)) as lines:
                    async for line in lines:
                        event = events.feed(line)
                        if event is not None:
                            failures = 0
                            yield event
                            if event.kind == LAST:
                                return
                if await self._nothing_follows(job_id, events.after):
                    return
                await asyncio.sleep(pause_between_streams(None, 0, self._options))
            except (TryLater, DeadlineExceeded) as error:
                failures += 1
                await asyncio.sleep(pause_between_streams(error, failures, self._options))

    async def _nothing_follows(self, job_id: str, after: int) -> bool:
        job = await self.job(job_id)
        return job.is_finished and job.last_event <= after

    async def wait_for_job(self, job_id: str) -> Job:
        """See `Client.wait_for_job`."""
        async for _ in self.job_events(job_id):
            pass
        return await self.job(job_id)

    async def cancel_job(self, job_id: str) -> Job:
        """See `Client.cancel_job`."""
        return await self._transport.send(cancel_call(job_id))

    async def delete_job(self, job_id: str) -> None:
        """See `Client.delete_job`."""
        await self._transport.send(delete_call(job_id))

    async def webhook_secret(self) -> str:
        """See `Client.webhook_secret`."""
        return await self._transport.send(secret_call())
