"""Calls an engine from asyncio, whether it is a process beside this one or a node elsewhere."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from shizi.batching.claim import Claim
from shizi.engine import protocol
from shizi.engine.answer import digest, read_answer
from shizi.engine.host import BATCHES
from shizi.engine.layer import layer_to_json
from shizi.engine.link import ClientOptions, Link
from shizi.engine.raw import join
from shizi.engine.request import MODEL, SHARED_KEY, VERSION
from shizi.errors import DeadlineExceeded, EngineUnavailable, ImageTooLarge, ShiziError
from shizi.models.counts import Batches
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage

_PREFIX = 4


class EngineClient:
    """One engine; belongs to one event loop, which must run when it is made.

    Args:
        target: "unix:/path" (pixels stay in shared memory) or "tcp:HOST:PORT" (pixels travel in the message); None for an engine that
            is yet to come.
        options: bounds.

    Raises:
        InvalidRequest: the target is no address.
    """

    def __init__(self, target: str | None, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self._link = None if target is None else Link(target, self._options)
        self._retry_at = 0.0
        self.batches = Batches()
        """What the engine's recogniser ran, as it said last; begins anew with another engine."""
        self._pool = ThreadPoolExecutor(self._options.threads, "shizi-engine-client")

    async def read_page(
        self, page: SharedPage, options: ReadOptions, claim: Claim, *, alone: bool = False
    ) -> tuple[Page, Mapping[str, float]]:
        """Reads one page.

        Args:
            page: whose memory must stay until this returns.
            options: as for `OCR.read_page`.
            claim: on whose behalf, and until when; to give it up, cancel the call.
            alone: whether the engine reads nothing else meanwhile.

        Returns:
            The page, and the milliseconds of each stage; "queue" is the time that it waited in the engine.

        Raises:
            EngineUnavailable: nothing listens.
            EngineDied: the engine ended while it had the page.
            Overloaded: too many pages wait there.
            DeadlineExceeded: the deadline passed.
            ShiziError: as `OCR.read_page`.
        """
        link = self._linked()
        if claim.deadline <= time.monotonic():
            raise DeadlineExceeded("the time allowed for this page passed before it was sent; allow more")
        with link.held():
            head = _head(page, options, claim, shared=link.shared_memory, alone=alone)
            data = await self._written(page, *head, shared=link.shared_memory)
            answer, said = await link.call("ModelInfer", data, _left(claim))
            self.batches = Batches.parse(said.get(BATCHES)) or self.batches
        read, times, models = read_answer(answer)
        if link.models and models not in ("", digest(link.models)):
            link.models = ()  # another process listens there now
            raise EngineUnavailable("the engine was replaced by one with other models; try again", 0.1)
        return replace(read, number=page.number, warnings=(*page.warnings, *read.warnings)), times

    async def ready(self) -> bool:
        """Whether the engine takes pages now."""
        if self._link is None:
            return False
        request = protocol.new("ModelReadyRequest")
        request.name, request.version = MODEL, VERSION
        try:
            answer, _ = await self._link.call("ModelReady", request.SerializeToString(), self._options.question_s)
        except ShiziError:
            return False
        return bool(protocol.parse("ModelReadyResponse", answer).ready)

    async def models(self) -> tuple[ModelInfo, ...]:
        """Which models make its results.

        An engine is asked once: it has the same ones as long as it runs.

        Raises:
            EngineUnavailable: nothing listens, or it is not ready.
        """
        link = self._linked()
        if not link.models:
            await link.ask()
        return link.models

    async def ask(self) -> tuple[tuple[ModelInfo, ...], str]:
        """The same, asked anew, and a name of the process that answered: what listens elsewhere may be replaced at any time.

        Raises:
            EngineUnavailable: nothing listens, or it is not ready.
            Unauthenticated: it wants another token.
        """
        link = self._linked()
        await link.ask()
        return link.models, link.instance

    @property
    def known(self) -> tuple[ModelInfo, ...]:
        """What was said last of the models; empty where nothing was."""
        return () if self._link is None else self._link.models

    async def close(self) -> None:
        """Cancels what is under way."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def switch(self, target: str | None, retry_after: float = 0.0) -> Link | None:
        """From now on calls go to this engine, or to none for so many seconds; those under way stay where they are.

        Returns:
            The link until now, to be closed by the caller.
        """
        before = self._link
        self._link = None if target is None else Link(target, self._options)
        self._retry_at = time.monotonic() + retry_after
        return before

    def _linked(self) -> Link:
        if self._link is None:
            after = max(self._retry_at - time.monotonic(), 0.1)
            raise EngineUnavailable("the engine is being started; try again soon", after)
        return self._link

    async def _written(self, page: SharedPage, head: bytes, layer: bytes | None, *, shared: bool) -> bytes:
        """The bytes of the request; large ones are made on a thread."""
        raw: list[bytes] = [] if layer is None else [len(layer).to_bytes(_PREFIX, "little"), layer]
        if page.pixels is None or shared:
            return join(head, [b"".join(raw)] if raw else [])
        size = page.height * page.width * 3 + len(head) + sum(map(len, raw))
        if size >= self._options.max_message_bytes:
            raise ImageTooLarge(
                f"the page is a message of {size} bytes, the limit (max_message_bytes) is {self._options.max_message_bytes}: "
                "scale it down, or raise the limit here and at the engine"
            )
        return await asyncio.get_running_loop().run_in_executor(self._pool, _with_pixels, page, head, raw)


def _left(claim: Claim) -> float | None:
    """Seconds until its deadline, at least a moment."""
    return None if claim.deadline == math.inf else max(claim.deadline - time.monotonic(), 0.001)


def _head(
    page: SharedPage, options: ReadOptions, claim: Claim, *, shared: bool, alone: bool
) -> tuple[bytes, bytes | None]:
    """The message without its raw contents, and the text layer, if it is worth sending."""
    message = protocol.new("ModelInferRequest")
    message.model_name, message.model_version = MODEL, VERSION
    message.parameters["options"].string_param = _options_json(options)
    message.parameters["tenant"].string_param = claim.tenant
    message.parameters["lane"].string_param = claim.lane
    if alone:
        message.parameters["alone"].bool_param = True
    if claim.deadline < math.inf:
        message.parameters["deadline_ms"].int64_param = max(int(1000 * (claim.deadline - time.monotonic())), 1)
    message.outputs.add(name="page")
    if page.pixels is None:
        message.parameters["width"].int64_param = page.width
        message.parameters["height"].int64_param = page.height
    else:
        image = message.inputs.add(name="image", datatype="UINT8", shape=[page.height, page.width, 3])
        if shared:
            image.parameters[SHARED_KEY].string_param = page.pixels.name
    layer = None if page.text_layer is None else layer_to_json(page.text_layer)
    if layer is not None:
        message.inputs.add(name="text_layer", datatype="BYTES", shape=[1])
    return message.SerializeToString(), layer


def _options_json(options: ReadOptions) -> str:
    languages = options.languages
    return json.dumps(
        {
            "detect": options.detect,
            "classify": options.classify,
            "recognize": options.recognize,
            "languages": languages if languages is None or isinstance(languages, str) else list(languages),
            "text_layer": options.text_layer,
            "min_score": options.min_score,
        }
    )


def _with_pixels(page: SharedPage, head: bytes, layer: list[bytes]) -> bytes:
    assert page.pixels is not None  # noqa: S101 (what the caller looked at)
    with page.pixels.array() as pixels:
        return join(head, [pixels.data.cast("B"), *([b"".join(layer)] if layer else [])])
