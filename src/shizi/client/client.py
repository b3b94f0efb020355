"""`shizi.Client`: reads documents at a server, and blocks until they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from shizi.client.calls import capabilities_call, models_call, read_call, ready_call
from shizi.client.feedback import list_call, send_call
from shizi.client.jobs import JobMethods
from shizi.client.options import ClientOptions, ReadKeywords
from shizi.client.transport import Transport
from shizi.client.upload import upload
from shizi.errors import EngineUnavailable, ShiziError
from shizi.pipeline.options import ReadOptions
from shizi.release.correction import Correction, KeptCorrection
from shizi.types import Document, ModelInfo

if TYPE_CHECKING:
    from shizi.imaging.decode import Source


class Client(JobMethods):
    """Reads documents at a server of shizi as `shizi.OCR` does here; any number of threads may use one.

    What did not begin (nobody listens, 429, 503) is tried again for a while; nothing else is, and no redirect is followed.

    Args:
        url: of the server, with the path under which a proxy has put it.
        key: an API key or token.
        options: bounds and manners.

    Raises:
        InvalidRequest: the address or the key cannot be used.
    """

    def __init__(self, url: str, key: str | None = None, *, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self._transport = Transport(url, key, self._options)

    def read(self, source: Source, *, timeout: float | None = None, **options: Unpack[ReadKeywords]) -> Document:
        """Reads one document.

        Args:
            source: as for `OCR.read`; pixels are sent as a PNG.
            timeout: seconds that the server may take for it; default: the server's own.
            options: as for `OCR.read`.

        Raises:
            ShiziError: as `OCR.read`; Unauthenticated, Forbidden, RateLimited, Overloaded and EngineUnavailable beside.
        """
        return self._transport.send(read_call(upload(source), ReadOptions(**options), timeout))

    def preview(self, source: Source, *, timeout: float | None = None, **options: Unpack[ReadKeywords]) -> Document:
        """The same on pages that the server makes smaller first: sooner, but small print may be missing."""
        return self._transport.send(read_call(upload(source), ReadOptions(**options), timeout, preview=True))

    def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: Literal["raise", "return"] = "raise",
        options: ReadOptions | None = None,
    ) -> Iterator[Document | ShiziError]:
        """Reads documents, `ClientOptions.concurrency` at a time; yields them in order.

        Args:
            sources: as for `read`; taken one by one, as results are taken.
            on_error: "raise" ends at the first document that cannot be read; "return" yields its error in its place.
            options: the same for all; as for `read`.
        """
        at_a_time = self._options.concurrency
        waiting: deque[Future[Document]] = deque()

        def read(source: Source) -> Document:
            return self._transport.send(read_call(upload(source), options or ReadOptions(), None))

        with ThreadPoolExecutor(at_a_time, "shizi-client") as pool:
            try:
                for source in sources:
                    waiting.append(pool.submit(read, source))
                    if len(waiting) > at_a_time:
                        yield _result(waiting.popleft(), on_error)
                while waiting:
                    yield _result(waiting.popleft(), on_error)
            finally:
                for future in waiting:
                    future.cancel()

    def models(self) -> tuple[ModelInfo, ...]:
        """The models that read."""
        return self._transport.send(models_call())

    def capabilities(self) -> dict[str, Any]:
        """What the server offers and its limits, as plain values of JSON."""
        return self._transport.send(capabilities_call())

    def ready(self) -> bool:
        """Whether the server may be given work; False also where nobody listens."""
        try:
            return self._transport.send(ready_call())
        except EngineUnavailable:
            return False

    def feedback(self, correction: Correction, *, crop: bytes | None = None) -> KeptCorrection:
        """Says what a line should have been read as; what is sent twice is kept once.

        Args:
            correction: see `correction_of`, which makes one from a result.
            crop: the picture of the line, a PNG; only where the operator keeps those of the tenant.
        """
        return self._transport.send(send_call(correction, crop))

    def corrections(self, *, document: str | None = None) -> Iterator[KeptCorrection]:
        """What the tenant has corrected, in the order in which it came; of one document by its SHA-256."""
        after: str | None = None
        while True:
            found, after = self._transport.send(list_call(document, after))
            yield from found
            if after is None:
                return

    def close(self) -> None:
        """Ends the connections; the object cannot read any more."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _result(future: Future[Document], on_error: Literal["raise", "return"]) -> Document | ShiziError:
    try:
        return future.result()
    except ShiziError as error:
        if on_error == "raise":
            raise
        return error
