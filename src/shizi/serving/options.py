"""Every bound and switch of the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shizi.imaging.limits import Limits
from shizi.serving.uploads import UploadLimits

LONGEST_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How requests are answered.

    Attributes:
        version: of shizi, for `/v1/capabilities` and the API's description.
        limits: bounds of one document.
        uploads: bounds of one request's body; its max_bytes is that of `limits`.
        request_timeout_s: seconds for a document where the client asks for nothing else, from the end of its upload.
        longest_timeout_s: seconds that a client may ask for.
        preview_side: pixels of the longer side to which a page is reduced for a preview.
        documents: documents that are read at the same time; the rest wait. Each takes a decoding process.
        drawings: results that show the pages (pdf, annotated) made at the same time; each takes a process.
        threads: threads for what may wait for a disk: uploads and results.
        docs: whether `/openapi.json` and `/docs` are there.
        internal_apart: whether `/metrics`, `/openapi.json` and `/docs` are only on the internal address.
        ui: folder of the built web page; None for a server without one.
        linger_s: seconds that a refused upload is still taken, so that its sender sees the answer.
        linger_bytes: bytes of it.
    """

    version: str
    limits: Limits = field(default_factory=Limits)
    uploads: UploadLimits = field(default_factory=UploadLimits)
    request_timeout_s: float = 30.0
    longest_timeout_s: float = LONGEST_TIMEOUT_S
    preview_side: int = 1280
    documents: int = 4
    drawings: int = 2
    threads: int = 8
    docs: bool = True
    internal_apart: bool = False
    ui: Path | None = None
    linger_s: float = 2.0
    linger_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where and how the server listens.

    Attributes:
        host: address of a network card, or a name that resolves to one.
        port: 0 for any that is free.
        internal_host: a second address, for metrics and the API's description.
        internal_port: of it; None for no second address.
        pre_stop_s: seconds after SIGTERM in which requests are still taken while `/readyz` says 503, so that a load
            balancer has gone elsewhere before the door closes.
        drain_s: seconds after that in which requests that were taken may end.
        taking_timeout_s: seconds in which a client must take 32 KiB of an answer that waits for it.
        head_timeout_s: seconds for a request's head, from the connection or its first byte to its end.
        keep_alive_s: seconds that a connection may wait for its next request; longer than a load balancer's own.
        max_connections: connections at the same time; one more is answered 503.
        max_head_bytes: bytes of a request's line and headers.
        backlog: connections that the system holds until they are taken.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    internal_host: str = "127.0.0.1"
    internal_port: int | None = None
    pre_stop_s: float = 5.0
    drain_s: float = 60.0
    head_timeout_s: float = 10.0
    taking_timeout_s: float = 60.0
    keep_alive_s: float = 75.0
    max_connections: int = 1000
    max_head_bytes: int = 32 * 1024
    backlog: int = 512
