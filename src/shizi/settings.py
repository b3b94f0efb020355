"""Settings of an installation, from the environment (`SHIZI_*`); read once, by the command line, whose options win."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, SecretStr, ValidationError

from shizi.errors import InvalidRequest

PREFIX: Final = "SHIZI_"
MOST_THREADS: Final = 256
LONGEST_TIMEOUT_S: Final = 7 * 24 * 3600


class Settings(BaseModel):
    """One field per variable: `offline` is `SHIZI_OFFLINE`; a variable that is unset or empty leaves the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path | None = Field(default=None, description="where models are kept; default: the user's cache folder")
    catalog: Path | None = Field(default=None, description="a catalogue of models of your own")
    offline: bool = Field(default=False, description="never fetch a model")
    tier: str = Field(default="general", description="which set of models reads")
    runtime: Literal["auto", "onnx", "openvino"] = Field(default="auto", description="which library runs the models")
    precision: Literal["auto", "float32", "bfloat16"] = Field(default="auto", description="arithmetic of the models")
    threads: PositiveInt | None = Field(
        default=None, le=MOST_THREADS, description="CPU threads of the models; default: the CPU quota"
    )
    jobs: PositiveInt = Field(default=2, le=256, description="files read at the same time")
    password: SecretStr | None = Field(default=None, description="opens encrypted PDFs")
    max_bytes: PositiveInt | None = Field(default=None, description="largest file, in bytes")
    max_pixels: PositiveInt | None = Field(default=None, description="largest page, in pixels")
    max_side: PositiveInt | None = Field(default=None, description="longest side of a page, in pixels")
    max_pages: PositiveInt | None = Field(default=None, description="most pages read from a document")
    max_memory: PositiveInt | None = Field(default=None, description="most bytes for decoding one image")
    max_words: PositiveInt | None = Field(default=None, description="most words of a document")
    timeout_s: PositiveInt | None = Field(
        default=None, le=LONGEST_TIMEOUT_S, description="seconds for one document, looked at between pages"
    )
    pdf_dpi: PositiveInt | None = Field(default=None, description="dots per inch at which PDF pages are rendered")
    pdf_max_pixels: PositiveInt | None = Field(
        default=None, description="pixels of a rendered PDF page; larger ones get fewer dpi"
    )


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment asks for.

    Raises:
        InvalidRequest: a value is not allowed, or a `SHIZI_*` variable is unknown (a typing error would otherwise be
            ignored in silence); the message names the variable.
    """
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value != ""
    }
    unknown = sorted(values.keys() - Settings.model_fields.keys())
    if unknown:
        names = ", ".join(variable(name) for name in Settings.model_fields)
        raise InvalidRequest(f"the environment variable {variable(unknown[0])} is unknown; known are {names}")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(f"the environment variable {variable(str(first['loc'][0]))}: {first['msg']}") from None


def variable(field: str) -> str:
    """Name of the environment variable of a field."""
    return PREFIX + field.upper()
