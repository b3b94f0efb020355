"""Lines of the log are never worth a request."""

from __future__ import annotations

import io
import json
import os

import pytest

from shizi.serving.logs import make_log


def test_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    make_log(stream).info("request", status=200)
    assert json.loads(stream.getvalue()) | {"time": ""} == {
        "event": "request",
        "status": 200,
        "level": "info",
        "time": "",
    }


@pytest.mark.parametrize("how", ["closed", "broken pipe"])
def test_a_stream_that_nobody_takes_ends_nothing(how: str) -> None:
    if how == "closed":
        stream = io.StringIO()
        stream.close()
        make_log(stream).warning("lost")
        return
    reader, writer = os.pipe()
    os.close(reader)
    raw = os.fdopen(writer, "wb", buffering=0)
    text = io.TextIOWrapper(raw, write_through=True)
    make_log(text).warning("lost")
    text.detach()
    raw.close()
