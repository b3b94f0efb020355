"""The figures of `shizi bench` for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import click

from shizi.bench.ablation import Comparison
from shizi.bench.peers import PeerTimes
from shizi.bench.report import Report
from shizi.cli.progress import columns, shorten

WIDTH = 100
_BAR = 24
_NAME = 28


def as_text(report: Report, colour: bool) -> str:
    """Sections with aligned columns; no line is longer than `WIDTH`."""
    machine = report.machine
    sections = [
        _section(
            f"{machine.cpu}, {machine.cpu_quota:g} CPUs",
            [f"{machine.runtime}, {machine.precision}, tier {machine.tier}; {_measured(report)}"],
            colour,
        ),
        _section("Pages", _pages(report), colour),
        _section("Stages", _stages(report), colour),
        _section("All in all", _summary(report), colour),
    ]
    if report.ablation:
        sections.append(_section("One thing changed at a time", _ablation(report.ablation), colour))
    if report.peers:
        sections.append(_section("Other engines, on the images", _peers(report.peers), colour))
    return "\n\n".join(sections)


def _section(title: str, lines: Iterable[str], colour: bool) -> str:
    return "\n".join([click.style(title, bold=True) if colour else title, *(f"  {line}" for line in lines)])


def _measured(report: Report) -> str:
    documents = len(report.documents)
    which = f"{documents} document{'' if documents == 1 else 's'}{' drawn by the bench' if report.drawn else ''}"
    return f"{which}, {report.rounds} round{'' if report.rounds == 1 else 's'} after a warm-up"


def _pages(report: Report) -> Iterable[str]:
    yield f"{'document':<{_NAME}} {'pages':>5} {'ms/page':>9} {'models':>9} {'÷ models':>9}"
    for one in report.documents:
        models = f"{sum(one.models_ms.values()) / one.pages:.1f}" if one.models_ms else "-"
        name = shorten(one.name, _NAME)
        gap = " " * (_NAME - columns(name))
        yield f"{name}{gap} {one.pages:>5} {one.median_ms / one.pages:>9.1f} {models:>9} {_ratio(one.ratio):>9}"


def _stages(report: Report) -> Iterable[str]:
    total = sum(report.stages_ms.values())
    for name, value in report.stages_ms.items():
        share = value / total if total else 0.0
        filled = round(_BAR * share)
        yield f"{name:<{_NAME}} {value:>9.1f} ms/page  {'█' * filled}{'░' * (_BAR - filled)} {100 * share:>3.0f} %"
    for name, value in report.models_ms.items():
        yield f"{name:<{_NAME}} {value:>9.1f} ms/page, this model run alone"


def _summary(report: Report) -> Iterable[str]:
    yield f"{'a page':<{_NAME}} {report.median_ms:>9.1f} ms median, {report.p95_ms:.1f} ms at the 95th percentile"
    yield f"{'many pages':<{_NAME}} {report.pages_per_second:>9.2f} pages/s, documents two at a time"
    if report.ratio is not None:
        yield f"{'end to end ÷ models':<{_NAME}} {report.ratio:>9.2f} times as long as the models alone"
    if report.ratio_of_many is not None:
        yield f"{'many pages ÷ models':<{_NAME}} {report.ratio_of_many:>9.2f} times, documents two at a time"
    else:
        yield f"{'many pages ÷ models':<{_NAME}} {'-':>9} a document ran no model, or inputs would take more than 1 GB"
    if report.peak_mb is not None:
        yield f"{'peak memory':<{_NAME}} {report.peak_mb:>9.0f} MB"


def _ablation(rows: Sequence[Comparison]) -> Iterable[str]:
    width = max(len(row.label) for row in rows)
    yield f"{'change':<{width}} {'time ÷ ours':>11}  text"
    for row in rows:
        if row.ratio is None:
            yield from _wrapped(f"{row.label:<{width}} {'-':>11}  ", row.problem)
            continue
        text = f"differs in {row.changed}" if row.changed else "the same"
        yield from _wrapped(f"{row.label:<{width}} {row.ratio:>11.2f}  {text:<14} ", row.what)


def _peers(rows: Sequence[PeerTimes]) -> Iterable[str]:
    width = max(len(row.name) for row in rows)
    yield f"{'engine':<{width}} {'time ÷ ours':>11} {'ms/image':>9} {'characters ÷ ours':>18}"
    for row in rows:
        if row.ratio is None or row.ms_per_image is None:
            yield from _wrapped(f"{row.name:<{width}} {'-':>11}  ", row.problem)
        else:
            yield f"{row.name:<{width}} {row.ratio:>11.2f} {row.ms_per_image:>9.1f} {_ratio(row.characters):>18}"


def _wrapped(start: str, text: str) -> Iterable[str]:
    first, *rest = textwrap.wrap(" ".join(text.split()), WIDTH - 2 - len(start)) or [""]
    yield start + first
    for line in rest:
        yield " " * len(start) + line


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
