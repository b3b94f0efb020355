"""The characters that a recogniser knows, and those that a language is written with."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.models.onnx_file import read_metadata

_ASCII = "abcdefghijklmnopqrstuvwxyz"
_HAN = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
_KANA = ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))
_HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))
_CYRILLIC = ((0x0400, 0x052F),)
_ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))
_DEVANAGARI = ((0x0900, 0x097F),)
# Signs that only East Asian text is set with; other signs, digits and spaces belong to every language.
_WIDE_SIGNS = ((0x3000, 0x303F), (0x30FB, 0x30FC), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))

_IN_CYRILLIC = (
    "ru uk be bg sr mk kk ky mn tg abq ady av ba bua ce cv dar inh kaa kbd kv lbe lez mhr os"
    " ro-Cyrl sah tab tt tyv udm xal"
)
_IN_ARABIC = "ar fa ur ug ps sd bal ku-Arab"
_IN_DEVANAGARI = "hi mr ne sa anp bgc bh bho gom mag mai new sck"

_Ranges = tuple[tuple[int, int], ...]
_SCRIPTS: dict[str, _Ranges] = {
    "zh": _HAN + _WIDE_SIGNS,
    "zh-Hant": _HAN + _WIDE_SIGNS,
    "ja": _HAN + _KANA + _WIDE_SIGNS,
    "ko": _HANGUL + _WIDE_SIGNS,
    **dict.fromkeys(_IN_CYRILLIC.split(), _CYRILLIC),
    **dict.fromkeys(_IN_ARABIC.split(), _ARABIC),
    **dict.fromkeys(_IN_DEVANAGARI.split(), _DEVANAGARI),
    "el": ((0x0370, 0x03FF), (0x1F00, 0x1FFF)),
    "th": ((0x0E00, 0x0E7F),),
    "ta": ((0x0B80, 0x0BFF),),
    "te": ((0x0C00, 0x0C7F),),
}
# Letters beyond a to z, in lower case. A to Z belongs to every language: its documents carry units, codes and names.
_LATIN = {
    "en": "", "af": "áèéêëíîïóôöúû", "az": "çəğıöşü", "bs": "čćđšž", "ca": "àçèéíïòóúü·", "cs": "áčďéěíňóřšťúůýž",
    "cy": "âêîôûŵŷáéíóúẃýàèìòùẁỳäëïöüẅÿ", "da": "æøåé", "de": "äöüß", "es": "áéíñóúü", "et": "äõöüšž", "eu": "ñçü",
    "fi": "äöåšž", "fr": "àâæçéèêëîïôœùûüÿ", "ga": "áéíóú", "gl": "áéíïñóúü", "hr": "čćđšž", "hu": "áéíóöőúüű", "id": "é",
    "is": "áðéíóúýþæö", "it": "àèéìíîòóùú", "ku": "çêîşû", "la": "āēīōūȳæœ", "lb": "äëéöü", "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž", "mi": "āēīōū", "ms": "é", "mt": "ċġħżàèìòù", "nl": "áéëïóöúüĳ", "no": "æøåàéèêóòôü",
    "oc": "àáçèéíïòóúü", "pi": "āīūṁṃṅñṭḍṇḷ", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõúü", "qu": "ñ", "rm": "àèéìòù",
    "ro": "ăâîșțşţ", "sr-Latn": "čćđšž", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "sq": "çë", "sv": "åäöé", "sw": "",
    "tl": "ñáéíóúàèìòùâêîôû", "tr": "çğıöşüâîû", "uz": "ʻʼ",
    "vi": "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charset:
    """A recogniser's characters by class; class 0 is the CTC blank and reads as the empty string."""

    characters: tuple[str, ...]

    def allowed(self, languages: Collection[str]) -> NDArray[np.intp]:
        """Classes that text in these languages needs, ascending, the blank among them: (K,).

        Raises:
            InvalidRequest: a language is unknown.
        """
        ranges: list[tuple[int, int]] = []
        letters = set(_ASCII + _ASCII.upper())
        for language in languages:
            if language not in known_languages():
                raise InvalidRequest(f"language {language!r} is unknown; known are {', '.join(known_languages())}")
            ranges.extend(_SCRIPTS.get(language, ()))
            letters.update(_both_cases(_LATIN.get(language, "")))
        keep = [not text or all(_belongs(char, letters, ranges) for char in text) for text in self.characters]
        return np.flatnonzero(keep)


def known_languages() -> tuple[str, ...]:
    """Every language that a decoder can be restricted to (BCP 47 tags), whichever model reads it."""
    return tuple(sorted({*_SCRIPTS, *_LATIN}))


def canonical(language: str) -> str:
    """The tag as the catalogue writes it: case does not matter, nor does a region, but for Chinese a region says the script."""
    parts = language.replace("_", "-").lower().split("-")
    if parts[0] == "zh":
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) else "zh"
    exact = {known.lower(): known for known in known_languages()}
    tag = "-".join(parts)
    return exact.get(tag) or exact.get(parts[0], language)


def read_charset(model: Path, location: str, classes: int | None = None) -> Charset:
    """A recogniser's characters: from the ONNX file's own metadata (`metadata:KEY`) or a text file beside it (`file:NAME`).

    One character a line, in the order of the classes; the blank comes first and, where the model has one class more, the space
    last (PaddleOCR's convention).

    Raises:
        ModelLoadFailed: there is no such list.
    """
    kind, _, name = location.partition(":")
    if kind == "metadata":
        try:
            listed = read_metadata(model.read_bytes()).get(name)
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise ModelLoadFailed(f"{model} is not an ONNX file: {error}") from error
    elif kind == "file":
        file = model.parent / name
        listed = file.read_text(encoding="utf-8") if file.is_file() else None
    else:
        raise ModelLoadFailed(f"charset {location!r} of {model.name} is neither 'metadata:KEY' nor 'file:NAME'")
    if listed is None:
        raise ModelLoadFailed(f"{model.name} has no list of characters at {location!r}")
    characters = ("", *listed.rstrip("\n").split("\n"))
    if classes is None or len(characters) + 1 == classes:
        characters = (*characters, " ")
    if classes is not None and len(characters) != classes:
        raise ModelLoadFailed(
            f"{model.name} has {classes} classes, but {location!r} lists {len(characters)} characters"
        )
    return Charset(characters)


def _both_cases(letters: str) -> str:
    # upper() makes "SS" of "ß" and two characters of "ŉ": only one-to-one pairs are letters of their own
    return letters + "".join(upper for char in letters if len(upper := char.upper()) == 1)


def _belongs(char: str, letters: set[str], ranges: Collection[tuple[int, int]]) -> bool:
    code = ord(char)
    if char in letters or any(low <= code <= high for low, high in ranges):
        return True
    if unicodedata.category(char)[0] in "LM":
        return False
    return not any(low <= code <= high for low, high in _WIDE_SIGNS)
