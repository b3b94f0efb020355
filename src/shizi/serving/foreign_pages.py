"""Pages of other sites in a browser on this machine, which must not use what strangers may use.

A browser lets any site send forms to http://127.0.0.1:8000 (without seeing the answer), and by DNS rebinding (a name that at
first is the site's own address and then 127.0.0.1) even see it. Keys and tokens stand in a header that such a page cannot set, so
only callers without any are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from shizi.errors import Forbidden

_OWN: Final = ("same-origin", "none")  # of Sec-Fetch-Site; "none" is a person who typed an address


def check_page(headers: Mapping[str, str], *, local_names: bool) -> None:
    """Refuses a request without credentials that a page of another site has caused.

    Args:
        headers: of the request.
        local_names: the server is for this machine alone, so that nobody has reason to call it by a name of the network.

    Raises:
        Forbidden: another site's page sent it, or it was sent to a name that is not this machine's.
    """
    host = headers.get("host", "")
    if local_names and host and not _is_local(host):
        raise Forbidden(
            "without a key, this server answers to names of this machine alone (localhost, 127.0.0.1, [::1]); sign in, or start "
            "it with --anonymous always if everybody who can reach it may use it"
        )
    if headers.get("sec-fetch-site", "none") not in _OWN or not _same(headers.get("origin"), host):
        raise Forbidden("a page of another site sent this request; without a key only this server's own page may")


def _same(origin: str | None, host: str) -> bool:
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
