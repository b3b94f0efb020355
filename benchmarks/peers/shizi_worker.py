"""Runs shizi: one image path a line in, one JSON object a line out."""

import json
import resource
import sys
import time
from typing import cast

from shizi import OCR
from shizi.runtime.choose import PrecisionName, RuntimeName


def main() -> None:
    """Arguments: runtime and precision."""
    runtime, precision = cast(RuntimeName, sys.argv[1]), cast(PrecisionName, sys.argv[2])
    ocr = OCR(runtime=runtime, precision=precision)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        document = ocr.read(line.strip())
        seconds = time.perf_counter() - start
        lines = [item.text for page in document.pages for item in page.lines]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answer = {"lines": lines, "seconds": seconds, "peak_mb": peak, "timings_ms": dict(document.timings_ms)}
        print(json.dumps(answer), flush=True)


main()
