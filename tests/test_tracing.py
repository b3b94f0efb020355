"""Traces: nothing where nobody asks for them; names, numbers and codes where somebody does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shizi.errors import CorruptDocument, InvalidRequest
from shizi.tracing import headers, span, start_tracing, wanted

ON = {"OTEL_TRACES_EXPORTER": "otlp"}
PARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"}
Spans = Callable[[], dict[str, ReadableSpan]]


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Ends tracing and says what was traced, by name."""
    exporter = InMemorySpanExporter()
    end = start_tracing("shizi", "1.2.3", ON, exporter)

    def ended() -> dict[str, ReadableSpan]:
        end()
        return {each.name: each for each in exporter.get_finished_spans()}

    yield ended
    end()


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4318"}, False),
        (ON, True),
        ({**ON, "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_ask_for_traces(environment: dict[str, str], on: bool) -> None:
    assert wanted(environment) is on


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({**ON, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf alone"),
        ({**ON, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "http/protobuf alone"),
    ],
)
def test_what_is_not_offered_is_refused(environment: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        wanted(environment)


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidRequest, match=r"shizi\[traces\]"):
        start_tracing("shizi", "1", ON)


def test_where_nobody_asks_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, shizi.serving.process, shizi.engine.server\n"
        "from shizi.tracing import headers, span, start_tracing\n"
        "end = start_tracing('shizi', '1', {})\n"
        "with span('a', pages=1) as mark:\n"
        "    mark.note(b=1); mark.rename('c'); mark.fail('D'); mark.stages([('e', 1.0)])\n"
        "    assert (mark.trace_id, headers()) == ('', {})\n"
        "end()\n"
        # The web framework loads the interface by itself where it is installed; it does nothing without what is looked for here.
        "assert not [name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_spans_go_on_with_the_trace_of_the_client_and_in_each_other(spans: Spans) -> None:
    with span("request", "server", PARENT, pages=2) as request:
        assert request.trace_id == "0af7651916cd43dd8448eb211c80319c"
        with span("engine", "client"):
            carried = headers()
        request.note(status=200)
        request.rename("POST /v1/ocr")
    found = spans()
    engine, root = found["engine"], found["POST /v1/ocr"]
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == "b7ad6b7169203331"
    assert engine.parent == root.context
    assert carried["traceparent"] == f"00-{request.trace_id}-{engine.context.span_id:016x}-01"
    assert carried["tracestate"] == "a=b"
    assert dict(root.attributes or {}) == {"shizi.pages": 2, "shizi.status": 200}
    assert root.resource.attributes["service.name"] == "shizi"
    assert root.resource.attributes["service.version"] == "1.2.3"


@pytest.mark.parametrize("parent", [{}, {"traceparent": "nonsense"}, {"traceparent": "00-" + 32 * "0" + "-1-01"}])
def test_headers_that_are_none_begin_a_trace_of_their_own(spans: Spans, parent: dict[str, str]) -> None:
    with span("request", "server", parent):
        pass
    assert spans()["request"].parent is None


def test_a_client_that_wants_no_trace_gets_none(spans: Spans) -> None:
    with span("request", "server", {"traceparent": PARENT["traceparent"][:-1] + "0"}):
        pass
    assert spans() == {}


def test_errors_are_told_by_code_or_kind_and_never_in_words(spans: Spans) -> None:
    for name, error in (("ours", CorruptDocument("SECRET-TEXT")), ("bug", ValueError("SECRET-TEXT"))):
        with pytest.raises(type(error)), span(name):
            raise error
    found = spans()
    assert (found["ours"].attributes or {})["error.type"] == "CORRUPT_DOCUMENT"
    assert (found["bug"].attributes or {})["error.type"] == "ValueError"
    assert not found["ours"].status.is_ok
    assert "SECRET" not in "".join(each.to_json() for each in found.values())


def test_stages_that_were_measured_elsewhere_stand_in_a_row(spans: Spans) -> None:
    with span("page") as page:
        page.stages([("queue", 5.0), ("detect", 20.0)])
    found = spans()
    queue, detect = found["queue"], found["detect"]
    assert queue.parent == detect.parent == found["page"].context
    assert queue.end_time == detect.start_time
    assert (detect.end_time or 0) - (detect.start_time or 0) == 20_000_000
