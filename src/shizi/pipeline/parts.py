"""The models of a tier, loaded side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shizi.imaging.crop import Pixels
from shizi.models.card import Card
from shizi.models.charset import read_charset
from shizi.models.detector import Detection
from shizi.models.detectors import detectors
from shizi.models.direction import DirectionClassifier
from shizi.models.han import other_classes
from shizi.models.head import MakeHead, WholeHead, load_recognizer
from shizi.models.normalize import normalization
from shizi.models.ranges import known_ranges
from shizi.models.recognizer import Recognizer
from shizi.models.store import ModelStore
from shizi.models.streams import Streams
from shizi.pipeline.tuning import Tuning
from shizi.runtime.base import Runtime, SessionOptions
from shizi.types import ModelInfo


@dataclass(frozen=True, slots=True)
class Parts:
    """What reads a page."""

    detect: Callable[[Pixels], Detection]
    recognizer: Recognizer
    direction: DirectionClassifier
    models: tuple[ModelInfo, ...]


def load_parts(
    runtime: Runtime, store: ModelStore, tier: str, options: SessionOptions, streams: Streams, tuning: Tuning
) -> Parts:
    """Loads what a tier is made of; models that are missing are fetched.

    Args:
        runtime: runs them.
        store: where they come from.
        tier: of the catalogue.
        options: of a model that runs on all threads.
        streams: where lines are read; each has its share of the threads.
        tuning: switches of the optimisations.

    Raises:
        InvalidRequest: the tier is unknown.
        ModelLoadFailed: a model cannot be had, or is not the published one.
    """
    names = store.catalog.tier(tier).names
    detector, reader, direction = cards = [store.card(name) for name in names]
    paths = {card.name: store.path(card.name) for card in cards}
    # A line is too small for several threads: they read lines side by side instead.
    shared = replace(options, threads=options.threads // streams.count, concurrency=streams.count, few_shapes=True)
    with ThreadPoolExecutor(len(cards) + 1) as pool:
        reading = pool.submit(_recognizer, runtime, reader, paths[reader.name], shared, streams, tuning)
        finding = replace(options, ranges=known_ranges(detector), pixels=normalization(detector))
        aside = None
        if tuning.small_aside and options.threads > 1:
            aside = pool.submit(runtime.load, paths[detector.name], replace(finding, threads=1))
        whole = pool.submit(runtime.load, paths[detector.name], finding)
        turned = pool.submit(runtime.load, paths[direction.name], replace(options, pixels=normalization(direction)))
        return Parts(
            detectors(whole.result(), aside.result() if aside else None, streams),
            reading.result(),
            DirectionClassifier(turned.result(), direction),
            tuple(ModelInfo(card.task, card.name, card.version, card.sha256) for card in cards),
        )


def _recognizer(
    runtime: Runtime, card: Card, path: Path, options: SessionOptions, streams: Streams, tuning: Tuning
) -> Recognizer:
    options = replace(options, ranges=known_ranges(card), pixels=normalization(card))
    charset = read_charset(path, card.charset or "metadata:character", card.classes)
    make_head: MakeHead
    if tuning.last_layer_apart:
        session, make_head = load_recognizer(runtime, path, options, charset, card.sure_logit)
    else:
        session = runtime.load(path, options)
        make_head = partial(WholeHead, others=other_classes(charset.characters))
    return Recognizer(session, card, charset, streams, make_head, tuning.squeeze)
