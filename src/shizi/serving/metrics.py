"""Prometheus metrics of one service, in a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shizi.types import Document

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120)
_STAGE: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 30, 60)
_BYTES: Final = tuple(4.0**power * 1024 for power in range(10))
_PIXELS: Final = (1e4, 1e5, 3e5, 1e6, 2e6, 4e6, 8e6, 16e6, 32e6, 100e6)
_SCORES: Final = (0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 1)
_PAGES: Final = (1, 2, 3, 5, 10, 20, 50, 100, 500, 2000)


class Numbers(Protocol):
    """What is counted elsewhere, looked at when the metrics are asked for."""

    def gauges(self) -> Iterable[tuple[str, str, Mapping[str, str], float]]:
        """Name (without `shizi_`), meaning, labels and value."""
        ...

    def counters(self) -> Iterable[tuple[str, str, Mapping[str, str], float]]:
        """The same of numbers that only grow; the name without `_total`."""
        ...


class Metrics:
    """What the service counts itself, and what its parts say of themselves.

    Args:
        version: of shizi.
        numbers: of the parts.
    """

    def __init__(self, version: str, numbers: Iterable[Numbers] = ()) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        registry = self.registry
        self.requests = Counter(
            "shizi_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "shizi_request_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=_REQUEST,
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "shizi_stage_seconds", "Stages of one document.", ("stage",), buckets=_STAGE, registry=registry
        )
        self.in_flight = Gauge("shizi_requests_in_flight", "Requests being answered.", registry=registry)
        self.documents = Gauge("shizi_documents_in_flight", "Documents being read.", registry=registry)

        self.errors = Counter("shizi_errors", "Errors answered.", ("code",), registry=registry)
        self.abandoned = Counter("shizi_abandoned", "Requests whose client went away.", registry=registry)
        self.upload_bytes = Histogram("shizi_upload_bytes", "Sizes of documents.", buckets=_BYTES, registry=registry)
        self.answer_bytes = Counter("shizi_answer_bytes", "Bytes of answers.", registry=registry)
        self.pages = Histogram("shizi_document_pages", "Pages of a document.", buckets=_PAGES, registry=registry)
        self.page_pixels = Histogram("shizi_page_pixels", "Pixels of a page.", buckets=_PIXELS, registry=registry)
        self.scores = Histogram("shizi_line_score", "How surely lines were read.", buckets=_SCORES, registry=registry)
        info = Gauge("shizi_build_info", "Always 1; the version is a label.", ("version",), registry=registry)
        info.labels(version).set(1)
        registry.register(_Gathered(tuple(numbers)))

    def add(self, numbers: Numbers) -> None:
        """Further numbers, of a part that is made after this one; their names are their own."""
        self.registry.register(_Gathered((numbers,)))

    def count(self, document: Document) -> None:
        """Counts a document that was read."""
        self.pages.observe(len(document.pages))
        for page in document.pages:
            self.page_pixels.observe(page.width * page.height)
            for line in page.lines:
                if line.source == "ocr":
                    self.scores.observe(line.score)
        for stage, milliseconds in document.timings_ms.items():
            self.stage_seconds.labels(stage).observe(milliseconds / 1000)

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)


class _Gathered(Collector):
    """Numbers of the parts, as they are at the moment."""

    def __init__(self, parts: tuple[Numbers, ...]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for part in self._parts:
            for name, meaning, labels, value in part.gauges():
                gauge = found.setdefault(name, GaugeMetricFamily(f"shizi_{name}", meaning, labels=list(labels)))
                gauge.add_sample(gauge.name, dict(labels), value)
            for name, meaning, labels, value in part.counters():
                counter = found.setdefault(name, CounterMetricFamily(f"shizi_{name}", meaning, labels=list(labels)))
                counter.add_sample(f"{counter.name}_total", dict(labels), value)
        yield from found.values()
