from __future__ import annotations

import asyncio
import io
import time

import pytest

from shizi.batching.claim import Claim
from shizi.errors import EngineUnavailable
from shizi.imaging.sandbox import SharedPage
from shizi.pipeline.options import ReadOptions
from shizi.serving.engines.settled import SettledReader
from shizi.serving.reader import AS_IT_IS, Terms
from shizi.serving.uploads import Upload
from shizi.types import Document, ModelInfo, Page


class Changing:
    """Reads with the models of a list, one after the other; an empty name is an engine that is away."""

    def __init__(self, *names: str) -> None:
        self._names = list(names)
        self.reads = 0

    async def models(self) -> tuple[ModelInfo, ...]:
        name = self._names.pop(0) if len(self._names) > 1 else self._names[0]
        if not name:
            raise EngineUnavailable("it is away")
        return (ModelInfo("recognize", name, "1", "0" * 64),)

    async def read(
        self,
        upload: Upload,  # noqa: ARG002
        options: ReadOptions,  # noqa: ARG002
        deadline: float,  # noqa: ARG002
        terms: Terms = AS_IT_IS,  # noqa: ARG002
    ) -> Document:
        self.reads += 1
        return Document((Page(1, 1, 1),), await self.models())

    async def read_page(
        self, page: SharedPage, options: ReadOptions, claim: Claim, source: str
    ) -> tuple[Page, dict[str, float]]:
        raise NotImplementedError


def read(engine: Changing) -> Document:
    reader = SettledReader(engine, engine)
    return asyncio.run(reader.read(Upload(io.BytesIO(b"x"), 1, "0" * 64), ReadOptions(), time.monotonic() + 5))


@pytest.mark.parametrize(
    ("names", "model", "reads"),
    [(["a"], "a", 1), (["a", "b"], "b", 2), (["a", "b", "b", "c"], "c", 3), (["a", ""], "a", 1)],
)
def test_a_document_is_of_one_models_pages(names: list[str], model: str, reads: int) -> None:
    engine = Changing(*names)
    assert read(engine).models[0].name == model
    assert engine.reads == reads


def test_models_that_change_each_time_are_said_to() -> None:
    with pytest.raises(EngineUnavailable, match="changed each time"):
        read(Changing(*"abcdefgh"))
