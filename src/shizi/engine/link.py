"""One channel to one engine: calls, errors as ours, who uses it, and what the engine said of itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import grpc
from pydantic import TypeAdapter, ValidationError

from shizi.engine import address, protocol
from shizi.engine.failures import restored
from shizi.engine.host import BEGUN, INSTANCE, MODELS_KEY
from shizi.engine.options import MIB
from shizi.engine.request import MODEL, VERSION
from shizi.engine.security import ClientSecurity
from shizi.errors import EngineUnavailable
from shizi.tracing import headers
from shizi.types import ModelInfo

if TYPE_CHECKING:
    Method = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Bounds of one client.

    Attributes:
        max_message_bytes: of a message with pixels; not more than the engine's own.
        max_answer_bytes: of an answer.
        question_s: seconds that an engine may take to say whether it is ready and what its models are.
        reconnect_s: longest pause between two attempts to connect.
        threads: that copy pixels into messages.
        security: how engines elsewhere are called.
    """

    max_message_bytes: int = 320 * MIB
    max_answer_bytes: int = 256 * MIB
    question_s: float = 5.0
    reconnect_s: float = 2.0
    threads: int = 2
    security: ClientSecurity = field(default_factory=ClientSecurity)


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
        self.instance = ""
        self._timeout_s = options.question_s
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._metadata = options.security.metadata()
        self._channel = _channel(place, options)
        self._methods: dict[str, Method] = {
            name: self._channel.unary_unary(protocol.method_path(name)) for name in protocol.METHODS
        }

    async def call(self, method: str, data: bytes, timeout_s: float | None) -> tuple[bytes, Mapping[str, str | bytes]]:
        """The bytes of the answer, and the metadata that came with it.

        Raises:
            ShiziError: what the engine raised; EngineUnavailable where none is there.
        """
        call = self._methods[method](data, timeout=timeout_s, metadata=(*self._metadata, *headers().items()))
        try:
            answer: bytes = await call
            return answer, dict(await call.trailing_metadata() or ())
        except grpc.aio.AioRpcError as error:
            metadata = [(key, value) for key, value in error.trailing_metadata() or ()]
            begun = any(key == BEGUN for key, _ in error.initial_metadata() or ())
            raise restored(error.code(), error.details() or "", metadata, begun=begun) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled the caller: the channel was closed, because the engine behind it is gone.
            raise restored(grpc.StatusCode.CANCELLED, "", ()) from None

    async def ask(self) -> None:
        """Asks which models make the engine's results, and which process it is.

        Raises:
            EngineUnavailable: nothing listens, it is not ready, or it is no engine of shizi's.
            Unauthenticated: it wants a token that it did not get.
        """
        request = protocol.new("ModelMetadataRequest")
        request.name, request.version = MODEL, VERSION
        with self.held():
            _, metadata = await self.call("ModelMetadata", request.SerializeToString(), self._timeout_s)
        try:
            self.models = _models().validate_json(metadata.get(MODELS_KEY, b""))
        except ValidationError:
            raise EngineUnavailable(
                "what listens there does not say what its models are; look at the address"
            ) from None
        self.instance = str(metadata.get(INSTANCE, ""))

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


def _channel(place: address.Address, options: ClientOptions) -> grpc.aio.Channel:
    arguments = [
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.max_receive_message_length", options.max_answer_bytes),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", int(1000 * options.reconnect_s)),
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),  # links to one engine after the other share no broken connection
    ]
    credentials = options.security.credentials() if place.kind == "tcp" else None
    if credentials is None:
        return grpc.aio.insecure_channel(place.target, options=arguments)
    return grpc.aio.secure_channel(place.target, credentials, options=arguments)


@cache
def _models() -> TypeAdapter[tuple[ModelInfo, ...]]:
    return TypeAdapter(tuple[ModelInfo, ...])
