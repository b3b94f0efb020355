"""Pages of other sites in a browser on this machine, which must not use what strangers may use.

A browser lets any site send forms to http://127.0.0.1:8000 (without seeing the answer), and by DNS rebinding (a name that at
first is the site's own address and then 127.0.0.1) even see it. Keys and tokens stand in a header that such a page cannot set, so
only callers without any are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from shizi.errors import Forbidden

# A name or an address, and perhaps a port: no user, no path.
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_OWN: Final = ("same-origin", "none")  # of Sec-Fetch-Site; "none" is a person who typed an address


def check_page(headers: Mapping[str, str], *, local_names: bool) -> None:
    """Refuses a request without credentials that a page of another site has caused.

    Args:
        headers: of the request.
        local_names: the server is for this machine alone, so that nobody has reason to call it by a name of the network.

    Raises:
        Forbidden: another site's page sent it, or it was sent to a name that is not this machine's.
    """
    said = {name: _values(headers, name) for name in ("host", "origin", "sec-fetch-site")}
    if twice := [name for name, values in said.items() if len(values) > 1]:
        raise Forbidden(
            f"the header {twice[0].title()} came twice with the request; which of them is true, nobody can say"
        )
    host = "".join(said["host"])
    if local_names and host and not _is_local(host):
        raise Forbidden(
            "without a key, this server answers to names of this machine alone (localhost, 127.0.0.1, [::1]); sign in, or start "
            "it with --anonymous always if everybody who can reach it may use it"
        )
    if not set(said["sec-fetch-site"]).issubset(_OWN) or not all(_same(origin, host) for origin in said["origin"]):
        raise Forbidden("a page of another site sent this request; without a key only this server's own page may")


def _same(origin: str, host: str) -> bool:
    return host != "" and origin.partition("://")[2].lower() == host.lower()


def _values(headers: Mapping[str, str], wanted: str) -> list[str]:
    """All of a header; a mapping of Starlette lists one that came twice twice."""
    return [value for name, value in headers.items() if name.lower() == wanted]


def _is_local(host: str) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1].strip("[]").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
