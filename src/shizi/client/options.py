"""How a client asks, and what may be asked of a document."""

from __future__ import annotations

import math
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import TypedDict

from shizi.errors import InvalidRequest
from shizi.pipeline.options import TextLayerUse


class ReadKeywords(TypedDict, total=False):
    """The keyword arguments of `OCR.read`: the fields of `ReadOptions`."""

    detect: bool
    classify: bool
    recognize: bool
    pages: Collection[int] | None
    languages: Sequence[str] | None
    password: str | None
    text_layer: TextLayerUse
    min_score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Bounds and manners of a client; none is unlimited.

    Attributes:
        timeout_s: seconds of one call in all: its upload, the server's work, the answer, pauses and further attempts. A call
            that gives the server a longer time for its document has a minute more than that.
        connect_timeout_s: seconds until a connection stands.
        attempts: times that a call is tried where the server did not begin it: nobody listens, 429, 503.
        longest_pause_s: seconds between two attempts; a server that asks for a longer pause (Retry-After) is not asked again.
        max_answer_bytes: of one answer.
        concurrency: calls at a time, and connections.
        tls: how servers are known; default: the certificates that httpx brings, those of the system, and SSL_CERT_FILE.
            A private authority is `ssl.create_default_context(cafile=…)`; `load_cert_chain` adds a client's certificate.
    """

    timeout_s: float = 300.0
    connect_timeout_s: float = 10.0
    attempts: int = 5
    longest_pause_s: float = 60.0
    max_answer_bytes: int = 256 * 2**20
    concurrency: int = 4
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuses bounds that bound nothing."""
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name != "tls" and not (0 < value < math.inf):
                raise InvalidRequest(f"{entry.name} is {value}; it must be above zero, and finite")
