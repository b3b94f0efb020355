"""`shizi read --server`: a server in the place of the engine."""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from shizi.errors import ImageTooLarge, InvalidRequest, NotFound
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.client.client import Client

# A batch is in no hurry, and there is nobody who would ask again.
_TIMEOUT_S: Final = 3600.0
_PROBE_S: Final = 30.0
_ATTEMPTS: Final = 12
_LONGEST_PAUSE_S: Final = 120.0


class RemoteOptions(BaseModel):
    """The server that reads, and how.

    Attributes:
        server: its address.
        key: an API key or token.
        ca_file: authorities by which it is known.
        concurrency: files at a time.
        max_bytes: of one file.
        timeout_s: seconds that the server may take for a document; None for its own bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str
    key: SecretStr | None
    ca_file: Path | None
    concurrency: int
    max_bytes: int
    timeout_s: int | None


class RemoteReader:
    """Reads at a server what an engine would read here."""

    def __init__(self, client: Client, max_bytes: int, timeout_s: int | None) -> None:
        self._client = client
        self._max_bytes, self._timeout_s = max_bytes, timeout_s

    def read(
        self,
        source: Path | bytes,
        *,
        detect: bool = True,
        classify: bool = True,
        recognize: bool = True,
        pages: Collection[int] | None = None,
        languages: Sequence[str] | None = None,
        password: str | None = None,
        text_layer: Literal["auto", "ignore", "only"] = "auto",
        min_score: float | None = None,
    ) -> Document:
        """See `shizi.cli.reading.Reader`."""
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > self._max_bytes:
            raise ImageTooLarge(
                f"the file has {size} bytes, the limit is {self._max_bytes} bytes; raise it with --max-bytes"
            )
        return self._client.read(
            source,
            timeout=self._timeout_s,
            detect=detect,
            classify=classify,
            recognize=recognize,
            pages=pages,
            languages=languages,
            password=password,
            text_layer=text_layer,
            min_score=min_score,
        )

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


def open_remote(options: RemoteOptions) -> RemoteReader:
    """The server as a reader, once it has answered at all: a batch whose every file would fail does not begin.

    Raises:
        InvalidRequest: the address or the key cannot be used, or the library for it is missing.
        NotFound: there is no file of authorities.
        EngineUnavailable: it cannot be reached.
    """
    if importlib.util.find_spec("httpx") is None:
        raise InvalidRequest("--server needs one more library (httpx is missing): pip install 'shizi[client]'")
    from shizi.client.client import Client
    from shizi.client.options import ClientOptions

    tls = None if options.ca_file is None else authorities(options.ca_file)
    key = None if options.key is None else options.key.get_secret_value()
    with Client(options.server, key, options=ClientOptions(timeout_s=_PROBE_S, attempts=1, tls=tls)) as probe:
        probe.capabilities()
    bounds = ClientOptions(
        timeout_s=_TIMEOUT_S,
        attempts=_ATTEMPTS,
        longest_pause_s=_LONGEST_PAUSE_S,
        concurrency=options.concurrency,
        tls=tls,
    )
    return RemoteReader(Client(options.server, key, options=bounds), options.max_bytes, options.timeout_s)


def authorities(file: Path) -> ssl.SSLContext:
    """Those of --ca-file alone.

    Raises:
        InvalidRequest: it holds none.
        NotFound: it cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        raise InvalidRequest(f"{file} (--ca-file) holds no certificates in PEM: {error.reason or error}") from None
    except OSError as error:
        raise NotFound(f"{file} (--ca-file) cannot be read: {error.strerror or error}") from None
