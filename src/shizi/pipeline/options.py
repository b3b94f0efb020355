"""What one request asks of the engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from shizi.errors import InvalidRequest

TextLayerUse = Literal["auto", "ignore", "only"]

# Of lines drawn small, blurred and noisy, no more than three character pairs in ten were right where the mean probability of the
# characters was below it, and half of them from 0.75 on (docs/decisions/reading.md).
_MIN_SCORE = 0.7
# One straight stroke with nothing beside it may be a border, a tick or a slash. Of 373 figures 1 drawn alone in the cells of forms
# all had .97 and more, of 409 other strokes that were read as 1 with .7 and more 51 (docs/decisions/reading.md).
_STROKES = frozenset("1lI|/\\-一丨")
_MIN_STROKE_SCORE = 0.97


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """See `OCR.read`."""

    detect: bool = True
    classify: bool = True
    recognize: bool = True
    pages: Collection[int] | None = None
    languages: Sequence[str] | None = None
    password: str | None = None
    text_layer: TextLayerUse = "auto"
    min_score: float | None = None

    def __post_init__(self) -> None:
        """Refuses a score that no line can have."""
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise InvalidRequest(f"min_score is {self.min_score}; it must be between 0 and 1")

    @property
    def least_score(self) -> float:
        """Lines below it are left out; of a ready-cut line somebody said that it is text."""
        if self.min_score is not None:
            return self.min_score
        return _MIN_SCORE if self.detect else 0.0

    def keeps(self, text: str, score: float) -> bool:
        """Whether a line that was read so surely is part of the result."""
        lone = self.detect and self.min_score is None and text in _STROKES
        return score >= (_MIN_STROKE_SCORE if lone else self.least_score)
