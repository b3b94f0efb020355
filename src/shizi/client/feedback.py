"""Corrections: how they are made from a result, sent, and listed."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any, cast

from shizi.client.answer import Answer, object_of, strange
from shizi.client.body import json_body
from shizi.client.calls import Call
from shizi.client.job_values import WrongValueError, moment
from shizi.client.upload import upload
from shizi.errors import InvalidRequest
from shizi.release.correction import Correction, KeptCorrection
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.imaging.decode import Source

_LISTED = 500
_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "int | None": (int, type(None)),
}


def correction_of(source: Source, document: Document, page: int, line: int, text: str) -> Correction:
    """What a line of a result should have been read as.

    Args:
        source: what the document was read from.
        document: the result.
        page: its number in the document.
        line: of the page, counted from 1.
        text: what is right.

    Raises:
        InvalidRequest: the result has no such line, or does not say which model read it.
    """
    lines = next((entry.lines for entry in document.pages if entry.number == page), ())
    if not 1 <= line <= len(lines):
        raise InvalidRequest(f"the result has no line {line} on page {page}; lines count from 1")
    model = next((model for model in document.models if model.task == "recognize"), None)
    if model is None:
        raise InvalidRequest("the result does not say which model read it; make the Correction by hand")
    digest = hashlib.sha256()
    for piece in upload(source).pieces():
        digest.update(piece)
    read = lines[line - 1]
    return Correction(
        document=digest.hexdigest(),
        page=page,
        line=line,
        polygon=read.polygon,
        original=read.text,
        correction=text,
        model=model.name,
        model_version=model.version,
    )


def send_call(correction: Correction, crop: bytes | None) -> Call[KeptCorrection]:
    """Sends a correction; what is sent twice is kept once, so that it may be sent again."""
    body: dict[str, Any] = dataclasses.asdict(correction)
    if crop is not None:
        body["crop"] = base64.b64encode(crop).decode("ascii")
    return Call("POST", "v1/feedback", kept_of, body=json_body(body))


def list_call(document: str | None, after: str | None) -> Call[tuple[list[KeptCorrection], str | None]]:
    """Asks for some corrections, and where those that follow begin."""
    params = {"limit": str(_LISTED)}
    params |= {name: value for name, value in (("document", document), ("after", after)) if value is not None}
    return Call("GET", "v1/feedback", lambda answer: _listed_of(answer, after or ""), params=params)


def kept_of(answer: Answer) -> KeptCorrection:
    """The correction of an answer.

    Raises:
        ShiziError: it is none.
    """
    return _kept(answer, object_of(answer))


def _listed_of(answer: Answer, after: str) -> tuple[list[KeptCorrection], str | None]:
    value = object_of(answer)
    entries, following = value.get("corrections"), value.get("next")
    if not isinstance(entries, list) or not isinstance(following, str | None):
        raise strange(answer, "it has no list of corrections")
    if following is not None and (not entries or following <= after):
        raise strange(answer, "its list goes on without an end")
    return [_kept(answer, entry) for entry in entries], following


def _kept(answer: Answer, value: object) -> KeptCorrection:
    if not isinstance(value, dict):
        raise strange(answer, "a correction of it is no object")
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(KeptCorrection):
        found = value.get(field.name)
        kinds = _KINDS.get(str(field.type))
        if field.name not in value or (kinds is not None and not isinstance(found, kinds)):
            raise strange(answer, f"a correction of it has no {field.name}")
        fields[field.name] = found
    try:
        fields["created"] = moment(value, "created")
    except WrongValueError as error:
        raise strange(answer, f"of a correction, {error}") from None
    try:
        corners = [(float(x), float(y)) for x, y in cast(list[Any], fields["polygon"])]
    except (TypeError, ValueError):
        raise strange(answer, "the polygon of a correction is none") from None
    return KeptCorrection(**fields | {"polygon": tuple(corners)})
