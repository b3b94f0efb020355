"""ONNX files rewritten before a runtime loads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from shizi.onnx.graph import Graph, read

_log = logging.getLogger(__name__)


def rewritten(content: bytes, rewrites: Sequence[Callable[[Graph], None]]) -> bytes | None:
    """A model after each of these rewrites in turn.

    Returns:
        None for one that is to be loaded as it is: nothing in it changes, it is of a kind that is left alone, or it is damaged, which
        the runtime will say better.
    """
    try:
        graph = read(content)
        for rewrite in rewrites:
            rewrite(graph)
        return graph.onnx() if graph.changed else None
    except (ValueError, IndexError) as error:  # `Strange` among them, and all that reading a damaged message raises
        _log.info("a model is not rewritten: %s", error)
        return None
