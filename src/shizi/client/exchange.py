"""What both transports do without waiting: the arguments of a request, and an answer as it comes in."""

from __future__ import annotations

import random
import ssl
import time
from typing import Any, Final

import httpx

from shizi.client.address import authorization, parse_address
from shizi.client.answer import MAX_ERROR_BYTES, Answer, strange
from shizi.client.calls import Call
from shizi.client.options import ClientOptions
from shizi.client.retry import pause
from shizi.errors import DeadlineExceeded, ImageTooLarge, InvalidRequest, ShiziError

_KEEP_S: Final = 30.0  # shorter than the server keeps a connection (75 s), so that none is used while it is closed
_LEAST_S: Final = 0.001
_CHANCE: Final = random.SystemRandom()
FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL)


class Plan:
    """How one client speaks to its server.

    Raises:
        InvalidRequest: the address or the key cannot be used.
    """

    def __init__(self, url: str, key: str | None, options: ClientOptions) -> None:
        self.options = options
        self._address = parse_address(url)
        self._secret = authorization(key)
        try:
            httpx.URL(self._address.base).host.encode("idna")  # as the system's resolver will want it
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InvalidRequest(f"the server's address cannot be used: {error}") from None

    def settings(self) -> dict[str, Any]:
        """For httpx: no redirect is followed, so that neither key nor document goes where nobody sent it."""
        return {
            "follow_redirects": False,
            "limits": httpx.Limits(max_connections=self.options.concurrency, keepalive_expiry=_KEEP_S),
            "verify": self.options.tls or (_authorities() if self._address.safe else _no_authority()),
        }

    def request(self, call: Call[Any], content: object, end: float) -> dict[str, Any]:
        """The arguments of httpx for a call.

        Args:
            call: what is asked.
            content: the pieces of its body, or None.
            end: when it must be over, in `time.monotonic()`.
        """
        # Answers come as they are: what unpacks to more than was bounded cannot be bounded.
        headers = {"User-Agent": "shizi", "Accept-Encoding": "identity", **call.headers, **self._secret}
        if call.body is not None:
            headers["Content-Type"] = call.body.media_type
            if call.body.size is not None:
                headers["Content-Length"] = str(call.body.size)
        seconds = max(end - time.monotonic(), _LEAST_S)
        return {
            "method": call.method,
            "url": self._address.of(call.path),
            "params": dict(call.params),
            "headers": headers,
            "content": content,
            "timeout": httpx.Timeout(seconds, connect=min(seconds, self.options.connect_timeout_s)),
        }

    def end(self, call: Call[Any]) -> float:
        """When a call that begins now must be over, in `time.monotonic()`."""
        return time.monotonic() + max(self.options.timeout_s, call.timeout_s)

    def wait(self, call: Call[Any], error: ShiziError, status: int, attempt: int, end: float) -> float:
        """Seconds until the next attempt.

        Raises:
            ShiziError: the error itself, where there is to be none.
        """
        # Where nobody listened, nothing of the body was taken yet.
        again = call.again and (call.body is None or call.body.again or status == 0)
        seconds = pause(error, status, attempt, self.options, _CHANCE.random()) if again else None
        if seconds is None or time.monotonic() + seconds >= end:
            raise error
        return seconds


class Incoming:
    """An answer as it comes in, bounded in bytes and time.

    Raises:
        ImageTooLarge: it says itself that it has too many bytes.
        ShiziError: it is compressed.
    """

    def __init__(self, response: httpx.Response, options: ClientOptions, end: float) -> None:
        self._response, self._end = response, end
        self._good = 200 <= response.status_code < 300
        self._limit = options.max_answer_bytes if self._good else MAX_ERROR_BYTES
        self._content = bytearray()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise strange(self.answer(), "it is compressed, though that was not asked for")
        length = response.headers.get("content-length", "")
        if self._good and length.isdecimal() and len(length) < 20 and int(length) > self._limit:
            raise self._too_large()

    def add(self, piece: bytes) -> bool:
        """Takes a piece; False where no more is wanted, which only an error's answer can be.

        Raises:
            ImageTooLarge: the answer is over its bound.
            DeadlineExceeded: the time is over.
        """
        if time.monotonic() > self._end:
            raise DeadlineExceeded("the server's answer did not come in the time allowed (timeout_s): allow more")
        self._content += piece
        if len(self._content) <= self._limit:
            return True
        if self._good:
            raise self._too_large()
        return False

    def answer(self) -> Answer:
        """What has come."""
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Answer(self._response.status_code, headers, bytes(self._content))

    def _too_large(self) -> ImageTooLarge:
        return ImageTooLarge(
            f"the server's answer has more than {self._limit} bytes, the limit (max_answer_bytes): read fewer pages at a time"
        )


def _authorities() -> ssl.SSLContext:
    """Those that httpx brings (or SSL_CERT_FILE names), and those of the system, where a house keeps its own."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _no_authority() -> ssl.SSLContext:
    """For a server without TLS: to read hundreds of certificates takes longer than it does to ask it."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
