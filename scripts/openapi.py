"""Writes `web/openapi.json`, from which the web page has its types: `python -m scripts.openapi`; no server is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shizi.serving.app import description
from shizi.serving.options import ServiceOptions
from shizi.serving.service import Service

FILE = Path(__file__).resolve().parent.parent / "web" / "openapi.json"


def text() -> str:
    """The description of a server that has all its parts; of whichever version."""
    part: Any = object()  # a description asks no part of the service
    options = ServiceOptions(version="0")
    service = Service(options, part, part, part, part, part, part, part, part, feedback=part, jobs=part)
    return json.dumps(description(service), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write it."""
    FILE.write_text(text(), encoding="utf-8", newline="\n")
    print(FILE.relative_to(FILE.parent.parent))


if __name__ == "__main__":
    main()
