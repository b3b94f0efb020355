"""Simplified or traditional Chinese: a page is written in one script, and its text settles what is doubtful between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from shizi.models.ctc import Reading
from shizi.models.han import Script, forms
from shizi.pipeline.draft import Draft

# From this probability on the other form is possible (docs/decisions/reading.md).
_POSSIBLE = 0.05
# A page is written in one script where so many of its characters say so, and so many times as many as speak against it.
_ENOUGH, _CLEARLY = 5, 10


def agree(draft: Draft, languages: Collection[str] | None = None) -> None:
    """Gives doubtful characters the form of the page's script, and every character that agrees the probability of both forms.

    Names keep a form of their own where the network had no doubt. Japanese is written with forms of both: kana speak against either.

    Args:
        draft: its readings are replaced.
        languages: that were asked for; None for all.
    """
    if languages is not None and not {"zh", "zh-Hant"} & set(languages):
        return
    keys = [key for line, turn in enumerate(draft.turns) if (key := (line, int(turn))) in draft.readings]
    doubtful = [key for key in keys if max(draft.readings[key].others, default=0) >= _POSSIBLE]
    script = _script(draft.readings[key] for key in keys) if doubtful else None
    if script is not None:
        for key in doubtful:
            draft.readings[key] = _written_in(script, draft.readings[key])


def _script(readings: Iterable[Reading]) -> Script | None:
    """The script of the characters that were read without doubt; None where they are few, or do not agree."""
    known = forms()
    votes: Counter[Script] = Counter()
    kana = 0
    for reading in readings:
        for position, character in enumerate(reading.characters):
            if character in known and not _is_doubtful(reading, position):
                votes[known[character].script] += 1
            kana += _is_kana(character)
    script: Script = "simplified" if votes["simplified"] >= votes["traditional"] else "traditional"
    against = kana + votes.total() - votes[script]
    return script if votes[script] >= max(_ENOUGH, _CLEARLY * against) else None


def _written_in(script: Script, reading: Reading) -> Reading:
    """Where two columns beside each other showed one character in either form, one of them is left."""
    known = forms()
    kept: list[int] = []
    characters, scores, ends = list(reading.characters), list(reading.scores), list(reading.ends)
    for position, character in enumerate(reading.characters):
        if _is_doubtful(reading, position):
            form = known[character]
            if form.script != script and form.other is not None:
                characters[position] = form.other
            scores[position] = min(1.0, scores[position] + reading.others[position])
            before = kept[-1] if kept else position
            if (
                before != position
                and _is_doubtful(reading, before)
                and characters[before] == characters[position]
                and reading.characters[before] != character
                and ends[before] == reading.starts[position]
            ):
                scores[before], ends[before] = max(scores[before], scores[position]), ends[position]
                continue
        kept.append(position)
    return Reading(
        tuple(characters[k] for k in kept),
        tuple(scores[k] for k in kept),
        tuple(reading.starts[k] for k in kept),
        tuple(ends[k] for k in kept),
        tuple(reading.others[k] for k in kept),
    )


def _is_doubtful(reading: Reading, position: int) -> bool:
    return bool(reading.others) and reading.others[position] >= _POSSIBLE


def _is_kana(character: str) -> bool:
    """Hiragana and katakana, half-width ones too; not the marks that Chinese text has as well."""
    return ("\u3041" <= character <= "\u30ff" or "\uff66" <= character <= "\uff9d") and character not in "・ーｰ"
