"""Forms with several large fields, each taken piece by piece into an unnamed file of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Self

from shizi.errors import ImageTooLarge
from shizi.imaging.limits import MIB
from shizi.serving.form import Form
from shizi.serving.refusals import UploadTooSlow, WrongMediaType
from shizi.serving.uploads import Body, Sink, Upload, UploadLimits


@dataclass(frozen=True, slots=True)
class Parts:
    """What a form held; its files are gone when the context ends.

    Attributes:
        uploads: the large fields that came, by name.
        fields: the others, by name, as they stood there.
    """

    uploads: Mapping[str, Upload]
    fields: Mapping[str, str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        for upload in self.uploads.values():
            upload.close()


async def receive_parts(
    body: Body, needed: str, most: Mapping[str, int], limits: UploadLimits, threads: Executor
) -> Parts:
    """Takes a form.

    Args:
        body: the request.
        needed: the large field that must be there.
        most: names of the large fields, and the bytes that each may have.
        limits: of everything else.
        threads: write the files.

    Raises:
        ImageTooLarge: over a limit; by the length that the request announces before a byte of it is taken.
        InvalidRequest: no form, a field twice, not the one that is needed.
        UnsupportedFormat: another media type.
        UploadTooSlow: it took longer than the limit.
    """
    form = _form(body, needed, most, limits)
    sinks: dict[str, Sink] = {}
    try:
        async with asyncio.timeout(limits.timeout_s):
            taken = 0
            async for chunk in body.stream():
                taken += len(chunk)
                if taken > sum(most.values()) + limits.around:
                    raise _too_large(sum(most.values()) + limits.around)
                await _keep(form, form.feed_pieces(chunk), sinks, most, limits, threads)
            form.finish()
            return Parts(await _finished(sinks), form.fields)
    except TimeoutError:
        _close(sinks)
        raise UploadTooSlow(
            f"the upload took longer than {limits.timeout_s:g} s: send it faster, or send a smaller file"
        ) from None
    except BaseException:
        _close(sinks)
        raise


def _form(body: Body, needed: str, most: Mapping[str, int], limits: UploadLimits) -> Form:
    content_type = body.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise WrongMediaType(f"the request's Content-Type is {media_type[:80]!r}; send multipart/form-data")
    announced = body.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced) > sum(most.values()) + limits.around:
        raise _too_large(sum(most.values()) + limits.around)
    bounds = (limits.max_parts, limits.max_field_bytes, limits.max_header_bytes)
    return Form(content_type, needed, *bounds, others=most.keys() - {needed})


async def _keep(
    form: Form,
    pieces: list[tuple[int, bytes]],
    sinks: dict[str, Sink],
    most: Mapping[str, int],
    limits: UploadLimits,
    threads: Executor,
) -> None:
    for name in form.sources[len(sinks) :]:
        sinks[name] = Sink(dataclasses.replace(limits, max_bytes=most[name]), threads, name)
    for index, piece in pieces:
        await sinks[form.sources[index]].add(piece, len(piece))


async def _finished(sinks: Mapping[str, Sink]) -> dict[str, Upload]:
    with contextlib.ExitStack() as stack:
        uploads = {name: stack.enter_context(await sink.finish()) for name, sink in sinks.items()}
        stack.pop_all()
        return uploads


def _close(sinks: Mapping[str, Sink]) -> None:
    for sink in sinks.values():
        sink.close()


def _too_large(most: int) -> ImageTooLarge:
    return ImageTooLarge(f"the form has more than {most / MIB:.1f} MiB, the limit of its fields together: send less")
