"""Parameters of messages: named values of some kinds, each checked on the way to what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shizi.batching.claim import LANES, NOBODY, Lane
from shizi.engine import protocol
from shizi.engine.layer import where
from shizi.errors import InvalidRequest
from shizi.pipeline.options import ReadOptions

_LONGEST_NAME: Final = 256


class PageOptions(BaseModel):
    """The parameter `options`: what `ReadOptions` says of a page that is decoded already."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    detect: bool = True
    classify: bool = True
    recognize: bool = True
    languages: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)] | None = None
    text_layer: Literal["auto", "ignore", "only"] = "auto"
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None


def values_of(parameters: protocol.Message, known: Sequence[str], what: str) -> dict[str, protocol.Message]:
    """The values of a message's parameters, by name.

    Args:
        parameters: of the message.
        known: names that it may have.
        what: it is, for errors.

    Raises:
        InvalidRequest: one has another name, or no value.
    """
    if set(parameters) - set(known):
        raise InvalidRequest(f"{what} has an unknown parameter; known are {', '.join(known)}")
    result = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is None:
            raise InvalidRequest(f"the parameter {name} of {what} has no value")
        result[name] = getattr(parameter, choice)
    return result


def options_of(parameters: dict[str, protocol.Message]) -> ReadOptions:
    """What is asked for; raises InvalidRequest."""
    try:
        given = PageOptions.model_validate_json(text(parameters.get("options", "{}"), "options"))
    except ValidationError as error:
        raise InvalidRequest(f"options: {where(error)}") from None
    return ReadOptions(
        detect=given.detect,
        classify=given.classify,
        recognize=given.recognize,
        languages=given.languages,
        text_layer=given.text_layer,
        min_score=given.min_score,
    )


def deadline_of(value: protocol.Message) -> float | None:
    """Seconds that the client allows, None where it said nothing; raises InvalidRequest."""
    return None if value is None else whole(value, "deadline_ms") / 1000


def tenant_of(parameters: dict[str, protocol.Message]) -> str:
    """Who pays; raises InvalidRequest."""
    tenant = text(parameters.get("tenant", NOBODY), "tenant")
    if not 0 < len(tenant) <= _LONGEST_NAME:
        raise InvalidRequest(f"tenant must have 1 to {_LONGEST_NAME} characters")
    return tenant


def lane_of(parameters: dict[str, protocol.Message]) -> Lane:
    """Of the work that it belongs to; raises InvalidRequest."""
    found = parameters.get("lane", LANES[0])
    if found not in LANES:
        raise InvalidRequest(f"lane must be one of {', '.join(LANES)}")
    return LANES[LANES.index(found)]


def whole(value: protocol.Message, name: str) -> int:
    """A whole number; raises InvalidRequest."""
    if type(value) is not int:
        raise InvalidRequest(f"{name} must be a whole number")
    return value


def flag(value: protocol.Message, name: str) -> bool:
    """True or false; raises InvalidRequest."""
    if type(value) is not bool:
        raise InvalidRequest(f"{name} must be true or false")
    return value


def text(value: protocol.Message, name: str) -> str:
    """A text; raises InvalidRequest."""
    if type(value) is not str:
        raise InvalidRequest(f"{name} must be a text")
    return value
