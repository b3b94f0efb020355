"""Connections to a Redis that may be slow or gone at any time: few, bounded in time, never tried twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shizi.errors import InvalidRequest

if TYPE_CHECKING:
    from redis.asyncio import BlockingConnectionPool

SCHEMES: Final = ("redis://", "rediss://", "redis+unix://")
_CONNECTIONS: Final = 32


def check_address(url: str, what: str) -> None:
    """Refuses what is no address of a Redis; the message never quotes it (passwords).

    Raises:
        InvalidRequest: with the beginnings that are allowed.
    """
    if not url.startswith(SCHEMES):
        raise InvalidRequest(f"the address of {what} must begin with {', '.join(SCHEMES)}")


def redis_pool(url: str, timeout_s: float, what: str) -> BlockingConnectionPool:
    """Connections that are made when they are first used.

    Args:
        url: address, with a password where there is one.
        timeout_s: longest wait for a free connection, for a new one, and for an answer.
        what: it is for; said in errors.

    Raises:
        InvalidRequest: the library is missing, or the address is none; the message never quotes it (passwords).
    """
    check_address(url, what)
    try:
        from redis.asyncio import BlockingConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        return BlockingConnectionPool.from_url(
            url.replace("redis+unix://", "unix://", 1),
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            max_connections=_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),  # whoever asks has something else to do meanwhile
        )
    except (ImportError, ValueError, TypeError):
        raise InvalidRequest(
            f"{what} cannot be used: install the package `redis`, and check the address of the storage"
        ) from None
