"""`shizi serve` as it is, but for an engine that reads without models: `python -m tests.serving.fake_serve JSON`.

The argument holds values of the command's options, by their names in Python.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from shizi.cli.serve_options import serve_options
from shizi.engine.fake import OPENER
from shizi.serving.process import run
from shizi.settings import from_environment


def main() -> None:
    options = serve_options(json.loads(sys.argv[1]), from_environment(os.environ))
    looked_after = options.engines.local
    assert looked_after is not None
    supervisor = dataclasses.replace(
        looked_after,
        reader=dataclasses.replace(looked_after.reader, opener=OPENER),
        host=dataclasses.replace(looked_after.host, warmup_batches=0),
    )
    engines = dataclasses.replace(options.engines, local=supervisor)
    run(dataclasses.replace(options, engines=engines), lambda line: print(line, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
