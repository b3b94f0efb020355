"""The models of the general tier, loaded once for all tests that need one by itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shizi.models.card import DEFAULT_TIER, Card
from shizi.models.charset import read_charset
from shizi.models.detector import Detector
from shizi.models.direction import DirectionClassifier
from shizi.models.normalize import normalization
from shizi.models.recognizer import Recognizer
from shizi.models.store import ModelStore
from shizi.models.streams import Streams
from shizi.runtime.base import Session, SessionOptions
from shizi.runtime.onnx import OnnxRuntime


@cache
def detector() -> Detector:
    _, _, session = _load(0)
    return Detector(session)


@cache
def recognizer() -> Recognizer:
    card, path, session = _load(1)
    charset = read_charset(path, card.charset or "", card.classes)
    return Recognizer(session, card, charset, Streams(2))


@cache
def direction() -> DirectionClassifier:
    card, _, session = _load(2)
    return DirectionClassifier(session, card)


def _load(part: int) -> tuple[Card, Path, Session]:
    store = ModelStore()
    name = store.catalog.tier(DEFAULT_TIER).names[part]
    path = store.path(name)
    card = store.card(name)
    return card, path, OnnxRuntime().load(path, SessionOptions(threads=2, pixels=normalization(card)))
