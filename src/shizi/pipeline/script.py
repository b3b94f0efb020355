"""Simplified or traditional Chinese: a page is written in one script, and its text settles what is doubtful between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from shizi.models.ctc import Reading
from shizi.models.han import Script, forms
from shizi.pipeline.draft import Draft

# From this probability on the other form is possible (docs/decisions/reading.md).
_POSSIBLE = 0.05
# A page is written in one script where so many of its characters say so, and so many times as many as speak against it.
_ENOUGH, _CLEARLY = 5, 10


def agree(draft: Draft) -> None:
    """Gives doubtful characters the form of the page's script, and every character that agrees the probability of both forms.

    Names keep a form of their own where the network had no doubt. Japanese is written with forms of both: kana speak against either.
    """
    keys = [(line, int(turn)) for line, turn in enumerate(draft.turns)]
    doubtful = [
        key for key in keys if key in draft.readings and max(draft.readings[key].others, default=0) >= _POSSIBLE
    ]
    if not doubtful:
        return
    script = _script(draft.readings[key] for key in keys if key in draft.readings)
    if script is not None:
        for key in doubtful:
            draft.readings[key] = _written_in(script, draft.readings[key])


def _script(readings: Iterable[Reading]) -> Script | None:
    """The script of the characters that were read without doubt; None where they are few, or do not agree."""
    known = forms()
    votes: Counter[Script] = Counter()
    against = 0
    for reading in readings:
        for position, character in enumerate(reading.characters):
            if character in known and not _is_doubtful(reading, position):
                votes[known[character].script] += 1
            against += "\u3041" <= character <= "\u30ff" and character not in "・ー"
    if not votes:
        return None
    (script, count), *other = votes.most_common()
    against += sum(votes for _, votes in other)
    return script if count >= max(_ENOUGH, _CLEARLY * against) else None


def _written_in(script: Script, reading: Reading) -> Reading:
    known = forms()
    characters, scores = list(reading.characters), list(reading.scores)
    for position, character in enumerate(characters):
        if _is_doubtful(reading, position):
            form = known[character]
            if form.script != script and form.other is not None:
                characters[position] = form.other
            scores[position] = min(1.0, scores[position] + reading.others[position])
    return replace(reading, characters=tuple(characters), scores=tuple(scores))


def _is_doubtful(reading: Reading, position: int) -> bool:
    return bool(reading.others) and reading.others[position] >= _POSSIBLE
