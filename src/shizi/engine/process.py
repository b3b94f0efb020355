"""An engine as a child process: told by its arguments what to be, and telling on a pipe what becomes of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Final, TextIO

from shizi.engine.options import from_json
from shizi.engine.server import serve
from shizi.errors import ShiziError

FAILED: Final = 69
_STDOUT, _STDERR = 1, 2


def main() -> None:
    """Runs the engine that the last argument describes; lines of JSON on standard output say "listening", "ready" or "failed"."""
    logging.basicConfig(format="shizi engine %(process)d: %(message)s", level=logging.WARNING)
    with _own_output() as output:

        def report(event: str, about: str) -> None:
            print(json.dumps({"event": event, "about": about}), file=output, flush=True)

        try:
            asyncio.run(serve(from_json(sys.argv[-1]), report))
        except ShiziError as error:
            print(json.dumps({"event": "failed", "code": error.code, "about": str(error)}), file=output, flush=True)
            _leave(output, FAILED)
        _leave(output, 0)


def _leave(output: TextIO, code: int) -> None:
    """Ends at once: a page that hangs, or a model that is being loaded, would keep the process for ever."""
    output.flush()
    sys.stderr.flush()
    os._exit(code)


def _own_output() -> TextIO:
    """Standard output for this module alone; what libraries print goes to standard error."""
    own = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    return os.fdopen(own, "w", encoding="utf-8")
