"""What a person says that a line should have been read as."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shizi.types import Polygon

_PREFIX: Final = "fb_"
_ID: Final = re.compile(_PREFIX + "[0-9a-f]{44}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A correction as somebody sends it.

    Attributes:
        document: SHA-256 of the file's bytes, in lower-case hexadecimal digits.
        page: counted from 1.
        line: of the page, in reading order, counted from 1.
        polygon: four corners in pixels of the original page, as in the result.
        original: what was read; "" where the line was overlooked.
        correction: what is right; "" where there is no text.
        model: name of the recogniser.
        model_version: of it.
    """

    document: str
    page: int
    line: int
    polygon: Polygon
    original: str
    correction: str
    model: str
    model_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCorrection(Correction):
    """A correction as it is kept.

    Attributes:
        id: unguessable; those of later corrections sort behind it.
        editor: who sent it, within the tenant.
        created: with a time zone.
        crop_bytes: of the picture of the line, a PNG; None where none is kept.
    """

    id: str
    editor: str
    created: datetime
    crop_bytes: int | None


def digest(correction: Correction, editor: str, crop: bytes | None) -> str:
    """SHA-256 of all that was sent: what is sent twice is kept once."""
    said = asdict(correction) | {"editor": editor, "crop": crop and hashlib.sha256(crop).hexdigest()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def new_id(now: float) -> str:
    """Milliseconds and 128 bits of chance."""
    return f"{_PREFIX}{int(now * 1000):012x}{secrets.token_hex(16)}"


def is_id(text: str) -> bool:
    """Whether a correction could have this id."""
    return _ID.fullmatch(text) is not None


def as_plain(kept: KeptCorrection) -> dict[str, Any]:
    """The values of its JSON; times as RFC 3339 has them, in UTC."""
    return {
        "id": kept.id,
        "document": kept.document,
        "page": kept.page,
        "line": kept.line,
        "polygon": [list(corner) for corner in kept.polygon],
        "original": kept.original,
        "correction": kept.correction,
        "model": kept.model,
        "model_version": kept.model_version,
        "editor": kept.editor,
        "created": kept.created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "crop_bytes": kept.crop_bytes,
    }
