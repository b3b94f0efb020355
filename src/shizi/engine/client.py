"""Calls an engine from asyncio, whether it is a process beside this one or a node elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc
from pydantic import TypeAdapter, ValidationError

from shizi.batching.claim import Claim
from shizi.engine import address, protocol
from shizi.engine.answer import read_answer
from shizi.engine.failures import restored
from shizi.engine.host import MODELS_KEY
from shizi.engine.layer import layer_to_json
from shizi.engine.options import MIB
from shizi.engine.raw import join
from shizi.engine.request import MODEL, SHARED_KEY, VERSION
from shizi.errors import DeadlineExceeded, EngineUnavailable, ImageTooLarge, ShiziError
from shizi.pipeline.options import ReadOptions
from shizi.types import ModelInfo, Page

if TYPE_CHECKING:
    from shizi.imaging.sandbox import SharedPage

    Method = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

_PREFIX = 4


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Bounds of one client.

    Attributes:
        max_message_bytes: of a message with pixels; not more than the engine's own.
        max_answer_bytes: of an answer.
        question_s: seconds that an engine may take to say whether it is ready and what its models are.
        reconnect_s: longest pause between two attempts to connect.
        threads: that copy pixels into messages.
    """

    max_message_bytes: int = 320 * MIB
    max_answer_bytes: int = 256 * MIB
    question_s: float = 5.0
    reconnect_s: float = 2.0
    threads: int = 2


class Link:
    """One channel to one engine, what is known of it, and whether somebody uses it.

    Args:
        target: "unix:/path" or "tcp:HOST:PORT".
        options: bounds.
    """

    def __init__(self, target: str, options: ClientOptions) -> None:
        place = address.parse(target)
        self.shared_memory = place.kind == "unix"
        self.models: tuple[ModelInfo, ...] = ()
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._channel = grpc.aio.insecure_channel(
            place.target,
            options=[
                ("grpc.max_send_message_length", options.max_message_bytes),
                ("grpc.max_receive_message_length", options.max_answer_bytes),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.min_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", int(1000 * options.reconnect_s)),
                ("grpc.enable_http_proxy", 0),
                ("grpc.use_local_subchannel_pool", 1),  # links to one engine after the other share no broken connection
            ],
        )
        self._methods: dict[str, Method] = {
            name: self._channel.unary_unary(protocol.method_path(name)) for name in protocol.METHODS
        }

    async def call(self, method: str, data: bytes, timeout_s: float | None) -> tuple[bytes, Mapping[str, str | bytes]]:
        """The bytes of the answer, and the metadata that came with it.

        Raises:
            ShiziError: what the engine raised; EngineUnavailable where none is there.
        """
        call = self._methods[method](data, timeout=timeout_s)
        try:
            answer: bytes = await call
            return answer, dict(await call.trailing_metadata() or ())
        except grpc.aio.AioRpcError as error:
            metadata = [(key, value) for key, value in error.trailing_metadata() or ()]
            raise restored(error.code(), error.details() or "", metadata) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled the caller: the channel was closed, because the engine behind it is gone.
            raise restored(grpc.StatusCode.CANCELLED, "", ()) from None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """For as long as something is to be done over it."""
        self._users += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    async def idle(self) -> None:
        """Returns when nobody holds it."""
        await self._idle.wait()

    async def close(self) -> None:
        """Cancels what is on it."""
        await self._channel.close()


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
        self._pool = ThreadPoolExecutor(self._options.threads, "shizi-engine-client")

    async def read_page(self, page: SharedPage, options: ReadOptions, claim: Claim) -> tuple[Page, Mapping[str, float]]:
        """Reads one page.

        Args:
            page: whose memory must stay until this returns.
            options: as for `OCR.read_page`.
            claim: on whose behalf, and until when; to give it up, cancel the call.

        Returns:
            The page, and the milliseconds of each stage; "queue" is the time that it waited in the engine.

        Raises:
            EngineUnavailable: nothing listens, or the engine ended while it read.
            Overloaded: too many pages wait there.
            DeadlineExceeded: the deadline passed.
            ShiziError: as `OCR.read_page`.
        """
        link = self._linked()
        if claim.deadline <= time.monotonic():
            raise DeadlineExceeded("the time allowed for this page passed before it was sent; allow more")
        with link.held():
            data = await self._written(page, options, claim, shared=link.shared_memory)
            answer, _ = await link.call("ModelInfer", data, _left(claim))
        read, times = read_answer(answer)
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
            with link.held():
                link.models = await _models(link, self._options.question_s)
        return link.models

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

    async def _written(self, page: SharedPage, options: ReadOptions, claim: Claim, *, shared: bool) -> bytes:
        """The bytes of the request; large ones are made on a thread."""
        head, layer = _head(page, options, claim, shared=shared)
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


async def _models(link: Link, timeout_s: float) -> tuple[ModelInfo, ...]:
    request = protocol.new("ModelMetadataRequest")
    request.name, request.version = MODEL, VERSION
    _, metadata = await link.call("ModelMetadata", request.SerializeToString(), timeout_s)
    try:
        return TypeAdapter(tuple[ModelInfo, ...]).validate_json(metadata.get(MODELS_KEY, b""))
    except ValidationError:
        raise EngineUnavailable("what listens there does not say what its models are; look at the address") from None


def _left(claim: Claim) -> float | None:
    """Seconds until its deadline, at least a moment."""
    return None if claim.deadline == math.inf else max(claim.deadline - time.monotonic(), 0.001)


def _head(page: SharedPage, options: ReadOptions, claim: Claim, *, shared: bool) -> tuple[bytes, bytes | None]:
    """The message without its raw contents, and the text layer, if it is worth sending."""
    message = protocol.new("ModelInferRequest")
    message.model_name, message.model_version = MODEL, VERSION
    message.parameters["options"].string_param = _options_json(options)
    message.parameters["tenant"].string_param = claim.tenant
    message.parameters["lane"].string_param = claim.lane
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
