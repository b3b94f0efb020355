"""`/v1/jobs`: orders of many documents, worked on in the background."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from shizi.jobs.job import Job, Order
from shizi.serving.caller import JOBS
from shizi.serving.job_schemas import (
    JobBody,
    JobDetailBody,
    JobForm,
    JobQuery,
    JobsBody,
    ListQuery,
    NoQuery,
    WebhookSecretBody,
    detail_body,
    job_body,
    moment,
    order_options,
)
from shizi.serving.job_uploads import Spooled, receive_documents
from shizi.serving.jobs import Jobs, idempotency_key, known_id, request_digest
from shizi.serving.routes.described import header, problems
from shizi.serving.schemas import ReadParametersForm, merged, read_options
from shizi.serving.service import Service
from shizi.serving.trace import trace_of

LOOKING: Final = (401, 403, 404, 422, 429, 500, 503)
_LISTING: Final = (401, 403, 422, 429, 500, 503)
_ORDERING: Final = (400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503)
_LOCATION: Final = {"Location": {"description": "address of the job", "schema": {"type": "string"}}}
_EXAMPLE: Final = {
    "id": "job_0199d5f1a2b34d8f1b8c5b7e3f0a9c2d4e6f8a1b3c5d",
    "state": "running",
    "priority": 5,
    "options": {"languages": ["zh", "en"]},
    "document_count": 3,
    "bytes": 1_482_113,
    "pages": 212,
    "pages_done": 40,
    "last_event": 43,
    "created": "2026-11-20T08:15:30.120Z",
    "started": "2026-11-20T08:15:30.410Z",
    "finished": None,
    "expires": None,
    "webhook": {"state": "waiting", "attempts": 0, "status": None, "fault": None},
}
_KEY: Final = header(
    "Idempotency-Key",
    "^[!-~]{1,255}$",
    "the same request with the same key makes one job, however often it is sent; 1 to 255 visible characters",
)


def job_routes(service: Service, jobs: Jobs) -> APIRouter:
    """The router of orders."""
    router = APIRouter(tags=["jobs"])

    _ordering(router, service, jobs)
    _ending(router, service, jobs)

    @router.get("/v1/jobs", summary="List jobs", responses={200: _example(JobsBody), **problems(*_LISTING)})
    async def listed(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
        """The latest first; those of one's own tenant alone."""
        tenant = await _insider(service, jobs, request)
        found = await jobs.run(
            lambda: jobs.store.list(tenant, after=query.after, limit=query.limit + 1, state=query.state)
        )
        shown = [await _body(jobs, job) for job in found[: query.limit]]
        return _json({"jobs": shown, "next": found[query.limit - 1].id if len(found) > query.limit else None})

    @router.get(
        "/v1/jobs/{job_id}", summary="Look at a job", responses={200: _example(JobDetailBody), **problems(*LOOKING)}
    )
    async def looked_at(request: Request, job_id: str, _query: Annotated[NoQuery, Query()]) -> Response:
        """How far it is, and each of its documents."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        job = await jobs.run(lambda: jobs.store.get(tenant, known_id(job_id)))
        documents = await jobs.run(lambda: jobs.store.documents(tenant, job_id))
        told = None if job.webhook is None else await jobs.run(lambda: jobs.webhooks.told(tenant, job_id))
        return _json(detail_body(job, told, documents))

    @router.post(
        "/v1/webhooks/secret",
        summary="Make the secret that signs webhooks",
        status_code=201,
        responses=problems(*_LISTING),
    )
    async def secret(request: Request, _query: Annotated[NoQuery, Query()]) -> WebhookSecretBody:
        """One for each tenant, shown this once. The one before signs as well for a day, so that receivers can change over."""
        tenant = await _insider(service, jobs, request)
        made, until = await jobs.run(lambda: jobs.webhooks.rotate(tenant))
        return WebhookSecretBody.model_validate({"secret": made, "previous_until": moment(until)})

    return router


def _ordering(router: APIRouter, service: Service, jobs: Jobs) -> None:
    @router.post(
        "/v1/jobs",
        summary="Order documents to be read",
        status_code=202,
        response_class=Response,
        responses={
            202: _example(JobBody) | {"description": "Taken in; nothing of it is lost any more.", "headers": _LOCATION},
            **problems(*_ORDERING),
        },
        openapi_extra=_order_body() | _KEY,
    )
    async def order(
        request: Request,
        query: Annotated[JobQuery, Query()],
    ) -> Response:
        """Takes any number of documents, each a field `file`; all are read with the same parameters."""
        caller = await service.gate.caller(request, JOBS)
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        if key is not None and caller.anonymous and not jobs.options.strangers_share:
            # Else who guesses, or happens to choose, a stranger's key would be given that one's job.
            key = f"{service.gate.address(request)} {key}"
        with jobs.receiving(caller.tenant):
            spooled = await receive_documents(request, service.options.uploads, jobs.upload_limits, service.threads)
            with spooled:
                trace_of(request.scope).upload_bytes = spooled.size
                for part in spooled.parts:
                    service.metrics.upload_bytes.observe(part.size)
                wanted = await _order(jobs, caller.tenant, query, spooled, key)
                job = await jobs.order(lambda: jobs.store.create(wanted, spooled.documents()))
        return _json(await _body(jobs, job), 202, {"Location": f"/v1/jobs/{job.id}"})


def _ending(router: APIRouter, service: Service, jobs: Jobs) -> None:
    @router.post(
        "/v1/jobs/{job_id}/cancel", summary="Cancel a job", responses={200: _example(JobBody), **problems(*LOOKING)}
    )
    async def cancel(request: Request, job_id: str, _query: Annotated[NoQuery, Query()]) -> Response:
        """What was read stays; what is being read is dropped. A job that has ended stays as it is."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        return _json(await _body(jobs, await jobs.run(lambda: jobs.store.cancel(tenant, known_id(job_id)))))

    @router.delete(
        "/v1/jobs/{job_id}",
        summary="Delete a job",
        status_code=204,
        response_class=Response,
        responses=problems(*LOOKING),
    )
    async def delete(request: Request, job_id: str, _query: Annotated[NoQuery, Query()]) -> Response:
        """With its documents, results and events, in whatever state it is."""
        tenant = (await service.gate.caller(request, JOBS)).tenant
        await jobs.run(lambda: jobs.store.delete(tenant, known_id(job_id)))
        return Response(status_code=204)


