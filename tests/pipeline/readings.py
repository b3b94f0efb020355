"""Readings as if a recogniser had made them."""

from __future__ import annotations

from shizi.models.ctc import Reading


def reading(text: str, score: float = 0.9) -> Reading:
    """Characters side by side, each as wide as the others."""
    edges = [k / len(text) for k in range(len(text) + 1)] if text else [0.0]
    return Reading(tuple(text), (score,) * len(text), tuple(edges[:-1]), tuple(edges[1:]))
