"""Signatures of webhooks, as Standard Webhooks 1.0.0 asks for them: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """A secret in the form in which receivers are given it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def signed_headers(message_id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> Mapping[str, str]:
    """The headers that prove who sent a message, and when.

    Args:
        message_id: the same for every attempt; without a full stop, which separates what is signed.
        timestamp: of this attempt, whole seconds since 1970.
        body: exactly the bytes that are sent.
        keys: secrets (`whsec_…`); two while one is being replaced.
    """
    if "." in message_id or not keys:
        raise ValueError("a message has an id without full stops, and at least one secret")
    content = b".".join((message_id.encode("ascii"), str(timestamp).encode("ascii"), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(key: str, content: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    return "v1," + base64.b64encode(hmac.digest(raw, content, hashlib.sha256)).decode("ascii")
