"""What `shizi serve` is measured by: real processes, on loopback.

    python -m benchmarks.load throughput|overload|identity|flat|rolling [--data DIR] [--json FILE] …

Documents are drawn, or taken from a folder. Exit code 1 where an aim is not met. docs/reliability.md says what each one shows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serving import flat, identity, overload, pictures, rolling, throughput
from benchmarks.serving.process import Server, shizi_serve
from benchmarks.serving.report import Report

PEERS = Path.home() / ".cache" / "shizi-peers"


def _documents(options: argparse.Namespace, drawn: Callable[[int], list[bytes]], count: int) -> list[bytes]:
    return drawn(count) if options.data is None else pictures.given(options.data, options.most)


def _throughput(options: argparse.Namespace) -> Report:
    return throughput.throughput(
        _documents(options, pictures.pages, 16),
        requests=options.requests or 64,
        clients=options.clients or 8,
        rounds=options.rounds or 5,
        peer=options.peer,
        peers=options.peers,
    )


def _overload(options: argparse.Namespace) -> Report:
    return overload.overload(
        _documents(options, pictures.pages, 16),
        times=options.times,
        deadline=options.deadline,
        seconds=options.seconds,
        capacity_s=min(20.0, options.seconds / 3),
        clients=options.clients or 200,
    )


def _identity(options: argparse.Namespace) -> Report:
    with shizi_serve("--max-queue-size", "1000", "--request-timeout", "120") as server:
        return identity.identity(
            server.until_ready(), requests=options.requests or 50_000, clients=options.clients or 32
        )


def _flat(options: argparse.Namespace) -> Report:
    with shizi_serve("--max-queue-size", "1000", "--request-timeout", "120") as server:
        return flat.flat(server.until_ready(), requests=options.requests or 20_000, clients=options.clients or 8)


def _rolling(options: argparse.Namespace) -> Report:
    def start(port: int) -> Server:
        return shizi_serve("--pre-stop", str(rolling.PRE_STOP_S), "--max-queue-size", "1000", port=port)

    return rolling.rolling(
        start,
        _documents(options, pictures.small, 32),
        servers=options.servers,
        rounds=options.rounds or 3,
        clients=options.clients or 8,
    )


RUNS: dict[str, Callable[[argparse.Namespace], Report]] = {
    "throughput": _throughput,
    "overload": _overload,
    "identity": _identity,
    "flat": _flat,
    "rolling": _rolling,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", choices=RUNS, nargs="+")
    parser.add_argument("--data", type=Path, metavar="DIR", help="pictures instead of drawn ones")
    parser.add_argument("--most", type=int, default=16, metavar="N", help="pictures that are taken of it (16)")
    parser.add_argument(
        "--requests", type=int, metavar="N", help="throughput (64 a round), identity (50,000), flat (20,000)"
    )
    parser.add_argument("--clients", type=int, metavar="N", help="8; overload 200; identity 32")
    parser.add_argument("--rounds", type=int, metavar="N", help="throughput (5), rolling (3)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the overload (60)")
    parser.add_argument("--times", type=float, default=3.0, help="of the capacity that overload asks for (3)")
    parser.add_argument("--deadline", type=float, default=5.0, metavar="SECONDS", help="of a request in overload (5)")
    parser.add_argument("--servers", type=int, default=2, metavar="N", help="of rolling (2)")
    parser.add_argument("--peer", choices=throughput.PEERS, default="onnxruntime", help="runtime of RapidOCR")
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="DIR", help="where its environment is")
    parser.add_argument("--json", type=Path, metavar="FOLDER", help="write all figures into files there")
    options = parser.parse_args(arguments)
    met = True
    for name in options.run:
        report = RUNS[name](options)
        print(report.table(), flush=True)
        if options.json is not None:
            report.write(options.json / f"{name}.json")
        met = met and report.holds
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
