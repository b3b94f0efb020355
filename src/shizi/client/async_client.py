"""`shizi.AsyncClient`: reads documents at a server, for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from shizi.client.async_jobs import AsyncJobMethods
from shizi.client.async_transport import AsyncTransport
from shizi.client.calls import capabilities_call, models_call, read_call, ready_call
from shizi.client.feedback import list_call, send_call
from shizi.client.options import ClientOptions, ReadKeywords
from shizi.client.upload import upload
from shizi.errors import EngineUnavailable, ShiziError
from shizi.pipeline.options import ReadOptions
from shizi.release.correction import Correction, KeptCorrection
from shizi.types import Document, ModelInfo

if TYPE_CHECKING:
    from shizi.imaging.decode import Source


class AsyncClient(AsyncJobMethods):
    """See `shizi.Client`; belongs to one event loop."""

    def __init__(self, url: str, key: str | None = None, *, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self._transport = AsyncTransport(url, key, self._options)

    async def read(self, source: Source, *, timeout: float | None = None, **options: Unpack[ReadKeywords]) -> Document:
        """See `Client.read`."""
        return await self._read(source, ReadOptions(**options), timeout)

    async def preview(
        self, source: Source, *, timeout: float | None = None, **options: Unpack[ReadKeywords]
    ) -> Document:
        """See `Client.preview`."""
        return await self._read(source, ReadOptions(**options), timeout, preview=True)

    async def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: Literal["raise", "return"] = "raise",
        options: ReadOptions | None = None,
    ) -> AsyncIterator[Document | ShiziError]:
        """See `Client.read_many`."""
        at_a_time = self._options.concurrency
        waiting: deque[asyncio.Task[Document]] = deque()
        try:
            for source in sources:
                waiting.append(asyncio.create_task(self._read(source, options or ReadOptions(), None)))
                if len(waiting) >= at_a_time:
                    yield await _result(waiting.popleft(), on_error)
            while waiting:
                yield await _result(waiting.popleft(), on_error)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def models(self) -> tuple[ModelInfo, ...]:
        """See `Client.models`."""
        return await self._transport.send(models_call())

    async def capabilities(self) -> dict[str, Any]:
        """See `Client.capabilities`."""
        return await self._transport.send(capabilities_call())

    async def ready(self) -> bool:
        """See `Client.ready`."""
        try:
            return await self._transport.send(ready_call())
        except EngineUnavailable:
            return False

    async def feedback(self, correction: Correction, *, crop: bytes | None = None) -> KeptCorrection:
        """See `Client.feedback`."""
        return await self._transport.send(send_call(correction, crop))

    async def corrections(self, *, document: str | None = None) -> AsyncIterator[KeptCorrection]:
        """See `Client.corrections`."""
        after: str | None = None
        while True:
            found, after = await self._transport.send(list_call(document, after))
            for correction in found:
                yield correction
            if after is None:
                return

    async def close(self) -> None:
        """Ends the connections; the object cannot read any more."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(
        self, source: Source, options: ReadOptions, timeout: float | None, *, preview: bool = False
    ) -> Document:
        # Encoding pixels and looking for a file take time that the loop does not have.
        document = await asyncio.to_thread(upload, source)
        return await self._transport.send(read_call(document, options, timeout, preview=preview))


async def _result(task: asyncio.Task[Document], on_error: Literal["raise", "return"]) -> Document | ShiziError:
    try:
        return await task
    except ShiziError as error:
        if on_error == "raise":
            raise
        return error
