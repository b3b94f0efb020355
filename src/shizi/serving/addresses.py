"""Whose address a request really came from, when proxies that we know stand before the server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal

from shizi.errors import InvalidRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOCAL: Final = ip_address("127.0.0.1")  # stands for whoever comes through a Unix socket

_MOST_HOPS: Final = 32
_LONGEST: Final = 4096
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^";,\s]*))\s*(?=;|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """The proxies that stand before the server.

    Attributes:
        trusted: networks from which proxies come; whoever else sends the header is taken for its own peer address.
        header: the one header that these proxies write. The other one is never read: a proxy that writes only the one lets
            pass whatever a client wrote into the other.
    """

    trusted: tuple[str, ...] = ()
    header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"

    def __post_init__(self) -> None:
        for network in self.trusted:
            try:
                ip_network(network)
            except ValueError:
                raise InvalidRequest(
                    f"{network!r} is no network of trusted proxies; write it like 10.0.0.0/8 or fd00::/8"
                ) from None
        if self.header not in ("x-forwarded-for", "forwarded"):
            raise InvalidRequest("the header of trusted proxies must be x-forwarded-for or forwarded")


class ClientAddress:
    """Finds the address of the client of a request."""

    def __init__(self, options: ProxyOptions) -> None:
        self._networks = tuple(ip_network(network) for network in options.trusted)
        self._header = options.header

    def of(self, peer: str, headers: Mapping[str, str]) -> Address:
        """The last address that no trusted proxy has: everything to the left of it may be invented.

        Args:
            peer: address of the other end of the connection; empty for a Unix socket, which counts as 127.0.0.1.
            headers: of the request; see `Authenticator.authenticate` for those that come several times.
        """
        address = parse_address(peer) if peer else LOCAL
        if address is None:
            return LOCAL
        for hop in self._hops(headers):
            if not self._is_trusted(address):
                return address
            earlier = parse_address(hop)
            if earlier is None:  # "unknown", an alias, or nonsense: the proxy that said so is the last that we know
                return address
            address = earlier
        return address

    def _is_trusted(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)

    def _hops(self, headers: Mapping[str, str]) -> Iterable[str]:
        """What proxies wrote, the nearest first, at most 32 of them."""
        if not self._networks:
            return
        lines = [value for name, value in headers.items() if name.lower() == self._header]
        written = ",".join(lines)
        entries = written[-_LONGEST:].split(",") if written else []
        if len(written) > _LONGEST:
            del entries[0]  # what is left of it may be another address than what was written
        for entry in reversed(entries[-_MOST_HOPS:]):
            yield _forwarded_for(entry) if self._header == "forwarded" else entry.strip()


def parse_address(text: str) -> Address | None:
    """An address with or without port, brackets or zone; addresses of IPv4 in clothes of IPv6 become IPv4."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def group(address: Address, ipv4_prefix: int, ipv6_prefix: int) -> str:
    """The network that counts as one caller: whoever has one address of IPv6 has 2^64 of them."""
    prefix = ipv4_prefix if address.version == 4 else ipv6_prefix
    return str(ip_network((address, prefix), strict=False))


def _forwarded_for(element: str) -> str:
    """The `for` of an element of a Forwarded header (RFC 7239); empty where it has none."""
    found = _FOR.search(element.strip())
    return "" if found is None else (found[1] or found[2] or "")
