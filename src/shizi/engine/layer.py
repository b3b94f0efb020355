"""A page's text layer as JSON and back: the keys are the fields of `imaging.pages.TextLayer`."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shizi.errors import InvalidRequest
from shizi.imaging.pages import LayerLine, TextLayer
from shizi.types import Word

Number = Annotated[float, Field(allow_inf_nan=False)]
Corner = tuple[Number, Number]
Corners = tuple[Corner, Corner, Corner, Corner]


class _Word(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    score: Annotated[float, Field(ge=0, le=1)] = 1.0
    polygon: Corners


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    polygon: Corners
    words: tuple[_Word, ...]
    angle: Annotated[float, Field(ge=0, lt=360)]
    vertical: bool


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: tuple[_Line, ...]
    sound: bool
    reason: str
    has_images: bool
    image_boxes: tuple[Corners, ...]


@cache
def _writer() -> TypeAdapter[TextLayer]:
    return TypeAdapter(TextLayer)


def layer_to_json(layer: TextLayer) -> bytes:
    """UTF-8, on one line."""
    return _writer().dump_json(layer)


def layer_from_json(data: bytes) -> TextLayer:
    """What `layer_to_json` wrote.

    Raises:
        InvalidRequest: it is none; the message says where, and quotes nothing.
    """
    try:
        layer = _Layer.model_validate_json(data)
    except ValidationError as error:
        raise InvalidRequest(f"text_layer: {where(error)}") from None
    lines = tuple(LayerLine(line.text, line.polygon, _words(line), line.angle, line.vertical) for line in layer.lines)
    return TextLayer(lines, layer.sound, layer.reason, layer.has_images, layer.image_boxes)


def where(error: ValidationError) -> str:
    """What is wrong at which place, without the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _words(line: _Line) -> tuple[Word, ...]:
    return tuple(Word(word.text, word.score, word.polygon) for word in line.words)
