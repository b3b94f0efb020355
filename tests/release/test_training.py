from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from datetime import datetime

from PIL import Image

from shizi.release.feedback import FeedbackStore
from shizi.release.training import LINES, write_archive, write_lines
from tests.release.stores import HASH, OTHER_HASH, correction, png

MakeStore = Callable[..., FeedbackStore]


def test_lines_say_what_is_right_and_which_crop_shows_it(store: MakeStore) -> None:
    feedback = store(crops={"*"})
    with_crop, _ = feedback.add("a", "key:1", correction(), png())
    feedback.add("a", "key:1", correction(line=4, document=OTHER_HASH, correction="无图"))
    feedback.add("b", "key:1", correction(correction="FOREIGN"))
    out = io.BytesIO()
    write_lines(feedback, "a", None, out)
    records = [json.loads(line) for line in out.getvalue().decode().splitlines()]
    assert {record["text"]: record["crop"] for record in records} == {
        "Total 120.00 元": f"crops/{with_crop.id}.png",
        "无图": None,
    }
    assert datetime.fromisoformat(records[0]["created"]) == with_crop.created.replace(
        microsecond=with_crop.created.microsecond // 1000 * 1000
    )
    assert records[0]["created"].endswith("Z")
    assert records[0]["polygon"][0] == [120.0, 80.5]
    assert "无图" in out.getvalue().decode()
    only = io.BytesIO()
    write_lines(feedback, "a", HASH, only)
    assert len(only.getvalue().splitlines()) == 1


def test_an_archive_holds_the_crops_that_its_lines_name(store: MakeStore) -> None:
    feedback = store(crops={"*"})
    for line in range(1, 4):
        feedback.add("a", "key:1", correction(line=line), png(20 * line))
    feedback.add("a", "key:1", correction(line=9))
    out = io.BytesIO()
    write_archive(feedback, "a", None, out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        lines = archive.extractfile(LINES)
        assert lines is not None
        records = [json.loads(line) for line in lines]
        names = {record["crop"]: record["line"] for record in records if record["crop"]}
        assert set(archive.getnames()) == {LINES, *names}
        for name, line in names.items():
            crop = archive.extractfile(name)
            assert crop is not None
            assert abs(archive.getmember(name).mtime - time.time()) < 60
            assert Image.open(io.BytesIO(crop.read())).size == (20 * line, 20)
    assert len(records) == 4


def test_nothing_is_an_empty_export(store: MakeStore) -> None:
    out = io.BytesIO()
    write_archive(store(), "a", None, out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        assert archive.getmember(LINES).size == 0
