"""Download one file over https into a `.part` file, going on where an earlier attempt stopped."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.models.sources import redacted, require_safe_url

MAX_MODEL_BYTES: Final = 2 << 30
SILENCE_S: Final = 30.0
TOTAL_S: Final = 3600.0
_ATTEMPTS: Final = 5
_PAUSE_S: Final = 0.5
_CHUNK: Final = 1 << 16

Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes that are looked for: their hash, and their number where it is known."""

    sha256: str
    size: int | None = None

    @property
    def limit(self) -> int:
        """No more bytes than these are ever read."""
        return MAX_MODEL_BYTES if self.size is None else self.size


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes, in lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, part: Path, wanted: Wanted, report: Report) -> None:
    """Fill `part`; what stays in it after an error or Ctrl-C is where the next call goes on.

    A file that was put together from several attempts and has the wrong hash is fetched once more from the start, for
    its source may have changed in between. Otherwise the hash is the caller's to verify.

    Raises:
        ModelLoadFailed: no answer, an error status, an unsafe redirect, too many bytes, or too slow.
    """
    require_safe_url(url)
    # None of ours: where others may write, it would have us overwrite a file of its maker's choice.
    if part.is_symlink():
        part.unlink()
    meter = _Meter(report, wanted, time.monotonic() + TOTAL_S)
    resumed = _complete(url, part, meter)
    if resumed and file_sha256(part) != wanted.sha256:
        part.unlink()
        _complete(url, part, meter)


def _complete(url: str, part: Path, meter: _Meter) -> bool:
    """Ask until the file is whole; True where it was put together from more than one answer."""
    resumed = part.exists()
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S)
        if _ask(url, part, meter):
            return resumed
        resumed = part.exists()
    raise ModelLoadFailed(
        f"the connection broke {_ATTEMPTS} times before the whole file had come; pull again to go on from there"
    )


def _ask(url: str, part: Path, meter: _Meter) -> bool:
    """Send one request for what is missing; True when the file is whole."""
    start = part.stat().st_size if part.exists() else 0
    if start == meter.wanted.size:
        return True
    if start > meter.wanted.limit:
        part.unlink()
        start = 0
    headers = {"User-Agent": "shizi", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        # No other scheme gets here: require_safe_url has seen this URL, and _SafeRedirects sees every further one.
        response: HTTPResponse = _opener().open(Request(url, headers=headers), timeout=SILENCE_S)  # noqa: S310
    except HTTPError as error:
        with error:
            if error.code == 416 and start:  # nothing is left from there on: the file behind the URL is another one
                part.unlink()
                return False
            raise ModelLoadFailed(f"the server answers {error.code} {error.reason}") from None
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise ModelLoadFailed(f"the server cannot be reached: {redacted(str(reason))}") from None
    with response:
        return _receive(response, part, start, meter)


@dataclass(frozen=True, slots=True)
class _Meter:
    report: Report
    wanted: Wanted
    deadline: float

    def tick(self, done: int, total: int | None) -> None:
        """Tell how many bytes have come, and stop a transfer that goes over its limits."""
        if done > self.wanted.limit:
            raise ModelLoadFailed(f"the server sends more than the {self.wanted.limit} bytes allowed")
        if time.monotonic() > self.deadline:
            raise ModelLoadFailed(f"the download took longer than {TOTAL_S:.0f} s; pull again to go on from there")
        self.report(done, self.wanted.size if total is None else total)


def _receive(response: HTTPResponse, part: Path, start: int, meter: _Meter) -> bool:
    """Write the body of one answer behind the first `start` bytes, or instead of them; True when the file is whole."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ModelLoadFailed("the server sends the file compressed, though it was asked not to")
    if response.status == 206:
        if not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            part.unlink(missing_ok=True)
            return False
    else:
        start = 0
    length = response.length
    total = None if length is None else start + length
    if total is not None and total > meter.wanted.limit:
        raise ModelLoadFailed(f"the server offers {total} bytes, more than the {meter.wanted.limit} bytes allowed")
    with part.open("ab" if start else "wb") as file:
        return _copy(response, file, start, total, meter)


def _copy(response: HTTPResponse, file: IO[bytes], done: int, total: int | None, meter: _Meter) -> bool:
    """Write what comes behind the `done` bytes that are there; False when the connection broke before the end."""
    meter.tick(done, total)
    while total is None or done < total:
        try:
            # One piece as it comes: whatever has arrived is in the file when the connection breaks or Ctrl-C is typed.
            piece = response.read1(_CHUNK)
        except (HTTPException, OSError):
            return False
        if not piece:
            # Without a length in the answer only the hash can tell whether all came.
            return total is None
        done += len(piece)
        meter.tick(done, total)
        file.write(piece)
    return True


class _SafeRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            require_safe_url(newurl)
            if req.type == "https" and not newurl.startswith("https:"):
                raise InvalidRequest("it leads away from https")
        except InvalidRequest as error:
            fp.close()
            raise ModelLoadFailed(f"the server redirects to where a model may not come from: {error}") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    """Honours the proxies of the environment, as every program does."""
    return build_opener(_SafeRedirects)