async def _insider(service: Service, jobs: Jobs, request: Request) -> str:
    """The tenant of a caller who may see all that is the tenant's."""
    caller = await service.gate.caller(request, JOBS)
    jobs.check_insider(caller)
    return caller.tenant


async def _order(jobs: Jobs, tenant: str, query: JobQuery, spooled: Spooled, key: str | None) -> Order:
    form = merged(query, spooled.fields, JobForm)
    await jobs.check_webhook(tenant, form.webhook_url)
    reading = form.model_dump(exclude={"priority", "webhook_url"}, exclude_unset=True)
    options = order_options(read_options(ReadParametersForm.model_validate(reading)))
    asked = {"options": options, "priority": form.priority, "webhook": form.webhook_url}
    return Order(
        tenant=tenant,
        options=options,
        priority=form.priority,
        webhook=form.webhook_url,
        keep_documents=False,
        idempotency_key=key,
        request_sha256=None if key is None else request_digest(asked, spooled),
    )


async def _body(jobs: Jobs, job: Job) -> dict[str, Any]:
    told = None
    if job.webhook is not None and job.is_finished:
        told = await jobs.run(lambda: jobs.webhooks.told(job.tenant, job.id))
    return job_body(job, told)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(body, status, headers, media_type="application/json")


def _example(model: type[Any]) -> dict[str, Any]:
    """The description of an answer; of lists and details the example would be long."""
    content = {"application/json": {"example": _EXAMPLE}} if model is JobBody else {}
    return {"model": model, "content": content}


def _order_body() -> dict[str, Any]:
    document = {"type": "string", "format": "binary", "description": "an image or a PDF"}
    files = {"type": "array", "items": document, "minItems": 1, "description": "one field for each document"}
    schema = {
        "type": "object",
        "properties": {"file": files} | JobForm.model_json_schema()["properties"],
        "required": ["file"],
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
