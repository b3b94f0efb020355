"""What this server offers, and its limits, so that a client need not find them out by being refused."""

from __future__ import annotations

from typing import Any, get_args

from shizi.export import EXPORTERS
from shizi.export.edits import LONGEST_TEXT, MOST_EDITS
from shizi.imaging.decode import ACCEPTED
from shizi.release.crop import MAX_CROP_BYTES, MAX_CROP_PIXELS, MAX_CROP_SIDE
from shizi.serving.drawing_page import LEAST_SIDE, MOST_SIDE
from shizi.serving.export_schemas import MOST_DOCUMENT_BYTES, MOST_EDITS_BYTES, ExportForm, RenderForm
from shizi.serving.feedback import MAX_BODY_BYTES, MOST_LISTED, Feedback
from shizi.serving.job_schemas import JobForm, ResultFormat
from shizi.serving.jobs import Jobs
from shizi.serving.options import ServiceOptions
from shizi.serving.schemas import DialectForm, ReadingForm
from shizi.types import SCHEMA


def capabilities(options: ServiceOptions, jobs: Jobs | None = None, feedback: Feedback | None = None) -> dict[str, Any]:
    """The facts as plain values of JSON."""
    limits = options.limits
    further = {} if jobs is None else {"jobs": _of_jobs(jobs)}
    further |= {} if feedback is None else {"feedback": _of_feedback(feedback)}
    return further | {
        "version": options.version,
        "schema": SCHEMA,
        "inputs": [name.strip() for name in ACCEPTED.replace(" and ", ", ").split(",")],
        "formats": {name: exporter.media_type for name, exporter in EXPORTERS.items()},
        "parameters": sorted(ReadingForm.model_fields),
        "export": {
            "parameters": sorted(ExportForm.model_fields),
            "limits": {
                "document_bytes": MOST_DOCUMENT_BYTES,
                "edits_bytes": MOST_EDITS_BYTES,
                "edits": MOST_EDITS,
                "edit_characters": LONGEST_TEXT,
            },
        },
        "render": {
            "parameters": sorted(RenderForm.model_fields),
            "limits": {"least_side": LEAST_SIDE, "most_side": MOST_SIDE},
        },
        "dialects": {
            "/v1/ocr": {"bodies": ["multipart/form-data: file", "application/json: image_base64"]},
            "/v1/preview": {"bodies": ["multipart/form-data: file", "application/json: image_base64"]},
            "/api/v1/ocr": {
                "bodies": ["application/json: image_base64"],
                "parameters": sorted(DialectForm.model_fields),
            },
            "/ocr": {"bodies": ["multipart/form-data: image"], "parameters": sorted(DialectForm.model_fields)},
        },
        "limits": {
            "max_bytes": options.uploads.max_bytes,
            "max_parts": options.uploads.max_parts,
            "max_field_bytes": options.uploads.max_field_bytes,
            "upload_timeout_s": options.uploads.timeout_s,
            "max_pixels": limits.max_pixels,
            "max_side": limits.max_side,
            "max_pages": limits.max_pages,
            "max_memory": limits.max_memory,
            "max_words": limits.max_words,
            "pdf_dpi": limits.pdf_dpi,
            "pdf_max_pixels": limits.pdf_max_pixels,
            "timeout_s": options.request_timeout_s,
            "longest_timeout_s": options.longest_timeout_s,
            "preview_side": options.preview_side,
            "documents_at_a_time": options.documents,
        },
    }


def _of_jobs(jobs: Jobs) -> dict[str, Any]:
    limits, options = jobs.store.limits, jobs.options
    targets = options.targets
    return {
        "parameters": sorted(JobForm.model_fields),
        "formats": list(get_args(ResultFormat)),
        "webhooks": None if targets is None else {"schemes": list(targets.schemes), "ports": list(targets.ports)},
        "limits": {
            "max_files": limits.max_files,
            "max_pages": limits.max_pages,
            "max_bytes": limits.max_bytes,
            "max_job_bytes": limits.max_job_bytes,
            "tenant_jobs": limits.tenant_jobs,
            "tenant_bytes": limits.tenant_bytes,
            "job_retention_s": limits.retention_s,
            "longest_s": limits.longest_s,
            "page_timeout_s": limits.page_timeout_s,
            "job_uploads": options.uploads,
            "job_tenant_uploads": options.tenant_uploads,
            "job_fetched": options.fetched,
            "job_tenant_fetched": options.tenant_fetched,
            "job_listeners": options.listeners,
        },
    }


def _of_feedback(feedback: Feedback) -> dict[str, Any]:
    limits = feedback.store.limits  # whose crops are kept is between the operator and the tenant
    return {
        "exports": ["jsonl", "tar"],
        "limits": {
            "feedback_rows": limits.rows,
            "feedback_bytes": limits.bytes,
            "body_bytes": MAX_BODY_BYTES,
            "crop_bytes": MAX_CROP_BYTES,
            "crop_pixels": MAX_CROP_PIXELS,
            "crop_side": MAX_CROP_SIDE,
            "listed": MOST_LISTED,
        },
    }
