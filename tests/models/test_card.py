from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shizi.errors import InvalidRequest, NotFound
from shizi.models.card import DEFAULT_TIER, Card, Catalog, load_card, load_catalog
from shizi.models.sources import Url, WheelMember

HASH = "0123456789abcdef" * 4
CARD = f"""
name = "mine"
task = "recognize"
version = "1"
sha256 = "{HASH}"
licence = "Apache-2.0"
origin = "https://example.org/mine"
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def fields(**changes: object) -> dict[str, Any]:
    return {
        "name": "mine",
        "task": "recognize",
        "version": "1",
        "sha256": HASH,
        "licence": "MIT",
        "origin": "me",
    } | changes


def test_the_default_models_come_from_the_package_index_and_else_by_https(catalog: Catalog) -> None:
    for name in catalog.tier(DEFAULT_TIER).names:
        first, second = catalog.card(name).parsed
        assert isinstance(first, WheelMember)
        assert first.requirement == "rapidocr==3.10.0"
        assert isinstance(second, Url)
        assert second.url.startswith("https://")


def test_the_default_recogniser_is_described_as_it_is(catalog: Catalog) -> None:
    card = catalog.card("ppocrv6-small-rec")

    assert card.sha256 == "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
    assert (card.size, card.classes, card.charset) == (21234383, 18710, "metadata:character")
    assert (card.input.height, card.input.width, card.input.channels) == (48, None, "bgr")
    assert len(card.languages) == 50
    assert {"zh", "zh-Hant", "en", "ja", "de", "sr-Latn", "vi"} <= set(card.languages)


def test_the_tiny_recogniser_reads_no_japanese(catalog: Catalog) -> None:
    small, tiny = (set(catalog.card(f"ppocrv6-{size}-rec").languages) for size in ("small", "tiny"))

    assert small - tiny == {"ja"}


def test_the_tiers_are_complete(catalog: Catalog) -> None:
    assert set(catalog.tiers) >= {"general", "light", "tiny", "medium", "korean", "arabic", "thai"}
    for tier in catalog.tiers.values():
        assert [catalog.card(name).task for name in tier.names] == ["detect", "recognize", "direction"]
    assert catalog.tier("light").recognize == "ppocrv4-mobile-rec"
    assert "ko" in catalog.card(catalog.tier("korean").recognize).languages


def test_every_card_names_a_free_licence_its_maker_and_sane_languages(catalog: Catalog) -> None:
    assert len({card.sha256 for card in catalog.models.values()}) == len(catalog.models)
    for name, card in catalog.models.items():
        assert card.name == name
        assert card.licence == "Apache-2.0"
        assert card.origin.startswith("https://")
        assert card.sources
        assert bool(card.languages) == (card.task == "recognize")
        assert len(set(card.languages)) == len(card.languages)
        assert all(re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", language) for language in card.languages)
        assert (card.charset is not None) == (card.task == "recognize")
        assert (card.input.height is None) == (card.task == "detect")
        assert (card.input.width is None) == (card.task != "direction")
        assert all(0 < value < 1 for value in card.metrics.values())


def test_an_unknown_model_or_tier_is_refused_with_those_that_are_known(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match=r"'nope'.*ppocr-direction.*ppocrv6-small-rec"):
        catalog.card("nope")
    with pytest.raises(NotFound, match=r"'nope'.*general.*tiny"):
        catalog.tier("nope")


def test_a_card_does_not_change(catalog: Catalog) -> None:
    with pytest.raises(ValidationError):
        catalog.card("ppocr-direction").sha256 = "0" * 64


def test_a_recogniser_finds_its_characters_in_the_model_unless_told_otherwise() -> None:
    assert Card.model_validate(fields()).charset == "metadata:character"
    assert Card.model_validate(fields(charset="file:dict.txt")).charset == "file:dict.txt"
    assert Card.model_validate(fields(task="detect")).charset is None


def test_the_hash_is_compared_in_lower_case() -> None:
    assert Card.model_validate(fields(sha256=HASH.upper())).sha256 == HASH


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../etc/passwd"},
        {"name": "Mine"},
        {"name": ""},
        {"task": "dream"},
        {"sha256": "abc"},
        {"size": 0},
        {"licence": ""},
        {"sources": ["http://models.example/a.onnx"]},
        {"sources": ["pypi://mine"]},
        {"input": {"std": [0.5, 0.0, 0.5]}},
        {"input": {"mean": [0.5, float("nan"), 0.5]}},
        {"input": {"height": 0}},
        {"input": {"channels": "grb"}},
        {"charset": "dict.txt"},
        {"charset": "file:dict.txt", "sources": ["https://models.example/a.onnx"]},
        {"task": "detect", "charset": "metadata:character"},
        {"licence_url": "typing errors are not ignored"},
    ],
)
def test_a_card_that_cannot_be_right_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Card.model_validate(fields(**change))


def test_a_card_of_ones_own_takes_the_only_onnx_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(CARD)
    (tmp_path / "best.onnx").write_bytes(b"x")

    for place in (tmp_path, tmp_path / "card.toml"):
        assert load_card(place).sources == (str(tmp_path / "best.onnx"),)


def test_a_card_without_sources_needs_exactly_one_onnx_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(CARD)
    with pytest.raises(InvalidRequest, match=r"0 \.onnx files"):
        load_card(tmp_path)

    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InvalidRequest, match=r"2 \.onnx files.*name the file in sources"):
        load_card(tmp_path)


def test_paths_in_a_card_are_relative_to_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "card.toml").write_text(CARD + 'sources = ["../w.onnx", "/abs/w.onnx", "https://h.example/w"]')
    monkeypatch.chdir(tmp_path)

    sources = load_card(Path("set")).sources

    assert Path(sources[0]).resolve() == tmp_path / "w.onnx"
    assert sources[1:] == ("/abs/w.onnx", "https://h.example/w")


def test_what_is_wrong_in_a_card_is_named_with_its_file_and_entry(tmp_path: Path) -> None:
    file = tmp_path / "card.toml"
    file.write_text(CARD.replace("recognize", "dream") + 'sources = ["a.onnx"]\nlicense = "MIT"')

    with pytest.raises(InvalidRequest, match=r"card\.toml.*task:.*license:"):
        load_card(file)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"[" * 5000, b"x" * (1 << 21)])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "card.toml"
    file.write_bytes(content)

    with pytest.raises(InvalidRequest, match=r"card\.toml"):
        load_card(file)


def test_a_card_or_catalogue_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "card.toml")
    for path in (tmp_path, tmp_path / "card.toml", Path("/dev/zero")):
        with pytest.raises(InvalidRequest, match="cannot be read: it is no regular file"):
            load_card(path)
    with pytest.raises(InvalidRequest, match="cannot be read: it is no regular file"):
        load_catalog(tmp_path / "card.toml")


def test_a_card_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"card\.toml does not exist"):
        load_card(tmp_path)


@given(st.text(max_size=60))
def test_a_model_may_have_any_name_that_is_a_file_name_and_no_other(name: str) -> None:
    try:
        Card.model_validate(fields(name=name))
    except ValidationError:
        assert not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name, re.ASCII)
    else:
        assert Path(name).name == name


def test_a_catalogue_of_ones_own_is_read_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    table = CARD.replace('name = "mine"', "[models.mine]") + 'sources = ["w.onnx"]'
    (tmp_path / "c.toml").write_text(table)

    card = load_catalog(tmp_path / "c.toml").card("mine")

    assert card.name == "mine"
    assert card.sources == (str(tmp_path / "w.onnx"),)


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        ('detect = "mine"\nrecognize = "mine"\ndirection = "mine"', "uses mine to detect, but its card says recognize"),
        ('detect = "gone"\nrecognize = "mine"\ndirection = "mine"', "names the model gone, which has no card"),
        ('recognize = "mine"', "tiers.t.detect"),
    ],
)
def test_a_tier_must_be_made_of_models_that_fit(tmp_path: Path, tier: str, message: str) -> None:
    table = CARD.replace('name = "mine"', "[models.mine]")
    (tmp_path / "c.toml").write_text(f"{table}\n[tiers.t]\n{tier}\n")

    with pytest.raises(InvalidRequest, match=message):
        load_catalog(tmp_path / "c.toml")


@pytest.mark.parametrize("text", ["", "models = 3", "[models]\nmine = 3", "models = []"])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.toml").write_text(text)

    with pytest.raises(InvalidRequest, match=r"c\.toml is wrong: models"):
        load_catalog(tmp_path / "c.toml")
