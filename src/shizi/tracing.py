"""Traces by OpenTelemetry, in processes that are told to; elsewhere nothing of it is loaded, and a span costs nothing.

The standard variables apply (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, …). Spans carry names of
stages, numbers, ids and codes; never text, names of files, parameters, or the words of an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from shizi.errors import InvalidRequest, ShiziError

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client"]
Value = str | int | float | bool

HEADERS: Final = ("traceparent", "tracestate")
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_NS_PER_MS: Final = 1e6
_LONGEST_END_S: Final = 5.0


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces.

    Raises:
        InvalidRequest: they ask for what is not offered.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    if exporter not in ("", "otlp"):
        raise InvalidRequest(f"OTEL_TRACES_EXPORTER is {exporter!r}; traces are sent by otlp, or by none")
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    asked = exporter == "otlp" or any(environment.get(name) for name in _ENDPOINTS)
    if asked and protocol != "http/protobuf":
        raise InvalidRequest(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; traces are sent by http/protobuf alone")
    return asked


class Untraced:
    """What stands for a span where there is none."""

    trace_id: str = ""
    """32 hexadecimal digits; "" where nothing is traced."""

    def rename(self, name: str) -> None:
        """Says what it turned out to be."""

    def note(self, **attributes: Value) -> None:
        """Adds numbers, ids, codes, as `shizi.…`."""

    def fail(self, code: str) -> None:
        """Says that it came to nothing, and why in one word."""

    def stages(self, milliseconds: Iterable[tuple[str, float]]) -> None:
        """Spans of stages that were measured one after the other and ended now; may be called in another thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


UNTRACED: Final = Untraced()


class Mark(Untraced):
    """A span that is under way: a context manager.

    Args:
        tracer: of this process.
        name: of the stage.
        kind: server where it answers another process, client where it waits for one.
        parent: headers of the request that it belongs to; None for the span around it.
        attributes: numbers, ids, codes.
    """

    def __init__(
        self, tracer: Tracer, name: str, kind: Kind, parent: Mapping[str, str] | None, attributes: Mapping[str, Value]
    ) -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        kinds = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
        self._tracer = tracer
        self._span = tracer.start_span(
            name,
            context=None if parent is None else TraceContextTextMapPropagator().extract(dict(parent)),
            kind=kinds[kind],
            attributes={f"shizi.{name}": value for name, value in attributes.items()},
            record_exception=False,  # its words may quote a document
            set_status_on_exception=False,
        )
        self._token: Token[Context] | None = None
        self.trace_id = f"{self._span.get_span_context().trace_id:032x}"

    def rename(self, name: str) -> None:
        """See `Untraced`."""
        self._span.update_name(name)

    def note(self, **attributes: Value) -> None:
        """See `Untraced`."""
        self._span.set_attributes({f"shizi.{name}": value for name, value in attributes.items()})

    def fail(self, code: str) -> None:
        """See `Untraced`."""
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR))

    def stages(self, milliseconds: Iterable[tuple[str, float]]) -> None:
        """See `Untraced`."""
        from opentelemetry.trace import set_span_in_context

        listed = list(milliseconds)
        at = time.time_ns() - int(sum(ms for _, ms in listed) * _NS_PER_MS)
        for name, ms in listed:
            stage = self._tracer.start_span(name, context=set_span_in_context(self._span), start_time=at)
            at += int(ms * _NS_PER_MS)
            stage.end(at)

    def __enter__(self) -> Self:
        from opentelemetry.context import attach
        from opentelemetry.trace import set_span_in_context

        self._token = attach(set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from opentelemetry.context import detach

        if isinstance(error, ShiziError):
            self.fail(error.code)
        elif kind is not None:
            self.fail(kind.__name__)
        if self._token is not None:
            detach(self._token)
        self._span.end()


def span(name: str, kind: Kind = "internal", parent: Mapping[str, str] | None = None, **attributes: Value) -> Untraced:
    """A stage of a request; see `Mark`."""
    return UNTRACED if _state.tracer is None else Mark(_state.tracer, name, kind, parent, attributes)


def headers() -> dict[str, str]:
    """What another process needs to go on with the span around this call; empty where nothing is traced."""
    carrier: dict[str, str] = {}
    if _state.tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(carrier)
    return carrier


class _State:
    """What `start_tracing` sets, once, before there are requests."""

    tracer: Tracer | None = None


_state: Final = _State()


def start_tracing(
    name: str, version: str, environment: Mapping[str, str], exporter: SpanExporter | None = None
) -> Callable[[], None]:
    """Traces from now on in this process, where the environment asks for it.

    Args:
        name: of the service, where `OTEL_SERVICE_NAME` does not say.
        version: of shizi.
        environment: the standard variables.
        exporter: instead of the one that sends to the address in the environment.

    Returns:
        Ends it: sends what is left, for some seconds at most. Blocks.

    Raises:
        InvalidRequest: the libraries are missing, or what is asked for is not offered.
    """
    if not wanted(environment):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise InvalidRequest(
            "OTEL_* variables ask for traces, and their libraries are missing: pip install 'shizi[traces]'"
        ) from None
    about = {"service.version": version}
    if not environment.get("OTEL_SERVICE_NAME"):
        about["service.name"] = name
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    _state.tracer = provider.get_tracer("shizi", version)
    return lambda: _end(provider)


def _end(provider: TracerProvider) -> None:
    _state.tracer = None
    sending = threading.Thread(target=provider.shutdown, name="shizi-traces", daemon=True)
    sending.start()
    sending.join(_LONGEST_END_S)
