"""Runs inside RapidOCR's own environment: one image path a line in, one JSON object a line out."""

import json
import resource
import sys
import time

from rapidocr import EngineType, RapidOCR


def main() -> None:
    """Argument: onnxruntime or openvino; everything else as the package's defaults are."""
    engine = EngineType(sys.argv[1])
    params = {
        "Det.engine_type": engine,
        "Cls.engine_type": engine,
        "Rec.engine_type": engine,
        "Global.log_level": "critical",
    }
    ocr = RapidOCR(params=params)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        result = ocr(line.strip())
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"lines": list(result.txts or ()), "seconds": seconds, "peak_mb": peak}), flush=True)


main()
