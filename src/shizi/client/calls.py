"""What is asked of a server: the request, and how its answer is read. The same for both clients; nothing here sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar, cast

from shizi.client.answer import Answer, json_of, object_of, strange
from shizi.client.body import Body, form
from shizi.client.fields import form_fields
from shizi.client.upload import Upload
from shizi.errors import InvalidRequest
from shizi.export.json_reading import from_dict
from shizi.pipeline.options import ReadOptions
from shizi.types import Document, ModelInfo

T = TypeVar("T")

_MORE_S: Final = 60.0  # beside the seconds that the server may work: for the upload and the way


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        method: of HTTP.
        path: below the server's address, without a slash at its beginning.
        read: an answer 2xx → what the caller gets; raises ShiziError where it is none.
        params: of the query.
        headers: beside those that every request has.
        again: whether it may be sent again where the server did not begin it.
        timeout_s: seconds in all, where the client's own are too few.
    """

    method: str
    path: str
    read: Callable[[Answer], T]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    again: bool = True
    timeout_s: float = 0.0


def read_call(
    document: Upload, options: ReadOptions, timeout: float | None, *, preview: bool = False
) -> Call[Document]:
    """Reads a document.

    Args:
        document: of any accepted format.
        options: as for `OCR.read`.
        timeout: seconds that the server may take for it; default: the server's own.
        preview: whether pages are made smaller first.

    Raises:
        InvalidRequest: an option is wrong.
    """
    body = form(form_fields(options, timeout), [("file", document)])
    return Call(
        "POST",
        "v1/preview" if preview else "v1/ocr",
        document_of,
        headers={"Accept": "application/json"},
        body=body,
        timeout_s=0.0 if timeout is None else timeout + _MORE_S,
    )


def models_call() -> Call[tuple[ModelInfo, ...]]:
    """Asks which models read."""
    return Call("GET", "v1/models", models_of)


def capabilities_call() -> Call[dict[str, Any]]:
    """Asks what the server offers, and its limits."""
    return Call("GET", "v1/capabilities", object_of)


def ready_call() -> Call[bool]:
    """Asks whether the server may be given work; its "no" is the error EngineUnavailable."""
    return Call("GET", "readyz", lambda answer: answer.status == HTTPStatus.OK, again=False)


def document_of(answer: Answer) -> Document:
    """The document of an answer.

    Raises:
        ShiziError: it is none of the schema.
    """
    value = json_of(answer)
    if isinstance(value, dict):
        value.pop("preview", None)
    try:
        return from_dict(value)
    except InvalidRequest as error:
        raise strange(answer, f"its body is no document ({error})") from None


def models_of(answer: Answer) -> tuple[ModelInfo, ...]:
    """The models of an answer.

    Raises:
        ShiziError: it names none.
    """
    entries = object_of(answer).get("models")
    names = ("task", "name", "version", "sha256")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise strange(answer, "it has no list of models")
    values = [[entry.get(name) for name in names] for entry in entries]
    if not all(isinstance(value, str) for row in values for value in row):
        raise strange(answer, "a model of it has no task, name, version or sha256")
    return tuple(ModelInfo(*cast(list[str], row)) for row in values)
