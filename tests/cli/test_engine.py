"""The real exporters behind the command line."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from shizi.cli.engine import real_tools
from shizi.cli.inputs import Input
from shizi.cli.options import EngineOptions, ReadOptions
from shizi.cli.outputs import Job
from shizi.cli.reading import LINE, Outcome
from shizi.cli.report import ndjson
from shizi.export import to_dict
from shizi.types import Document, Page

ENGINE = EngineOptions(tier="general", runtime="auto", precision="auto")
DOCUMENT = Document((Page(1, 600, 800, text="发票\n"), Page(2, 600, 800, text="two")))


def test_a_document_is_one_line_of_ndjson() -> None:
    tools = real_tools()
    assert not tools.needs_original(LINE)
    data = tools.export(DOCUMENT, LINE, None, ReadOptions(), ENGINE)
    line = ndjson(Outcome(Job(Input('a"b.png', Path("a.png"), PurePath("a.png")), None), data))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert list(json.loads(line)) == ["file", "schema", "text", "pages", "models", "timings_ms"]
    assert json.loads(line) == {"file": 'a"b.png'} | to_dict(DOCUMENT)
