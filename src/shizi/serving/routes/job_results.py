"""What comes of jobs: pages while they run, results of documents, and events as they happen."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shizi.export import EXPORTERS
from shizi.export.json import page_to_json, render_line
from shizi.jobs.documents import cursor
from shizi.jobs.job import Event, PageResult
from shizi.jobs.store import JobStore
from shizi.serving.caller import JOBS
from shizi.serving.job_events import LAST, MEDIA_TYPE, beginning, last_event_id, stream
from shizi.serving.job_schemas import JobPagesBody, NoQuery, PagesQuery, ResultQuery
from shizi.serving.jobs import Jobs, known_id
from shizi.serving.routes.described import header, problems
from shizi.serving.routes.jobs import LOOKING
from shizi.serving.schemas import DocumentBody, check_format
from shizi.serving.service import Service
from shizi.types import Document

_EVENTS_AT_ONCE: Final = 200
_PIECE: Final = 256 * 1024
_LARGEST: Final = 2**31 - 1
_OTHERS: Final[dict[str, Any]] = {
    exporter.media_type.partition(";")[0]: {"schema": {"type": "string"}}
    for exporter in EXPORTERS.values()
    if not exporter.needs_original and exporter.name != "json"
}
_RESULT: Final = {
    "description": "What was read, in the form that was asked for.",
    "content": _OTHERS,
    "model": DocumentBody,
}
_EVENTS: Final = (
    "retry: 1000\n\nid: 1\nevent: queued\ndata: {}\n\nid: 2\nevent: running\ndata: {}\n\n"
    'id: 3\nevent: page\ndata: {"document":1,"page":1}\n\nid: 4\nevent: finished\ndata: {"state":"succeeded"}\n\n'
)
_STREAM: Final = {
    "description": "Events of the kinds queued, running, page, document and finished, which is the last one.",
    "content": {MEDIA_TYPE: {"example": _EVENTS}},
}
_LAST: Final = header(
    "Last-Event-ID", "^[0-9]{0,9}$", "`id` of the last event that was seen; the stream goes on after it"
)


class _Listening(StreamingResponse):
    """A stream that holds a place as long as it is answered."""

    def __init__(self, jobs: Jobs, tenant: str, content: Any) -> None:  # noqa: ANN401 (Starlette's own type is not public)
        super().__init__(content, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
        self._jobs, self._tenant = jobs, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._jobs.listening(self._tenant):
            await super().__call__(scope, receive, send)


class _Fetched(Response):
    """A result that takes room until all of it is sent."""

    def __init__(self, room: contextlib.ExitStack, body: bytes, media_type: str) -> None:
        super().__init__(body, media_type=media_type)
        self._room = room

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._room:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            body = memoryview(self.body)
            for start in range(0, len(body), _PIECE):  # the server waits before the next piece, not after the last one
                piece = bytes(body[start : start + _PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def job_result_routes(service: Service, jobs: Jobs) -> APIRouter:
    """The router of results."""
    router = APIRouter(tags=["jobs"])
    _pages_read(router, service, jobs)
    _document_result(router, service, jobs)
    _told_events(router, service, jobs)
    return router


def _pages_read(router: APIRouter, service: Service, jobs: Jobs) -> None:
    @router.get(
        "/v1/jobs/{job_id}/pages",
        summary="Pages as they are finished",
        response_class=Response,
        responses={200: {"model": JobPagesBody}, **problems(*LOOKING)},
    )
    async def pages(request: Request, job_id: str, query: Annotated[PagesQuery, Query()]) -> Response:
        """In the order in which they were finished, so that whoever asks with `next` again and again misses none."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        with contextlib.ExitStack() as room:
            room.enter_context(jobs.fetching(tenant, query.limit))
            body = await jobs.run(lambda: _finished_pages(jobs.store, tenant, known_id(job_id), query))
            return _Fetched(room.pop_all(), body, "application/json")


