"""Which characters are simplified or traditional, and what they are in the other script."""

from __future__ import annotations

import pytest

from shizi.models.han import Form, forms, other_classes


@pytest.mark.parametrize(
    ("traditional", "simplified"), list(zip("黃強編藍貫稅刪戶請門圖報", "黄强编蓝贯税删户请门图报", strict=True))
)
def test_a_character_of_one_script_knows_its_form_in_the_other(traditional: str, simplified: str) -> None:
    assert forms()[traditional] == Form("traditional", simplified)
    assert forms()[simplified] == Form("simplified", traditional)


def test_a_simplified_character_of_several_traditional_ones_has_no_form_of_its_own() -> None:
    assert forms()["发"] == Form("simplified", None)
    assert forms()["發"] == forms()["髮"] == Form("traditional", "发")


@pytest.mark.parametrize("character", [*"中公司人口后里干于乾著aA1、の", "ー"])
def test_what_both_scripts_are_written_with_belongs_to_neither(character: str) -> None:
    assert character not in forms()


def test_classes_know_the_class_of_the_other_form() -> None:
    characters = ["", "a", "黄", "强", "黃", "发", "發", "人"]
    # 強 is not among them, and 发 is the form of more than one.
    assert other_classes(characters).tolist() == [0, 1, 4, 3, 2, 5, 5, 7]
