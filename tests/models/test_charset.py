"""Characters of a recogniser: where they are listed, and which a language needs."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.models.charset import Charset, canonical, known_languages, read_charset
from shizi.models.store import ModelStore
from tests.models.fakes import reader_file
from tests.models.real import recognizer
from tests.runtime.onnx_file import doubling, entry

ALL = Charset(("", *"azAZ09 .,%¥中国國あアー한жαßéñş（。、ａ🙂"))


def kept(*languages: str) -> str:
    return "".join(ALL.characters[index] for index in ALL.allowed(languages))


@pytest.mark.parametrize(
    ("languages", "characters"),
    [
        (("en",), "azAZ09 .,%¥🙂"),
        (("zh",), "azAZ09 .,%¥中国國ー（。、ａ🙂"),
        (("zh", "en"), "azAZ09 .,%¥中国國ー（。、ａ🙂"),
        (("ja",), "azAZ09 .,%¥中国國あアー（。、ａ🙂"),
        (("ko",), "azAZ09 .,%¥ー한（。、ａ🙂"),
        (("de",), "azAZ09 .,%¥ß🙂"),
        (("fr", "es"), "azAZ09 .,%¥éñ🙂"),
        (("tr",), "azAZ09 .,%¥ş🙂"),
        (("ru",), "azAZ09 .,%¥ж🙂"),
        (("el",), "azAZ09 .,%¥α🙂"),
    ],
)
def test_a_language_keeps_what_it_is_written_with(languages: tuple[str, ...], characters: str) -> None:
    assert kept(*languages) == characters


@pytest.mark.parametrize("language", known_languages())
def test_every_language_keeps_the_blank_digits_and_signs_in_ascending_order(language: str) -> None:
    allowed = ALL.allowed([language]).tolist()
    assert allowed == sorted(set(allowed))
    assert allowed[0] == 0
    assert set("azAZ09 .,%") <= {ALL.characters[index] for index in allowed}


@pytest.mark.parametrize(
    ("given_as", "tag"),
    [
        ("zh", "zh"),
        ("ZH", "zh"),
        ("zh-CN", "zh"),
        ("zh_CN", "zh"),
        ("zh-Hans-CN", "zh"),
        ("zh_TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("ZH-HANT", "zh-Hant"),
        ("en-US", "en"),
        ("EN_gb", "en"),
        ("sr-latn", "sr-Latn"),
        ("sr-RS", "sr"),
        ("KU-ARAB", "ku-Arab"),
        ("pt-BR", "pt"),
        ("tlh", "tlh"),
        ("", ""),
    ],
)
def test_tags_are_understood_however_they_are_written(given_as: str, tag: str) -> None:
    assert canonical(given_as) == tag


@pytest.mark.parametrize("language", known_languages())
def test_known_tags_stay_what_they_are(language: str) -> None:
    assert canonical(language) == canonical(language.upper().replace("-", "_")) == language


def test_an_unknown_language_is_named_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match=r"language 'klingon' is unknown; known are .*, de, .*, en, .*, zh-Hant"):
        ALL.allowed(("en", "klingon"))


def test_every_language_of_the_catalogue_can_be_asked_for() -> None:
    spoken = {language for card in ModelStore().catalog.models.values() for language in card.languages}
    assert spoken <= set(known_languages())


def test_the_real_recogniser_reads_chinese_and_english_letters() -> None:
    characters = recognizer().charset.characters
    assert (characters[0], characters[-1], len(set(characters))) == ("", " ", len(characters))
    assert set("识字發票元￥Aaé") <= set(characters)
    english = recognizer().charset.allowed(["en"])
    assert not any("CJK" in unicodedata.name(characters[index][:1] or " ", "") for index in english)


def test_the_list_stands_in_the_model_itself(tmp_path: Path) -> None:
    model = doubling(tmp_path / "m.onnx", {"other": "x\ny", "character": "a\n中\n#"})
    assert read_charset(model, "metadata:character").characters == ("", "a", "中", "#", " ")


def test_a_class_more_than_listed_is_the_space(tmp_path: Path) -> None:
    model = reader_file(tmp_path, "ab")
    assert read_charset(model, "metadata:character", 4).characters == ("", "a", "b", " ")
    assert read_charset(model, "metadata:character", 3).characters == ("", "a", "b")
    with pytest.raises(ModelLoadFailed, match=r"reader\.onnx has 9 classes, but .* lists 3"):
        read_charset(model, "metadata:character", 9)


def test_the_list_stands_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("x\ny\n", encoding="utf-8")
    assert read_charset(tmp_path / "m.onnx", "file:letters.txt").characters == ("", "x", "y", " ")


@pytest.mark.parametrize("location", ["metadata:absent", "file:absent.txt", "elsewhere"])
def test_a_list_that_is_not_there(tmp_path: Path, location: str) -> None:
    with pytest.raises(ModelLoadFailed, match=r"reader\.onnx"):
        read_charset(reader_file(tmp_path), location)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match=r"absent\.onnx"):
        read_charset(tmp_path / "absent.onnx", "metadata:character")


def read(path: Path, data: bytes) -> None:
    """Reads, or says that it cannot; any other error is the test's."""
    path.write_bytes(data)
    with suppress(ModelLoadFailed):
        assert all(isinstance(text, str) for text in read_charset(path, "metadata:character").characters)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_is_no_other_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    whole = bytearray(doubling(path, {"character": "a\nb\n中", "more": "x"}).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    read(path, bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@given(st.binary(max_size=200))
def test_any_bytes_are_no_other_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.onnx"
    read(path, junk)
    read(path, entry(14, junk))
    read(path, entry(14, entry(1, "character") + entry(2, junk)))
