"""Cards say all that shizi needs to know of a model; the catalogue holds those that come with shizi, and the tiers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from shizi.errors import InvalidRequest, NotFound
from shizi.models.sources import LocalFile, Url, WheelMember, parse_source
from shizi.regular import open_regular

CARD_FILE: Final = "card.toml"
DEFAULT_TIER: Final = "general"
MAX_CARD_BYTES: Final = 1 << 20

# A name becomes a file name, so it can hold no separator.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Text = Annotated[str, StringConstraints(min_length=1)]
Side = Annotated[int, Field(gt=0, le=8192)]
Three = tuple[float, float, float]
Task = Literal["detect", "recognize", "direction"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Input(_Strict):
    """What a model takes: (N, 3, height, width) float32, made by (pixel / 255 - mean) / std in the order of `channels`.

    Attributes:
        height: pixels; None where any height will do.
        width: pixels; None where any width will do.
        mean: of the three channels, in the order of `channels`.
        std: of the three channels, in the order of `channels`.
        channels: order in which the model saw colours when it was trained.
    """

    height: Side | None = None
    width: Side | None = None
    mean: Three = (0.5, 0.5, 0.5)
    std: Three = (0.5, 0.5, 0.5)
    channels: Literal["rgb", "bgr"] = "bgr"

    @field_validator("std")
    @classmethod
    def _divisible(cls, std: Three) -> Three:
        if min(std) <= 0:
            raise ValueError("std divides, so it must be above 0")
        return std


class Card(_Strict):
    """One model.

    Attributes:
        name: unique, lower case, fit for a file name.
        sha256: of the ONNX file, 64 lower-case hexadecimal digits.
        size: bytes of the ONNX file; None where its publisher does not say.
        sources: tried in order: `pypi://NAME==VERSION#FILE`, `https://…`, or a path (relative to the card).
        licence: SPDX expression of the weights.
        origin: who made the model: the address of its model card.
        languages: BCP 47 tags of what it was trained to read; empty where it does not read.
        charset: recognisers only: `metadata:KEY` (an entry of the ONNX file) or `file:NAME` (beside the ONNX file).
        classes: width of the output; None where unknown.
        sure_logit: recognisers only: no uncommon character was ever seen to be likelier than a common one whose logit is above it
            (`python -m benchmarks.shortlist`).
        metrics: figures that someone measured, by name, as fractions.
    """

    name: Name
    task: Task
    version: Text
    sha256: Sha256
    size: Annotated[int, Field(gt=0)] | None = None
    sources: tuple[str, ...] = ()
    licence: Text
    origin: Text
    languages: tuple[Text, ...] = ()
    description: str = ""
    input: Input = Input()
    charset: Annotated[str, StringConstraints(pattern=r"^(metadata|file):.+$")] | None = None
    classes: Annotated[int, Field(gt=0)] | None = None
    sure_logit: float | None = None
    metrics: Mapping[str, float] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _charset_of_recognisers(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("task") == "recognize":
            return {"charset": "metadata:character"} | data
        return data

    @field_validator("sources")
    @classmethod
    def _known_sources(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for source in sources:
            try:
                parse_source(source)
            except InvalidRequest as error:
                raise ValueError(str(error)) from None
        return sources

    @model_validator(mode="after")
    def _charset_fits(self) -> Self:
        if self.task != "recognize" and self.charset is not None:
            raise ValueError("charset belongs to recognisers only; remove it")
        if (self.charset or "").startswith("file:") and any(isinstance(s, Url | WheelMember) for s in self.parsed):
            raise ValueError("charset file:… needs all sources to be paths, for only the ONNX file itself is pulled")
        return self

    @property
    def parsed(self) -> tuple[WheelMember | Url | LocalFile, ...]:
        """The sources, understood, in order."""
        return tuple(parse_source(source) for source in self.sources)


class Tier(_Strict):
    """Models that work together, by name."""

    detect: Name
    recognize: Name
    direction: Name
    description: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        """Detector, recogniser, direction classifier."""
        return (self.detect, self.recognize, self.direction)


class Catalog(_Strict):
    """Cards and tiers by name."""

    models: Mapping[Name, Card]
    tiers: Mapping[Name, Tier] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _tiers_fit(self) -> Self:
        for name, tier in self.tiers.items():
            for task, model in zip(("detect", "recognize", "direction"), tier.names, strict=True):
                if model not in self.models:
                    raise ValueError(f"tier {name} names the model {model}, which has no card")
                if self.models[model].task != task:
                    raise ValueError(f"tier {name} uses {model} to {task}, but its card says {self.models[model].task}")
        return self

    def card(self, name: str) -> Card:
        """The card of that name.

        Raises:
            NotFound: names all known models.
        """
        try:
            return self.models[name]
        except KeyError:
            known = ", ".join(sorted(self.models))
            raise NotFound(f"no model is called {name!r}; known are {known}, or the path of a {CARD_FILE}") from None

    def tier(self, name: str) -> Tier:
        """The tier of that name.

        Raises:
            NotFound: names all known tiers.
        """
        try:
            return self.tiers[name]
        except KeyError:
            raise NotFound(f"no tier is called {name!r}; known are {', '.join(sorted(self.tiers))}") from None


def load_catalog(path: Path | None = None) -> Catalog:
    """Read the catalogue that comes with shizi, or one of your own; paths in it are relative to its folder.

    Raises:
        NotFound: no such file.
        InvalidRequest: not a catalogue; names every wrong entry.
    """
    if path is None:
        text = files("shizi").joinpath("models", "catalog.toml").read_text(encoding="utf-8")
        where, base = "the catalogue of shizi", None
    else:
        text, where, base = _read(path), str(path), path.parent
    data = _toml(text, where)
    models = data.get("models")
    if isinstance(models, dict):
        data["models"] = {
            name: _anchored(card | {"name": name}, base) if isinstance(card, dict) else card
            for name, card in models.items()
        }
    try:
        return Catalog.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest(_explain(where, error)) from None


def load_card(path: Path) -> Card:
    """Read a model's own card: a `card.toml`, or a folder that holds one.

    Without `sources`, the model is the one `.onnx` file beside the card.

    Raises:
        NotFound: no such file.
        InvalidRequest: not a card; names every wrong entry.
    """
    file = path / CARD_FILE if path.is_dir() else path
    data = _toml(_read(file), str(file))
    if not data.get("sources"):
        data["sources"] = [_only_onnx(file.parent)]
    try:
        return Card.model_validate(_anchored(data, file.parent))
    except ValidationError as error:
        raise InvalidRequest(_explain(str(file), error)) from None


def _read(path: Path) -> str:
    try:
        with open_regular(path, "rb") as file:
            raw = file.read(MAX_CARD_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > MAX_CARD_BYTES:
        raise InvalidRequest(f"{path} is larger than the {MAX_CARD_BYTES} bytes allowed for a card or catalogue")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text") from None


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{where} is not TOML: {error}") from None


def _anchored(card: dict[str, Any], base: Path | None) -> dict[str, Any]:
    """The card with its relative paths made absolute, so that they mean the same in any working directory."""
    sources = card.get("sources")
    if base is None or not isinstance(sources, list):
        return card
    absolute = [
        str((base / source).absolute())
        if isinstance(source, str) and source.strip() and "://" not in source and not source.startswith("~")
        else source
        for source in sources
    ]
    return card | {"sources": absolute}


def _only_onnx(folder: Path) -> str:
    found = sorted(file.name for file in folder.glob("*.onnx"))
    if len(found) != 1:
        raise InvalidRequest(
            f"{folder / CARD_FILE} has no sources, and {len(found)} .onnx files lie beside it where one is needed; "
            "name the file in sources"
        )
    return found[0]


def _explain(where: str, error: ValidationError) -> str:
    problems = [f"{'.'.join(map(str, entry['loc'])) or 'as a whole'}: {entry['msg']}" for entry in error.errors()]
    return f"{where} is wrong: " + "; ".join(problems)
