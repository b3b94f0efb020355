"""Runs Tesseract once per image, as its command line does: one image path a line in, one JSON object a line out."""

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    """Argument: the languages (eng+chi_sim)."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        done = subprocess.run(["tesseract", line.strip(), "-", "-l", sys.argv[1]], capture_output=True, text=True)
        seconds = time.perf_counter() - start
        lines = [text for text in done.stdout.splitlines() if text.strip()]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(json.dumps({"lines": lines, "seconds": seconds, "peak_mb": peak}), flush=True)


main()
