"""Servers behind a load balancer (haproxy), ended by SIGTERM and started again one after the other, under load."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.serving.asking import Client
from benchmarks.serving.process import Server, free_port
from benchmarks.serving.report import Report

PLACES = ("/usr/sbin/haproxy", "/usr/local/sbin/haproxy")
LOOK_MS = 200  # between two looks at /readyz; one that fails is enough
PRE_STOP_S = 2.0

# No second try on behalf of the client: what fails here fails there.
_CONFIGURATION = """
global
    maxconn 500
defaults
    mode http
    retries 0
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout queue 30s
frontend clients
    bind 127.0.0.1:{port}
    monitor-uri /readyz
    default_backend servers
backend servers
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter {look}ms fastinter {look}ms downinter {look}ms fall 1 rise 1
{servers}
"""


def haproxy() -> str:
    """Its path.

    Raises:
        SystemExit: it is not installed.
    """
    for place in (shutil.which("haproxy"), *PLACES):
        if place is not None and Path(place).exists():
            return place
    raise SystemExit("haproxy is not installed (Debian: haproxy)")


def rolling(
    start: Callable[[int], Server], documents: Sequence[bytes], *, servers: int, rounds: int, clients: int
) -> Report:
    """Restarts each server so often while clients ask.

    Args:
        start: a server that will listen on a port; it must go on for `PRE_STOP_S` after SIGTERM.
        documents: that the clients send, in turn.
        servers: behind the balancer; at least two.
        rounds: in each of which every server is restarted.
        clients: that ask without a pause.
    """
    ports = [free_port() for _ in range(servers)]
    door = free_port()
    running: list[Server] = []
    codes: list[int] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.callback(lambda: [each.end() for each in running])
        running.extend(start(port) for port in ports)
        for each in running:
            each.until_ready()
        proxy = stack.enter_context(
            Server([haproxy(), "-db", "-f", _configured(Path(folder), door, ports)], door, "/readyz")
        )
        proxy.until_ready()
        time.sleep(3 * LOOK_MS / 1000)
        with _asking(door, documents, clients) as statuses:
            for number in range(rounds * servers):
                place = number % servers
                codes.append(running[place].end())
                running[place] = start(ports[place]).until_ready()
                time.sleep(5 * LOOK_MS / 1000)
    return _report(statuses, codes, servers, clients)


@contextlib.contextmanager
def _asking(port: int, documents: Sequence[bytes], clients: int) -> Iterator[Counter[int]]:
    """Clients that ask until the context ends; the answers by status."""
    statuses: Counter[int] = Counter()
    lock, over = threading.Lock(), threading.Event()

    def work(first: int) -> None:
        with contextlib.closing(Client(port, "/v1/ocr", {"Cache-Control": "no-store"})) as client:
            number = first
            while not over.is_set():
                status = client.ask(documents[number % len(documents)]).status
                number += 1
                with lock:
                    statuses[status] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _configured(folder: Path, door: int, ports: Sequence[int]) -> str:
    file = folder / "haproxy.cfg"
    servers = "\n".join(f"    server s{place} 127.0.0.1:{port}" for place, port in enumerate(ports))
    file.write_text(_CONFIGURATION.format(port=door, look=LOOK_MS, servers=servers))
    return str(file)


def _report(statuses: Counter[int], codes: Sequence[int], servers: int, clients: int) -> Report:
    report = Report(
        f"rolling restart of {servers} servers behind haproxy, {clients} clients",
        {
            "restarts": len(codes),
            "requests": sum(statuses.values()),
            "answers by status": {str(status): count for status, count in sorted(statuses.items())},
        },
    )
    report.at_most("requests that failed", sum(statuses.values()) - statuses[200], 0)
    report.at_most("servers that did not end with 0", sum(code != 0 for code in codes), 0)
    report.at_least("requests while servers were restarted", sum(statuses.values()), 10 * len(codes))
    return report
