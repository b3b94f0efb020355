"""Which way a page lies: decided from the shapes of its lines and from trial readings of a few of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shizi.geometry import sizes
from shizi.pipeline.draft import CLEARLY_LONG, TALL, Draft
from shizi.pipeline.reader import LineReader, weight

_SAMPLE = 4
# A trial that reads this surely, and this many characters per square of its lines, needs no other trial: upside-down text yields
# sure but few characters.
_SURE, _DENSE = 0.92, 0.75
# The other way up must yield this many times as much: a page is upright more often than not.
_MARGIN = 1.2


def orient(drafts: Sequence[Draft], reader: LineReader) -> None:
    """Sets `quarters` of each draft and the `turns` of its lines. Trial readings are kept and not made again."""
    samples = {id(draft): _sample(draft) for draft in drafts}
    first = {id(draft): int(draft.tall[samples[id(draft)]][:1].sum()) for draft in drafts}
    reader.read((draft, line, first[id(draft)]) for draft in drafts for line in samples[id(draft)])
    unsure = [draft for draft in drafts if not _reads_well(draft, samples[id(draft)], first[id(draft)])]
    reader.read((draft, line, (first[id(draft)] + 2) % 4) for draft in unsure for line in samples[id(draft)])
    for draft in drafts:
        sample, turn = samples[id(draft)], first[id(draft)]
        if draft in unsure and _total(draft, sample, (turn + 2) % 4) > _MARGIN * _total(draft, sample, turn):
            turn = (turn + 2) % 4
        _turn_lines(draft, turn)


def orient_by_classifier(draft: Draft, reader: LineReader) -> None:
    """Sets turns and `quarters` where nothing is to be read: by the direction classifier alone."""
    lines = range(len(draft.quads))
    flipped = reader.upside_down([(draft, line, int(draft.turns[line])) for line in lines])
    draft.turns = (draft.turns + 2 * np.array(flipped, dtype=np.intp)) % 4
    draft.quarters = (
        int(np.bincount(draft.turns, weights=draft.aspects, minlength=4).argmax()) if len(draft.turns) else 0
    )


def settle(draft: Draft) -> None:
    """A page of vertical lines is upright: takes back the quarter-turn that their shape suggested."""
    if draft.quarters == 1 and 2 * draft.vertical[draft.tall].sum() > draft.tall.sum():
        draft.quarters = 0


def _turn_lines(draft: Draft, turn: int) -> None:
    """Applies the sample's turn to all lines of its kind; the other kind lies a quarter-turn away from the page's text."""
    draft.quarters = turn
    widths, heights = sizes(draft.quads)
    other = widths >= TALL * heights if turn % 2 else draft.tall
    draft.turns = np.where(other, (turn + 1) % 4 if turn % 2 == 0 else 0, turn).astype(np.intp)


def _sample(draft: Draft) -> list[int]:
    """A few long lines of the prevailing kind (lying or standing), not too long to be quick to read."""
    tall, aspects = draft.tall, draft.aspects
    # A single narrow glyph is tall as well: only clearly long lines vote for a standing page.
    standing = aspects[tall & (aspects >= CLEARLY_LONG)].sum() > aspects[~tall].sum()
    members = np.flatnonzero(tall if standing else ~tall)
    order = members[np.argsort(-np.minimum(aspects[members], 12) * draft.scores[members], kind="stable")]
    return [int(line) for line in order[:_SAMPLE]]


def _reads_well(draft: Draft, sample: list[int], turn: int) -> bool:
    # Spaces count for nothing: upside-down text yields many, and sure ones.
    read = (char for line in sample for char in draft.readings[line, turn].characters)
    characters = sum(not char.isspace() for char in read)
    squares = float(draft.aspects[sample].sum())
    return _total(draft, sample, turn) >= _SURE * max(characters, 1) and characters >= _DENSE * squares


def _total(draft: Draft, sample: list[int], turn: int) -> float:
    return sum(weight(draft, line, turn) for line in sample)
