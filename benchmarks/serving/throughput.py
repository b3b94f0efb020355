"""How many pages a second come through HTTP, beside the bare engine and beside RapidOCR behind FastAPI, in turn."""

from __future__ import annotations

import statistics
import subprocess
import time
import venv
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.serving.asking import Client, side_by_side
from benchmarks.serving.process import Server, free_port, shizi_serve
from benchmarks.serving.report import Report
from shizi import OCR
from shizi.errors import ShiziError

HERE = Path(__file__).resolve().parent.parent
PACKAGES = ("rapidocr==3.10.0", "onnxruntime", "openvino")
WEB = ("fastapi", "uvicorn", "python-multipart")
LEAST_OF_BARE, LEAST_OF_PEER = 0.95, 5.0
PEERS = ("onnxruntime", "openvino", "none")
NO_STORE = {"Cache-Control": "no-store"}


def throughput(
    documents: Sequence[bytes], *, requests: int, clients: int, rounds: int, peer: str, peers: Path
) -> Report:
    """Rounds in which each system reads the same documents, one system after the other.

    Args:
        documents: in turn.
        requests: of one round, for each system.
        clients: that wait for their answers, each with one request at a time.
        rounds: how many.
        peer: runtime of RapidOCR; "none" leaves it out.
        peers: folder of its environment.

    Raises:
        SystemExit: an answer was not 200.
    """
    with ExitStack() as stack:
        server = stack.enter_context(shizi_serve("--max-queue-size", "1000", "--request-timeout", "600"))
        systems: dict[str, Callable[[], float]] = {
            "bare": _bare(stack.enter_context(OCR()), documents, requests),
            "shizi serve": _over_http(server.until_ready().port, "/v1/ocr", documents, requests, clients),
        }
        if peer != "none":
            other = stack.enter_context(_peer(peers, peer)).until_ready()
            systems["RapidOCR behind FastAPI"] = _over_http(other.port, "/ocr", documents, requests, clients)
        for measure in systems.values():
            measure()  # warm-up
        rates: dict[str, list[float]] = {name: [] for name in systems}
        for number in range(rounds):
            for name in list(systems)[:: 1 if number % 2 == 0 else -1]:
                rates[name].append(systems[name]())
    return _report(rates, clients)


def _report(rates: dict[str, list[float]], clients: int) -> Report:
    report = Report(f"throughput with {clients} clients (pages a second, by round)", dict(rates))
    served = rates.pop("shizi serve")
    for name, least in (("bare", LEAST_OF_BARE), ("RapidOCR behind FastAPI", LEAST_OF_PEER)):
        if name in rates:
            ratios = [ours / theirs for ours, theirs in zip(served, rates[name], strict=True)]
            report.figures[f"shizi serve ÷ {name}, by round"] = ratios
            report.at_least(f"shizi serve ÷ {name}, median", statistics.median(ratios), least)
    return report


def _bare(ocr: OCR, documents: Sequence[bytes], requests: int) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        for document in ocr.read_many(documents[number % len(documents)] for number in range(requests)):
            if isinstance(document, ShiziError):
                raise SystemExit(f"the bare engine: {document}")
        return requests / (time.perf_counter() - start)

    return measure


def _over_http(port: int, path: str, documents: Sequence[bytes], requests: int, clients: int) -> Callable[[], float]:
    def measure() -> float:
        outcome = side_by_side(lambda: Client(port, path, NO_STORE), documents, requests, clients)
        wrong = {answer.status for answer in outcome.answers} - {200}
        if wrong:
            raise SystemExit(f"{path} answered {sorted(wrong)}")
        return outcome.rate

    return measure


def _peer(folder: Path, engine: str) -> Server:
    """RapidOCR in its environment, which is made and completed the first time."""
    python = folder / "rapidocr" / "bin" / "python"
    for mark, packages in (("ready", PACKAGES), ("ready-web", WEB)):
        if not (folder / "rapidocr" / mark).exists():
            if mark == "ready":
                venv.create(folder / "rapidocr", with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
            (folder / "rapidocr" / mark).touch()
    port = free_port()
    return Server([str(python), str(HERE / "peers" / "rapidocr_server.py"), str(port), engine], port, "/readyz")
