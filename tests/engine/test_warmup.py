from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from shizi.batching.claim import Claim
from shizi.engine.warmup import warm_up
from shizi.imaging.pages import PageImage
from shizi.models.counts import Batches
from shizi.models.recognizer import _padded
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page


class Recording:
    """Notes the shapes of what it is given."""

    models: tuple[ModelInfo, ...] = ()

    def __init__(self) -> None:
        self.pages: list[tuple[int, int]] = []
        self.widths: Counter[int] = Counter()
        self.threads: set[int] = set()

    def read_page(
        self,
        image: PageImage,
        options: ReadOptions,
        claim: Claim | None = None,  # noqa: ARG002 (the signature of all readers)
    ) -> tuple[Page, Mapping[str, float]]:
        self.threads.add(threading.get_ident())
        if options.detect:
            self.pages.append((image.width, image.height))
        else:
            self.widths[_padded(image.width)] += 1
        return Page(1, image.width, image.height), {}

    @property
    def batches(self) -> Batches:
        return Batches()

    def close(self) -> None: ...


def test_twenty_batches_are_the_twenty_widths_that_lines_meet_most() -> None:
    reader = Recording()
    warm_up(reader, 20, 2)
    widths = [*range(32, 321, 32), *range(384, 641, 64), *range(768, 1281, 128)]
    assert reader.widths == dict.fromkeys(widths, 2)
    assert sorted(reader.pages) == [(620, 1180), (1240, 1754), (1754, 1240)]


def test_less_is_less_and_none_is_none() -> None:
    reader = Recording()
    warm_up(reader, 0, 2)
    assert not reader.pages
    warm_up(reader, 3, 1)
    assert sorted(reader.widths) == [256, 320, 384]
    assert len(reader.threads) == 1
