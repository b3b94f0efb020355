"""What `shizi doctor` finds out: plain data, ready for JSON."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypedDict

from shizi.cli.version import own_version
from shizi.errors import ShiziError
from shizi.imaging.limits import Limits
from shizi.models.card import DEFAULT_TIER, load_catalog
from shizi.models.folders import compiled_root
from shizi.models.store import ModelStore
from shizi.runtime.choose import choose, installed
from shizi.runtime.compiled import CompiledModels
from shizi.runtime.machine import cpu_count, cpu_features, cpu_model, cpu_quota, memory_limit
from shizi.settings import Settings, from_environment

LIBRARIES: Final = (
    "numpy",
    "onnxruntime",
    "openvino",
    "opencv-python-headless",
    "pillow",
    "pypdfium2",
    "pydantic",
    "click",
)
# what makes reading faster: wide vectors, 8-bit dot products, bfloat16 arithmetic
FLAGS: Final = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimddp", "bf16")
LITTLE_MEMORY: Final = 1_500_000_000
FONTS: Final = {
    "Noto Sans CJK (drawing the samples and tests)": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "DejaVu (drawing the samples and tests)": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}


class Machine(TypedDict):
    """The computer, as this process may use it."""

    system: str
    python: str
    cpu: str
    flags: list[str]
    cpu_quota: float
    threads: int
    memory: int | None
    memory_limited: bool


class Engine(TypedDict):
    """What `auto` means here."""

    runtimes: list[str]
    runtime: str | None
    precision: str | None
    tier: str
    reason: str


class Model(TypedDict):
    """A model of a tier and its state: verified, missing, or what is wrong."""

    name: str
    task: str
    tiers: list[str]
    sha256: str
    state: str


class Bounds(TypedDict):
    """What a process that decodes for a server gives up here: bounds by name, and those that cannot be had, with the reason."""

    held: list[str]
    missing: dict[str, str]


class Facts(TypedDict):
    """All of it."""

    version: str
    usable: bool
    todo: list[str]
    machine: Machine
    libraries: dict[str, str | None]
    engine: Engine
    compiled: str
    models_dir: str
    offline: bool
    models: list[Model]
    limits: dict[str, float]
    sandbox: Bounds
    fonts: dict[str, bool]
    settings: dict[str, str]


def gather(tier: str | None, models_dir: Path | None, environment: Mapping[str, str] = os.environ) -> Facts:
    """Look at everything; fetches nothing.

    Raises:
        InvalidRequest: the environment's settings are wrong.
        NotFound: there is no such tier, or no such catalogue.
    """
    settings = from_environment(environment)
    home = None if settings.home is None else settings.home.expanduser() / "models"
    store = ModelStore(models_dir or home, offline=True, catalog=load_catalog(settings.catalog))
    wanted = tier or settings.tier
    store.catalog.tier(wanted)
    todo: list[str] = []
    engine = _engine(settings, wanted, todo)
    models = _models(store, wanted)
    todo += _missing(models, wanted, settings.offline)
    return Facts(
        version=own_version(),
        usable=not todo,
        todo=todo,
        machine=_machine(),
        libraries={name: _version(name) for name in LIBRARIES},
        engine=engine,
        compiled=_compiled(compiled_root()),
        models_dir=str(store.root),
        offline=settings.offline,
        models=models,
        limits=_limits(settings),
        sandbox=_bounds(),
        fonts={name: Path(path).is_file() for name, path in FONTS.items()},
        settings=_changed(settings),
    )


def _machine() -> Machine:
    limit = memory_limit()
    features = cpu_features()
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        cpu=cpu_model(),
        flags=[flag for flag in FLAGS if flag in features],
        cpu_quota=cpu_quota(),
        threads=cpu_count(),
        memory=limit or _physical_memory(),
        memory_limited=limit is not None,
    )


def _engine(settings: Settings, tier: str, todo: list[str]) -> Engine:
    try:
        choice = choose(settings.runtime, settings.precision)
    except ShiziError as error:
        todo.append(str(error))
        return Engine(runtimes=list(installed()), runtime=None, precision=None, tier=tier, reason=str(error))
    return Engine(
        runtimes=list(installed()),
        runtime=choice.runtime,
        precision=choice.precision,
        tier=tier,
        reason=f"{choice.reason}; {_tier_reason(tier)}",
    )


def _compiled(root: Path | None) -> str:
    """Where compiled models are kept, or why they are not."""
    why = "none was asked for, or there is no home folder" if root is None else CompiledModels(root).trouble()
    return f"kept in {root}" if why is None else f"not kept, so that each start compiles them: {why}"


def _tier_reason(tier: str) -> str:
    if tier != DEFAULT_TIER:
        return f"the tier {tier} was asked for"
    memory = memory_limit() or _physical_memory()
    if memory is not None and memory < LITTLE_MEMORY:
        return f"{memory / 1e9:.1f} GB of memory is little for the tier general: try --tier light"
    if cpu_quota() < 1:
        return "less than one CPU: the tier light answers sooner, general reads better"
    return "the tier general is the one that reads best at a good pace"


def _models(store: ModelStore, tier: str) -> list[Model]:
    tiers = {
        name: store.catalog.tier(name).names
        for name in dict.fromkeys((DEFAULT_TIER, "light", tier))
        if name in store.catalog.tiers
    }
    present = store.installed()
    found = []
    for name in dict.fromkeys(name for names in tiers.values() for name in names):
        card = store.card(name)
        found.append(
            Model(
                name=name,
                task=card.task,
                tiers=[tier for tier, names in tiers.items() if name in names],
                sha256=card.sha256,
                state=_state(store, name) if name in present else "missing",
            )
        )
    return found


def _state(store: ModelStore, name: str) -> str:
    try:
        store.verify(name)
    except ShiziError as error:
        return str(error)
    return "verified"


def _missing(models: list[Model], tier: str, offline: bool) -> list[str]:
    wrong = [model for model in models if tier in model["tiers"] and model["state"] != "verified"]
    if not wrong:
        return []
    names = ", ".join(model["name"] for model in wrong)
    where = (
        "on a machine with a network, and copy its folder here" if offline else "(reading does it, too, the first time)"
    )
    return [f"models of the tier {tier} are missing or damaged: {names}; run `shizi models pull --tier {tier}` {where}"]


def _bounds() -> Bounds:
    """Starts such a process and asks it."""
    try:
        from shizi.imaging.sandbox import Sandbox, SandboxOptions

        sandbox = Sandbox(Limits(), SandboxOptions(processes=1))
        try:
            found = sandbox.bounds()
        finally:
            sandbox.close()
    except (ImportError, OSError, ShiziError) as error:  # Windows has none
        return Bounds(held=[], missing={"sandbox": str(error)})
    return Bounds(held=list(found.held), missing=found.missing)


def _limits(settings: Settings) -> dict[str, float]:
    chosen = settings.model_dump()
    limits = dataclasses.asdict(Limits())
    return {name: value if chosen.get(name) is None else chosen[name] for name, value in limits.items()}


def _changed(settings: Settings) -> dict[str, str]:
    return {name: str(getattr(settings, name)) for name in settings.model_fields_set}


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
