"""The web page: public, and the same for everybody; what it asks of the API needs a key like any other client."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from shizi.errors import NotFound
from shizi.serving.site import INDEX, SiteFile, site

# Workers go by the policy of their own script, so every file has the page's.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_Endpoint = Callable[..., Coroutine[Any, Any, Response]]

_METHODS: Final = ["GET", "HEAD"]
_YEAR: Final = "public, max-age=31536000, immutable"
_ASK: Final = "no-cache"  # kept, but asked for each time: 304 where it is still the same
_REFUSED: Final = re.compile(r";\s*q=0(\.0{0,3})?\s*$")


def site_routes(folder: Path) -> APIRouter:
    """The router of the page's files, which are read now; to be asked after all others.

    Args:
        folder: of the built page; where there is none, the page's address says how it is built.

    Raises:
        InvalidRequest: the folder holds something else.
    """
    router = APIRouter(include_in_schema=False)
    files = site(folder)

    @router.api_route("/", methods=_METHODS)
    async def index(request: Request) -> Response:
        if INDEX not in files:
            raise NotFound(
                "the web page is not built: run `make web`, and start the server again; the API needs no page"
            )
        return _answer(request, files[INDEX])

    # Metrics count by route: one for each file at the top, and one for each folder.
    for name in sorted({name.partition("/")[0] for name in files}):
        if name in files:
            router.add_api_route(f"/{name}", _always(files[name]), methods=_METHODS)
        else:
            router.add_api_route(f"/{name}/{{rest:path}}", _below(name, files), methods=_METHODS)
    return router


def _always(file: SiteFile) -> _Endpoint:
    async def one(request: Request) -> Response:
        return _answer(request, file)

    return one


def _below(folder: str, files: Mapping[str, SiteFile]) -> _Endpoint:
    async def below(request: Request, rest: str) -> Response:
        file = files.get(f"{folder}/{rest}")
        if file is None:
            raise NotFound("the web page has no such file; it may have been updated: load it again")
        return _answer(request, file)

    return below


def _answer(request: Request, file: SiteFile) -> Response:
    zipped = file.zipped if _takes_gzip(request.headers) else None
    headers = HEADERS | {
        "Cache-Control": _YEAR if file.hashed else _ASK,
        "ETag": f'"{file.digest}{"" if zipped is None else "-gz"}"',
        "Vary": "Accept-Encoding",
    }
    if _known(request.headers.get("if-none-match", ""), file.digest):
        return Response(status_code=304, headers=headers)
    content = file.content if zipped is None else zipped
    if zipped is not None:
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(content))
    return Response(b"" if request.method == "HEAD" else content, headers=headers, media_type=file.media_type)


def _known(tags: str, digest: str) -> bool:
    """Whether If-None-Match (RFC 9110, section 13.1.2) names the file, in either encoding."""
    named = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    return not named.isdisjoint({"*", f'"{digest}"', f'"{digest}-gz"'})


def _takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether Accept-Encoding (RFC 9110, section 12.5.3) names gzip; one that is absent or "*" alone gets what is plain."""
    codings = [coding.strip().lower() for coding in headers.get("accept-encoding", "").split(",")]
    return any(coding.partition(";")[0].strip() == "gzip" and not _REFUSED.search(coding) for coding in codings)
