"""A page on its way back: JSON as `shizi.export.json` writes it, and the times of the stages beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from shizi.engine import protocol
from shizi.engine.layer import where
from shizi.engine.request import MODEL, VERSION
from shizi.errors import EngineUnavailable, InvalidRequest
from shizi.export.json import page_to_json
from shizi.types import ModelInfo, Page

_MS: Final = "_ms"
_MODELS: Final = "models"
_PREFIX = 4


@cache
def _pages() -> TypeAdapter[Page]:
    return TypeAdapter(Page)


def page_from_json(data: bytes | memoryview) -> Page:
    """What `page_to_json` wrote. (`export.json_reading` takes three times as long; it says where an error is.)

    Raises:
        EngineUnavailable: it is no page: the engine is of another version.
    """
    try:
        return _pages().validate_json(bytes(data), strict=True)
    except ValidationError as error:
        raise EngineUnavailable(f"the engine's answer is no page of this version of shizi: {where(error)}") from None


def digest(models: Sequence[ModelInfo]) -> str:
    """Tells models apart."""
    return hashlib.sha256(json.dumps([asdict(model) for model in models], sort_keys=True).encode()).hexdigest()[:16]


def write_answer(request_id: str, page: Page, times: Mapping[str, float], models: str = "") -> bytes:
    """The bytes of a ModelInferResponse.

    Args:
        request_id: of the request.
        page: that was read.
        times: milliseconds by stage.
        models: `digest` of those that read it.
    """
    data = page_to_json(page)
    message = protocol.new("ModelInferResponse")
    message.model_name, message.model_version, message.id = MODEL, VERSION, request_id
    for stage, milliseconds in times.items():
        message.parameters[stage + _MS].double_param = milliseconds
    message.parameters[_MODELS].string_param = models
    message.outputs.add(name="page", datatype="BYTES", shape=[1])
    message.raw_output_contents.append(len(data).to_bytes(_PREFIX, "little") + data)
    written: bytes = message.SerializeToString()
    return written


def read_answer(data: bytes) -> tuple[Page, dict[str, float], str]:
    """The page, the milliseconds by stage, and the `digest` of the models that read it ("" where the engine does not say).

    Raises:
        EngineUnavailable: this is no answer of such an engine.
    """
    try:
        message = protocol.parse("ModelInferResponse", data)
    except InvalidRequest as error:  # nothing that was asked for is wrong
        raise EngineUnavailable(f"{error}; look at what listens there") from None
    if [output.name for output in message.outputs] != ["page"] or len(message.raw_output_contents) != 1:
        raise EngineUnavailable(
            "the engine's answer has no page; it is of another version of shizi, or none of its engines"
        )
    times = {
        name.removesuffix(_MS): parameter.double_param
        for name, parameter in message.parameters.items()
        if name.endswith(_MS)
    }
    return (
        page_from_json(memoryview(message.raw_output_contents[0])[_PREFIX:]),
        times,
        message.parameters[_MODELS].string_param,
    )
