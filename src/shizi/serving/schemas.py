"""What clients may ask for and what they get, as they are described in `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shizi.errors import InvalidRequest
from shizi.page_numbers import parse_pages
from shizi.pipeline.options import ReadOptions
from shizi.serving.problem import faults
from shizi.serving.refusals import InvalidParameters
from shizi.types import ModelInfo, Page

Format = Literal["json", "text", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated"]


class ReadParameters(BaseModel):
    """How a document is to be read; in the query, or as fields of the form or of the JSON object."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    detect: bool = Field(default=True, description="find lines; without it each page is one ready-cut line")
    classify: bool = Field(default=True, description="find lines that stand on their head")
    recognize: bool = Field(default=True, description="read the lines; without it only their places are told")
    pages: str | None = Field(
        default=None, max_length=1000, description="only these pages, counted from 1", examples=["1-3,7"]
    )
    languages: str | None = Field(
        default=None, max_length=500, description="read only characters of these languages (BCP 47)", examples=["zh,en"]
    )
    text_layer: Literal["auto", "ignore", "only"] = Field(
        default="auto", description="text that a PDF has already: used where it is sound, never, or nothing but it"
    )
    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="leave out lines that were read less surely; default 0.7, 0.97 for a lone stroke such as 1, without detection 0",
    )


class Reading(ReadParameters):
    """The same of an address that reads at once."""

    timeout: float | None = Field(
        default=None, gt=0, le=86_400, description="seconds for this document; the server has a limit for it"
    )


class ReadingQuery(Reading):
    """The same with the form of the answer."""

    format: Format | None = Field(
        default=None, description="form of the answer; without it the header Accept chooses, and JSON is the default"
    )


class PasswordField(BaseModel):
    """Of a form or a JSON object only: a query stands in the logs of every proxy."""

    password: Annotated[SecretStr, Field(max_length=4096)] | None = Field(
        default=None, description="opens an encrypted PDF"
    )


class ReadingForm(ReadingQuery, PasswordField):
    """All parameters of `/v1/ocr`."""


class DialectForm(Reading, PasswordField):
    """All parameters of the dialects, whose answers have one form."""


class ReadParametersForm(ReadParameters, PasswordField):
    """How a document is to be read, with what opens it."""


Form = TypeVar("Form", bound=ReadParameters)


def merged(query: ReadParameters, fields: Mapping[str, str], model: type[Form]) -> Form:
    """Parameters of the query and of the body together.

    Raises:
        InvalidRequest: one is wrong, unknown, or in both places.
    """
    asked = query.model_dump(exclude_unset=True)
    if twice := sorted(asked.keys() & fields.keys()):
        raise InvalidParameters([(twice[0], "is in the query and in the body; send it once")])
    try:
        return model.model_validate(asked | dict(fields))
    except ValidationError as error:
        raise faults(error.errors(include_url=False, include_input=False, include_context=False)) from None


def read_options(asked: ReadParametersForm | DialectForm | ReadingForm) -> ReadOptions:
    """The parameters as the engine knows them.

    Raises:
        InvalidRequest: pages or languages are no list.
    """
    pages = None
    if asked.pages is not None:
        try:
            pages = parse_pages(asked.pages)
        except ValueError as error:
            raise InvalidParameters([("pages", str(error))]) from None
    languages = None
    if asked.languages is not None:
        languages = tuple(tag for part in asked.languages.split(",") if (tag := part.strip()))
        if not languages:
            raise InvalidParameters([("languages", "is empty; give tags such as zh,en")])
    password = None if asked.password is None else asked.password.get_secret_value()
    return ReadOptions(
        asked.detect,
        asked.classify,
        asked.recognize,
        pages,
        languages,
        password,
        asked.text_layer,
        asked.min_score,
    )


def check_format(recognized: bool, name: str) -> None:
    """Refuses a form of answer that shows text where none is read.

    Raises:
        InvalidRequest: with what to use instead.
    """
    if not recognized and name in ("text", "md", "docx", "pdf"):
        raise InvalidRequest(f"without recognition there is no text for the format {name}; use json, csv or annotated")


class DocumentBody(BaseModel):
    """A document of the schema shizi/1."""

    model_config = ConfigDict(title="Document")

    schema_: Literal["shizi/1"] = Field(alias="schema")
    text: str = Field(description="in reading order, pages joined by form feeds")
    pages: list[Page]
    models: list[ModelInfo]
    timings_ms: dict[str, float] = Field(description="milliseconds of each stage")
    preview: Literal[True] | None = Field(
        default=None, description="true where the pages were reduced before they were read"
    )


class Fault(BaseModel):
    """A wrong parameter."""

    name: str
    detail: str


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str = Field(description="what is wrong, which limit it is about, what to do")
    code: str = Field(description="stable name of the error", examples=["IMAGE_TOO_LARGE"])
    number: int = Field(description="stable number of the error", examples=[5001])
    request_id: str
    retryable: bool = Field(description="whether the same request may succeed later without a change")
    retry_after: int | None = Field(default=None, description="seconds; also in the header Retry-After")
    parameters: list[Fault] | None = Field(default=None, description="each parameter that is wrong")


class SimpleBody(BaseModel):
    """Answer of the dialect with status, text and time_cost."""

    status: Literal["success"]
    text: list[str] = Field(description="the lines")
    time_cost: float = Field(description="seconds")


class SimpleErrorBody(BaseModel):
    """An error of that dialect."""

    status: Literal["error"]
    text: list[str] = Field(max_length=0)
    time_cost: float
    message: str = Field(description="what is wrong, which limit it is about, what to do")
    code: str
    number: int
    request_id: str
    retry_after: int | None = None


class NestedErrorBody(BaseModel):
    """An error of the nested dialect."""

    error: str = Field(description="what is wrong, which limit it is about, what to do")
    code: str
    number: int
    request_id: str
    retry_after: int | None = None


class ModelsBody(BaseModel):
    """The models that read."""

    models: list[ModelInfo]


class StateBody(BaseModel):
    """Whether the server is alive or ready."""

    status: str
