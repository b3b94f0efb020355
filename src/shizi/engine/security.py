"""Who may call an engine over a network, and how both sides know each other: shared tokens, TLS, certificates of clients."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc

from shizi.engine.failures import details, status, trailers
from shizi.errors import InvalidRequest, Unauthenticated

_HEADER: Final = "authorization"
_SCHEME: Final = "Bearer "
_MOST_TOKENS: Final = 16
_TOKEN: Final = re.compile(r"[!-~]{32,512}")
_MOST_BYTES: Final = 2**20  # of a file of tokens, keys or certificates


@dataclass(frozen=True, slots=True)
class ServerSecurity:
    """What an engine asks of its callers.

    Attributes:
        token_file: tokens, one on a line, of which a caller must know one; the second is for the time while they are changed.
        certificate: of this engine (PEM, with those that vouch for it); callers then speak TLS.
        key: of the certificate (PEM, without a password).
        client_ca: certificates (PEM) of those whose clients may call, who then need a certificate.
    """

    token_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InvalidRequest("TLS needs both a certificate and its key")
        if self.client_ca is not None and self.certificate is None:
            raise InvalidRequest("certificates of clients are only known over TLS: name a certificate and a key too")

    @property
    def keeps_strangers_out(self) -> bool:
        """Whether a caller must have a token or a certificate."""
        return self.token_file is not None or self.client_ca is not None

    def tokens(self) -> tuple[str, ...]:
        """The tokens that are taken; none where callers need none."""
        return () if self.token_file is None else read_tokens(self.token_file)

    def credentials(self) -> grpc.ServerCredentials | None:
        """For a secure port; None for a port without TLS.

        Raises:
            InvalidRequest: a file cannot be read.
        """
        if self.certificate is None or self.key is None:
            return None
        roots = None if self.client_ca is None else _content(self.client_ca)
        return grpc.ssl_server_credentials(
            [(_content(self.key), _content(self.certificate))], roots, require_client_auth=roots is not None
        )


@dataclass(frozen=True, slots=True)
class ClientSecurity:
    """How an engine elsewhere is called.

    Attributes:
        token_file: whose first line is sent with each call.
        ca: certificates (PEM) of those who vouch for engines; TCP addresses are then spoken to over TLS.
        certificate: of this client (PEM), for engines that ask for one.
        key: of the certificate.
    """

    token_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InvalidRequest("a client's certificate and its key belong together: name both, or none")
        if self.certificate is not None and self.ca is None:
            raise InvalidRequest("a client's certificate is shown over TLS only: name the CA of the engines too")

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent with each call."""
        return () if self.token_file is None else ((_HEADER, _SCHEME + read_tokens(self.token_file)[0]),)

    def credentials(self) -> grpc.ChannelCredentials | None:
        """For a secure channel; None for a channel without TLS.

        Raises:
            InvalidRequest: a file cannot be read.
        """
        if self.ca is None:
            return None
        own = [None if path is None else _content(path) for path in (self.key, self.certificate)]
        return grpc.ssl_channel_credentials(_content(self.ca), *own)


class TokenDoor(grpc.aio.ServerInterceptor):
    """Refuses calls without a token before their message is taken.

    Args:
        tokens: that are taken.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = [_digest(_SCHEME + token) for token in tokens]

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 (a handler of any messages)
        """See grpc.aio.ServerInterceptor."""
        given = [value for name, value in handler_call_details.invocation_metadata or () if name == _HEADER]
        if len(given) == 1 and self._knows(given[0]):
            return await continuation(handler_call_details)
        # As if it took a stream: of that nothing is received before it is asked for.
        return grpc.stream_unary_rpc_method_handler(_refuse)

    def _knows(self, given: str | bytes) -> bool:
        digest = _digest(given if isinstance(given, str) else given.decode("latin-1"))
        return any(hmac.compare_digest(digest, token) for token in self._tokens)


async def _refuse(_messages: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    error = Unauthenticated("this engine answers only callers with its token (authorization: Bearer …)")
    await context.abort(status(error), details(error), trailers(error))
    raise AssertionError  # abort never returns


def read_tokens(path: Path) -> tuple[str, ...]:
    """The tokens in a file, one on a line.

    Raises:
        InvalidRequest: it cannot be read, there is none in it, or one is too short to be secret.
    """
    found = tuple(line.strip() for line in _content(path).decode("utf-8", "replace").splitlines() if line.strip())
    if not 1 <= len(found) <= _MOST_TOKENS or not all(_TOKEN.fullmatch(token) for token in found):
        raise InvalidRequest(
            f"{path} must have 1 to {_MOST_TOKENS} tokens of 32 to 512 visible ASCII characters, one on a line; "
            "`openssl rand -hex 32` makes one"
        )
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise InvalidRequest(f"{path} has more than {_MOST_BYTES} bytes; it is no file of keys")
    return content


def _digest(text: str) -> bytes:
    """Of equal length for all, so that comparing says nothing of how long a token is."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
