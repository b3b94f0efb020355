"""Where an engine listens: "unix:/path" or "tcp:HOST:PORT"."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from shizi.errors import InvalidRequest

_LONGEST_PATH = 103  # bytes; the least of the systems' bounds for a Unix socket
_HIGHEST_PORT = 65_535
# Nothing else: gRPC takes other forms, such as "unix-abstract:name", for addresses of other kinds.
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_PROBE_S = 1.0
_FORM = "write unix:/path/of/a/socket or tcp:HOST:PORT"


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen at or to call.

    Attributes:
        kind: "unix" has shared memory, "tcp" has not.
        target: as gRPC writes it.
        path: of a Unix socket.
        host: of a TCP address.
    """

    kind: Literal["unix", "tcp"]
    target: str
    path: Path | None = None
    host: str = ""

    @property
    def text(self) -> str:
        """The same text for the same address, however it was written."""
        return self.target if self.kind == "unix" else f"tcp:{self.target}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can call it."""
        if self.kind == "unix" or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def parse(text: str) -> Address:
    """The address; "tcp://HOST:PORT" and "unix:///path" are understood too.

    Raises:
        InvalidRequest: it is none, or the path is longer than a socket's may be.
    """
    kind, _, rest = text.partition(":")
    if kind == "unix":
        return _unix(rest.removeprefix("//"))
    host, _, port = rest.removeprefix("//").rpartition(":")
    if kind != "tcp" or not _HOST.fullmatch(host) or not _PORT.fullmatch(port) or int(port) > _HIGHEST_PORT:
        raise InvalidRequest(f"the address {text!r} is none; {_FORM}")
    return Address("tcp", f"{host}:{int(port)}", host=host)


def _unix(text: str) -> Address:
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        raise InvalidRequest(f"the address {'unix:' + text!r} has no absolute path; {_FORM}")
    if len(text.encode()) > _LONGEST_PATH:
        raise InvalidRequest(f"the path of the socket has more than {_LONGEST_PATH} bytes; choose a shorter one")
    return Address("unix", f"unix:{path}", path)


def free(path: Path) -> None:
    """Removes a socket that a dead process left behind.

    Raises:
        InvalidRequest: somebody listens there, or it is no socket.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidRequest(f"the socket {path} cannot be made: {error.strerror}; choose another path") from None
    if not stat.S_ISSOCK(mode):
        raise InvalidRequest(f"{path} is there and is no socket; choose another path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            return
        except OSError:
            pass
    raise InvalidRequest(f"another process listens at {path}; end it, or choose another path")
