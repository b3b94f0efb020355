"""What clients may ask of `/v1/export` and `/v1/render`, as it is described in `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shizi.export.edits import LONGEST_ID, LONGEST_TEXT, MOST_EDITS
from shizi.imaging.limits import MIB
from shizi.serving.drawing_page import LEAST_SIDE, MOST_SIDE, Picture
from shizi.serving.problem import faults
from shizi.serving.schemas import Format, PasswordField

MOST_DOCUMENT_BYTES: Final = 64 * MIB
MOST_EDITS_BYTES: Final = 8 * MIB
LONGEST_NAME: Final = 200
_LARGEST: Final = 2**31 - 1


class _Timed(PasswordField):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    timeout: float | None = Field(
        default=None, gt=0, le=86_400, description="seconds for this answer; the server has a limit for it"
    )


class ExportForm(_Timed):
    """The small fields of `/v1/export`."""

    format: Format = Field(description="form of the answer; pdf and annotated need the original as `file`")
    name: str | None = Field(
        default=None,
        max_length=LONGEST_NAME,
        description="name of the file that the answer is saved as; the format's extension is put behind it",
        examples=["发票 2026"],
    )


class RenderForm(_Timed):
    """The small fields of `/v1/render`."""

    page: int = Field(default=1, ge=1, le=_LARGEST, description="which page, counted from 1")
    longest_side: int = Field(
        default=2048,
        ge=LEAST_SIDE,
        le=MOST_SIDE,
        description="pixels of the longer side of the picture; a page that is smaller is not made larger",
    )
    picture: Picture = Field(default="jpeg", description="form of the answer; png changes no pixel and is larger")


M = TypeVar("M", bound=BaseModel)


def checked(fields: Mapping[str, str], model: type[M]) -> M:
    """The small fields of a form.

    Raises:
        InvalidRequest: one is wrong, unknown or missing.
    """
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        raise faults(error.errors(include_url=False, include_input=False, include_context=False)) from None


def edits_schema() -> dict[str, Any]:
    """The JSON schema of a list of edits."""
    point = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    change = {
        "page": {"type": "integer", "minimum": 1, "description": "number of the page"},
        "line": {"type": "integer", "minimum": 1, "description": "counted from 1, in the document as it is sent"},
        "text": {"type": "string", "maxLength": LONGEST_TEXT, "description": "of the line; empty removes it"},
        "id": {"type": "string", "maxLength": LONGEST_ID, "description": "for the sender alone"},
    }
    addition = {
        **change,
        "line": {"type": "null"},
        "after": {"type": "integer", "minimum": 0, "description": "the line that the new one follows; 0 for none"},
        "polygon": {"type": "array", "items": point, "minItems": 4, "maxItems": 4},
        "score": {"type": "number", "minimum": 0, "maximum": 1, "default": 1.0},
    }
    needed = ["page", "line", "text"]
    return {
        "type": "array",
        "maxItems": MOST_EDITS,
        "items": {"anyOf": [_object(change, needed), _object(addition, [*needed, "after", "polygon"])]},
    }


def _object(properties: dict[str, Any], needed: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
