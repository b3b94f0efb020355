"""Results that leave this process are sealed: nobody reads or changes them without the secret of the installation."""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = b"\x01"
_NONCE: Final = 12


class Sealer:
    """AES-256 in GCM (NIST SP 800-38D), a key for each tenant, nonces drawn anew.

    Args:
        secret: of the installation.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, tenant: str, name: str, content: bytes) -> bytes:
        """The content, to be opened for the same tenant under the same name only."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher(tenant).encrypt(nonce, content, name.encode())

    def open(self, tenant: str, name: str, sealed: bytes) -> bytes | None:
        """The content; None where it was sealed otherwise, or changed."""
        if sealed[:1] != _VERSION:
            return None
        try:
            return self._cipher(tenant).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], name.encode())
        except (InvalidTag, ValueError):
            return None

    def alias(self, tenant: str) -> str:
        """A name that does not tell whose it is."""
        return hmac.digest(self._secret, b"alias\0" + tenant.encode(), "sha256").hex()[:32]

    def _cipher(self, tenant: str) -> AESGCM:
        return AESGCM(hmac.digest(self._secret, b"seal\0" + tenant.encode(), "sha256"))
