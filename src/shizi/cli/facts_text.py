"""The facts of `shizi doctor` for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import click

from shizi.cli.facts import Facts
from shizi.settings import variable

GOOD, BAD, NOT_NEEDED = "✓", "✗", "·"
WIDTH = 110
BOUNDS = {
    "landlock": "opens fonts and program code only",
    "seccomp": "no network, no process, no program, no file is written",
    "no-new-privileges": "nothing that it starts has more rights",
    "no-capabilities": "has no rights of the superuser",
    "ends-with-parent": "never outlives its server",
    "rlimit-as": "bounds its memory",
}


def as_text(facts: Facts, colour: bool) -> str:
    """Sections with aligned columns; what is to be done stands at the end."""
    sections = [
        _section(f"shizi {facts['version']}", _machine(facts), colour),
        _section("Engine", _engine(facts), colour),
        _section(f"Models in {facts['models_dir']}", _models(facts, colour), colour),
        _section("Limits", _limits(facts), colour),
        _section("Sandbox of a server", _bounds(facts, colour), colour),
        _section("Fonts", ((_mark(found, colour), name) for name, found in facts["fonts"].items()), colour),
    ]
    if facts["settings"]:
        rows = ((variable(name), value) for name, value in facts["settings"].items())
        sections.append(_section("Settings from the environment", rows, colour))
    return "\n\n".join([*sections, _verdict(facts, colour)])


def _section(title: str, rows: Iterable[tuple[str, str]], colour: bool) -> str:
    listed = list(rows)
    width = max((len(click.unstyle(label)) for label, _ in listed), default=0)
    lines = []
    for label, value in listed:
        first, *rest = textwrap.wrap(value, max(WIDTH - width - 4, 20), break_on_hyphens=False) or [""]
        lines.append(f"  {label}{' ' * (width - len(click.unstyle(label)))}  {first}")
        lines += [" " * (width + 4) + more for more in rest]
    return "\n".join([click.style(title, bold=True) if colour else title, *lines])


def _machine(facts: Facts) -> Iterable[tuple[str, str]]:
    machine = facts["machine"]
    yield "system", f"{machine['system']}, {machine['python']}"
    yield "processor", machine["cpu"]
    yield "made faster by", ", ".join(machine["flags"]) or "nothing that shizi knows of"
    yield "usable CPUs", f"{machine['cpu_quota']:g} (by affinity and quota), so {machine['threads']} threads"
    if machine["memory"] is not None:
        yield "memory", f"{machine['memory'] / 1e9:.1f} GB{' (limited)' if machine['memory_limited'] else ''}"
    yield "libraries", ", ".join(f"{name} {version or 'MISSING'}" for name, version in facts["libraries"].items())


def _engine(facts: Facts) -> Iterable[tuple[str, str]]:
    engine = facts["engine"]
    yield "installed", ", ".join(engine["runtimes"]) or "none"
    if engine["runtime"] is not None:
        yield "chosen", f"{engine['runtime']}, {engine['precision']}, tier {engine['tier']}"
    yield "why", engine["reason"]
    if engine["runtime"] == "openvino":
        yield "compiled", facts["compiled"]
    yield (
        "network",
        "offline: models are never fetched" if facts["offline"] else "only to fetch models, never for documents",
    )


def _models(facts: Facts, colour: bool) -> Iterable[tuple[str, str]]:
    width = max(len(model["name"]) for model in facts["models"])
    for model in facts["models"]:
        good = model["state"] == "verified"
        needed = facts["engine"]["tier"] in model["tiers"]
        tiers = "/".join(model["tiers"])
        yield (
            f"{_mark(good, colour) if good or needed else NOT_NEEDED} {model['name'].ljust(width)}",
            f"{model['task']:<9} {tiers:<13} sha256 {model['sha256'][:12]}… {model['state']}",
        )


def _limits(facts: Facts) -> Iterable[tuple[str, str]]:
    for name, value in facts["limits"].items():
        yield name, f"{value:,}"


def _bounds(facts: Facts, colour: bool) -> Iterable[tuple[str, str]]:
    bounds = facts["sandbox"]
    limits = [name.removeprefix("rlimit-") for name in bounds["held"] if name.startswith("rlimit-")]
    if limits:
        yield f"{_mark(True, colour)} rlimits", ", ".join(limits)
    for name in bounds["held"]:
        if not name.startswith("rlimit-"):
            yield f"{_mark(True, colour)} {name}", BOUNDS.get(name, "")
    for name, reason in bounds["missing"].items():
        yield f"{_mark(False, colour)} {name}", f"{BOUNDS.get(name, 'not to be had')}: {reason}"


def _mark(good: bool, colour: bool) -> str:
    mark = GOOD if good else BAD
    return click.style(mark, fg="green" if good else "red") if colour else mark


def _verdict(facts: Facts, colour: bool) -> str:
    if facts["usable"]:
        return f"{_mark(True, colour)} Ready to read. Try: shizi read photo.jpg"
    return "\n".join(f"{_mark(False, colour)} {todo}" for todo in facts["todo"])
