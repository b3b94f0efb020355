"""The server of `shizi jobs`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from shizi.cli.options import first_line
from shizi.cli.remote import authorities as trusted
from shizi.errors import InvalidRequest
from shizi.settings import Settings

if TYPE_CHECKING:
    from shizi.client.client import Client


def open_client(server: str | None, key_file: Path | None, ca_file: Path | None, settings: Settings) -> Client:
    """A client of the server that a command names, or the settings.

    Raises:
        InvalidRequest: none is named; the address or the key cannot be used; the library for it is missing.
        NotFound: there is no file of the key or of authorities.
    """
    if importlib.util.find_spec("httpx") is None:
        raise InvalidRequest("jobs need one more library (httpx is missing): pip install 'shizi[client]'")
    from shizi.client.client import Client
    from shizi.client.options import ClientOptions

    address = server or settings.server
    if not address:
        raise InvalidRequest("name the server with --server or SHIZI_SERVER, such as http://127.0.0.1:8000")
    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    if key_file is not None:
        key = first_line(key_file, "key")
    known = ca_file or settings.ca_file
    return Client(address, key, options=ClientOptions(tls=None if known is None else trusted(known)))
