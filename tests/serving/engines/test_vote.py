from __future__ import annotations

from shizi.serving.engines.vote import agreed
from shizi.types import ModelInfo

OLD, NEW = ((ModelInfo("recognize", "r", version, version * 64),) for version in ("1", "2"))


def test_most_engines_win() -> None:
    assert agreed([NEW, OLD, OLD], ()) == OLD
    assert agreed([NEW, OLD, OLD], NEW) == OLD
    assert agreed([NEW, OLD, NEW], OLD) == NEW


def test_between_equals_nothing_changes_and_at_first_the_one_named_first_wins() -> None:
    assert agreed([NEW, OLD], ()) == NEW
    assert agreed([NEW, OLD], OLD) == OLD
    assert agreed([NEW, OLD], NEW) == NEW


def test_who_said_nothing_has_no_vote() -> None:
    assert agreed([(), (), OLD], ()) == OLD
    assert agreed([(), ()], OLD) == ()
    assert agreed([], OLD) == ()