def _document_result(router: APIRouter, service: Service, jobs: Jobs) -> None:
    @router.get(
        "/v1/jobs/{job_id}/documents/{number}/result",
        summary="What was read from a document",
        response_class=Response,
        responses={200: _RESULT, **problems(409, 413, 415, 504, *LOOKING)},
    )
    async def result(
        request: Request,
        job_id: str,
        number: Annotated[int, Path(ge=1, le=_LARGEST, description="of the document, counted from 1")],
        query: Annotated[ResultQuery, Query()],
    ) -> Response:
        """When the document has ended, also while others of the job are being read. One that failed answers with its error."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        job = await jobs.run(lambda: jobs.store.get(tenant, known_id(job_id)))
        check_format(bool(job.options.get("recognize", True)), query.format)
        count = (await jobs.run(lambda: jobs.store.document(tenant, job_id, number))).pages_done
        with contextlib.ExitStack() as room:
            room.enter_context(jobs.fetching(tenant, max(1, count)))
            document = await jobs.run(lambda: jobs.store.result(tenant, job_id, number))
            body = await asyncio.get_running_loop().run_in_executor(service.threads, _written, document, query.format)
            return _Fetched(room.pop_all(), body, EXPORTERS[query.format].media_type)


def _told_events(router: APIRouter, service: Service, jobs: Jobs) -> None:
    @router.get(
        "/v1/jobs/{job_id}/events",
        summary="What happens, as it happens",
        response_class=Response,
        openapi_extra=_LAST,
        responses={
            200: _STREAM,
            204: {"description": "The job has ended, and its last event was seen: there is nothing to wait for."},
            **problems(*LOOKING),
        },
    )
    async def events(
        request: Request,
        job_id: str,
        _query: Annotated[NoQuery, Query()],
    ) -> Response:
        """Server-sent events. Whoever comes again with `Last-Event-ID` gets each event once."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        after = last_event_id(request.headers.get("Last-Event-ID"))
        begin = await beginning(jobs, tenant, known_id(job_id), after)
        if begin is None:
            return Response(status_code=204)
        told = stream(jobs, tenant, job_id, begin, after, lambda: service.lifecycle.draining)
        return _Listening(jobs, tenant, told)


def _written(document: Document, name: str) -> bytes:
    return render_line(document) if name == "json" else EXPORTERS[name].render(document, None)


def _finished_pages(store: JobStore, tenant: str, job_id: str, query: PagesQuery) -> bytes:
    """The body of an answer: events say in which order pages came."""
    wanted: list[Event] = []
    after, more = query.after, True
    while more and len(wanted) < query.limit:
        events = store.events(tenant, job_id, after=after, limit=_EVENTS_AT_ONCE)
        more = bool(events)
        for event in events:
            after = event.number
            more = event.kind != LAST
            if event.kind == "page" and query.document in (None, event.data["document"]):
                wanted.append(event)
            if len(wanted) == query.limit:
                break
    job = store.get(tenant, job_id)
    found = _pages(store, tenant, job_id, wanted)
    written = b",".join(b'{"document":%d,"page":%b}' % (each.document, page_to_json(each.page)) for each in found)
    complete = b"true" if job.is_finished and after >= job.last_event else b"false"
    return b'{"pages":[%b],"next":%d,"complete":%b}' % (written, after, complete)


def _pages(store: JobStore, tenant: str, job_id: str, wanted: list[Event]) -> list[PageResult]:
    """The pages of some events; those that follow each other are fetched together."""
    found: list[PageResult] = []
    places = [(int(str(event.data["document"])), int(str(event.data["page"]))) for event in wanted]
    for _, run in groupby(enumerate(places), lambda each: (each[1][0], each[1][1] - each[0])):
        pages = [place for _, place in run]
        document, first = pages[0]
        found += store.pages(tenant, job_id, document=document, after=cursor(document, first - 1), limit=len(pages))
    return found
