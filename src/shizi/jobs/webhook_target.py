"""Where a webhook may go: rules about addresses, pure; nothing here resolves a name or opens a connection.

The address of a webhook comes from a client, and the server stands where the client does not: behind firewalls, beside databases,
on a machine whose cloud hands out keys to whoever asks from within. So an address is taken apart strictly, and a connection is
only made to public unicast addresses (by the IANA registries of special-purpose addresses), or to networks that the operator
has named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal

import idna

from shizi.errors import InvalidRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 253
_MOST_ANSWERS: Final = 64
_SHAPE: Final = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_VISIBLE: Final = re.compile(r"[!-~]*")  # of ASCII; the rest of a path is percent-encoded by whoever sends it

_DEFAULT_PORT: Final = {"https": 443, "http": 80}
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")

# Not even where the operator's networks hold them: nobody receives webhooks there, and clouds hand out their keys.
_NEVER: Final = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"),
        *("169.254.169.254/32", "169.254.170.2/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
        *("fd00:ec2::254/128", "fd20:ce::254/128"),
    )
)
_NOT_PUBLIC: Final = tuple(
    ip_network(text)
    for text in (
        *(
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
        ),
        *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        # Within 2000::/3: protocols and Teredo, documentation, 6to4, the former 6bone.
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRules:
    """What an operator allows.

    Attributes:
        schemes: `http` sends what the job is called and how it ended in the clear.
        ports: a port beyond these is refused, so that no other service on a public machine is spoken to.
        networks: internal networks that may be reached, beside public addresses.
    """

    schemes: tuple[Literal["https", "http"], ...] = ("https",)
    ports: tuple[int, ...] = (443, 8443)
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """An address that holds by its form.

    Attributes:
        scheme: in lower case.
        host: a name in ASCII (A-labels, lower case), or an address without brackets.
        port: named or by the scheme.
        path: with the query; begins with a slash.
        literal: the host, where it is an address.
    """

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def authority(self) -> str:
        """As the header Host has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks such as 10.1.0.0/16 or fd12::/48.

    Raises:
        InvalidRequest: one is none.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text))
        except ValueError:
            raise InvalidRequest(
                f"{text!r} is no network for webhooks; write it like 10.1.0.0/16 or fd12::/48"
            ) from None
    return tuple(found)


def target_of(url: str, rules: TargetRules) -> Target:
    """The parts of a webhook's address.

    Raises:
        InvalidRequest: it has another form, scheme or port than is allowed, or names an address that may not be reached.
    """
    shape = _SHAPE.fullmatch(url) if 0 < len(url) <= LONGEST_URL and "\\" not in url else None
    if shape is None:
        raise InvalidRequest(
            f"is no address like https://host/path without spaces, backslashes or fragment, of at most {LONGEST_URL} characters"
        )
    scheme, authority = shape[1].lower(), shape[2]
    if scheme not in rules.schemes:
        raise InvalidRequest(f"has the scheme {scheme}; this server allows {' and '.join(rules.schemes)}")
    if "@" in authority:
        raise InvalidRequest("may hold no user name or password; the signature proves who sends")
    path = (shape[3] or "/") + (shape[4] or "")
    if not _VISIBLE.fullmatch(path):
        raise InvalidRequest("has a path with characters that must be percent-encoded")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise InvalidRequest("has no host, or a port that is none")
    port = _DEFAULT_PORT[scheme] if found[2] is None else int(found[2])
    if port not in rules.ports:
        raise InvalidRequest(f"has the port {port}; this server allows {', '.join(str(each) for each in rules.ports)}")
    literal, host = _host(found[1])
    if literal is not None:
        check_address(literal, rules)
    return Target(scheme, host, port, path, literal)


def check_answers(addresses: Sequence[Address], rules: TargetRules) -> Address:
    """The one of a name's addresses to connect to: the first; all must be allowed, or somebody plays tricks.

    Raises:
        InvalidRequest: there is none, there are too many, or one is not allowed.
    """
    if not 0 < len(addresses) <= _MOST_ANSWERS:
        raise InvalidRequest(f"its name has {len(addresses)} addresses; it must have 1 to {_MOST_ANSWERS}")
    for address in addresses:
        check_address(address, rules)
    return addresses[0]


def check_address(address: Address, rules: TargetRules) -> None:
    """Refuses what is neither public nor in the operator's networks, in whatever clothes it comes.

    Raises:
        InvalidRequest: in words that do not tell which internal address a name has.
    """
    plain = _plain(address)
    never = any(plain.version == network.version and plain in network for network in _NEVER)
    named = any(plain.version == network.version and plain in network for network in rules.networks)
    if never or not (named or _is_public(plain)):
        raise InvalidRequest(
            "leads to an address that is not public, nor in a network that this server allows for webhooks"
        )


def _plain(address: Address) -> Address:
    """The IPv4 address that an address of IPv6 stands for where translators turn it into one."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return IPv6Address("::")  # of one link: never
        if address in _MAPPED or address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    special = any(address.version == network.version and address in network for network in _NOT_PUBLIC)
    # The library's own list as well, which may come to know what this one does not.
    return not special and address.is_global and not address.is_multicast and not address.is_reserved


def _host(text: str) -> tuple[Address | None, str]:
    if text.startswith("["):
        try:
            if "%" in text:
                raise ValueError
            literal = IPv6Address(text[1:-1])
        except ValueError:
            raise InvalidRequest(
                "has something in brackets that is no address of IPv6 (a zone is not allowed)"
            ) from None
        return literal, literal.compressed
    name = _name(text)
    if _NUMBER.fullmatch(name.rpartition(".")[2]) is None:
        return None, name
    try:
        # Octal, hexadecimal and shortened forms mean different addresses to different programs: only four decimals are one.
        found = ip_address(name)
    except ValueError:
        raise InvalidRequest(
            "ends in a number and is no address like 192.0.2.1 (no octal, hexadecimal or short forms)"
        ) from None
    return found, str(found)


def _name(text: str) -> str:
    """The name in ASCII, by IDNA 2008 after the mapping of UTS 46."""
    if not text or text.endswith((".", "。", "．", "｡")):
        raise InvalidRequest("has no host, or one that ends in a dot")
    try:
        # A label such as 0x7f or 127 is mapped as well, so that numbers in wide digits are looked at as the numbers they are.
        name = idna.encode(text, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise InvalidRequest("has a host that is no name of letters, digits and hyphens") from None
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"has a host of more than {_LONGEST_NAME} characters")
    return name
