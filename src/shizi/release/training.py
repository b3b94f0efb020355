"""Corrections as training material: a line of JSON each, and an archive that has their crops beside."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from typing import BinaryIO, Final

from shizi.errors import NotFound
from shizi.release.correction import KeptCorrection, as_plain
from shizi.release.feedback import FeedbackStore

LINES: Final = "corrections.jsonl"


def crop_name(correction_id: str) -> str:
    """Of a crop, in the archive and as lines refer to it."""
    return f"crops/{correction_id}.png"


def training_line(kept: KeptCorrection) -> bytes:
    """One line: the crop's name (null without one), the right text, and all that is known of it."""
    plain = as_plain(kept)
    crop = None if plain.pop("crop_bytes") is None else crop_name(kept.id)
    record = {"crop": crop, "text": plain.pop("correction"), **plain}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write_lines(store: FeedbackStore, tenant: str, document: str | None, out: BinaryIO) -> None:
    """Writes the lines of a tenant, or of one document of it."""
    for kept in store.every(tenant, document):
        out.write(training_line(kept))


def write_archive(store: FeedbackStore, tenant: str, document: str | None, out: BinaryIO) -> None:
    """Writes a tar (pax) with `crops/<id>.png`, and at its end `corrections.jsonl`, whose lines name them."""
    with tempfile.TemporaryFile() as lines, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for kept in store.every(tenant, document):
            if kept.crop_bytes is not None:
                try:
                    crop = store.crop(tenant, kept.id)
                except NotFound:
                    continue  # deleted while the archive was made
                _add(archive, crop_name(kept.id), io.BytesIO(crop), len(crop), kept.created.timestamp())
            lines.write(training_line(kept))
        size = lines.tell()
        lines.seek(0)
        _add(archive, LINES, lines, size, 0.0)


def _add(archive: tarfile.TarFile, name: str, data: BinaryIO, size: int, changed: float) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = size, int(changed)
    archive.addfile(member, data)
