"""Where corrections are kept: rows of the database, each a tenant's, within bounds that hold exactly."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import Conflict, Forbidden, NotFound
from shizi.release.correction import Correction, KeptCorrection, digest, is_id, new_id
from shizi.release.crop import checked_crop

EVERY_TENANT: Final = "*"
_BATCH: Final = 500

_METADATA: Final = sa.MetaData()
_TENANTS: Final = sa.Table(
    "correction_tenants",
    _METADATA,
    sa.Column("tenant", sa.Text),
    sa.Column("kept", sa.BigInteger),
    sa.Column("bytes", sa.BigInteger),
)
_ROWS: Final = sa.Table(
    "corrections",
    _METADATA,
    *(sa.Column(name, sa.Text) for name in ("id", "tenant", "document")),
    *(sa.Column(name, sa.Integer) for name in ("page", "line")),
    *(sa.Column(name, sa.Text) for name in ("polygon", "original", "correction", "model", "model_version", "editor")),
    sa.Column("created", sa.Double),
    sa.Column("sha256", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("crop_size", sa.Integer),
    sa.Column("crop", sa.LargeBinary),
)
_SHOWN: Final = [column for column in _ROWS.c if column.name not in ("tenant", "sha256", "size", "crop")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackLimits:
    """What is kept.

    Attributes:
        rows: corrections of one tenant.
        bytes: of their texts, polygons and crops.
        crops: tenants whose crops are kept; "*" for every tenant's.
    """

    rows: int = 100_000
    bytes: int = 256 * 2**20
    crops: Collection[str] = frozenset()


class FeedbackStore:
    """Thread-safe, and blocking. What is not the tenant's is not there: its id raises NotFound like one that nobody has.

    Attributes:
        limits: what is kept.
    """

    def __init__(self, database: Database, limits: FeedbackLimits) -> None:
        self._database = database
        self.limits = limits

    def add(
        self, tenant: str, editor: str, correction: Correction, crop: bytes | None = None
    ) -> tuple[KeptCorrection, bool]:
        """Keeps a correction; what the same editor sent before is kept once.

        Returns:
            The correction as it is kept, and whether it is new.

        Raises:
            Forbidden: a crop, of a tenant whose crops are not kept.
            Conflict: the tenant has as many as it may.
            ShiziError: the crop is none; see `checked_crop`.
        """
        if crop is not None:
            self._check_crops(tenant)
            crop = checked_crop(crop)
        sha256 = digest(correction, editor, crop)
        with self._database.begin() as connection:
            kept, size = _lock(connection, tenant)
            query = _shown(tenant).where(_ROWS.c.sha256 == sha256)
            if (known := connection.execute(query).one_or_none()) is not None:
                return _kept(known), False
            row = self._row(tenant, editor, correction, crop) | {"sha256": sha256}
            self._check_bounds(kept + 1, size + row["size"])
            now = self._database.now(connection)
            row |= {"id": new_id(now), "created": now}
            connection.execute(sa.insert(_ROWS), row)
            _count(connection, tenant, 1, row["size"])
            return _kept(connection.execute(_shown(tenant).where(_ROWS.c.id == row["id"])).one()), True

    def get(self, tenant: str, correction_id: str) -> KeptCorrection:
        """One correction.

        Raises:
            NotFound: the tenant has none of this id.
        """
        return _kept(self._one(_shown(tenant), correction_id))

    def crop(self, tenant: str, correction_id: str) -> bytes:
        """The picture of its line, a PNG.

        Raises:
            NotFound: the tenant has no correction of this id, or it came without a crop.
        """
        row = self._one(sa.select(_ROWS.c.crop).where(_ROWS.c.tenant == tenant), correction_id)
        if row[0] is None:
            raise NotFound("this correction came without a crop")
        return bytes(row[0])

    def list(
        self, tenant: str, *, document: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[KeptCorrection]:
        """Corrections in the order in which they came.

        Args:
            tenant: whose.
            document: SHA-256 of the only document whose corrections are wanted.
            after: id of the last one that is known already.
            limit: most of them.
        """
        query = _shown(tenant).where(_ROWS.c.id > after).order_by(_ROWS.c.id).limit(limit)
        if document is not None:
            query = query.where(_ROWS.c.document == document)
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(query)]

    def every(self, tenant: str, document: str | None = None) -> Iterator[KeptCorrection]:
        """All of a tenant, or of one of its documents, in the order in which they came; taken a few hundred at a time."""
        after = ""
        while batch := self.list(tenant, document=document, after=after, limit=_BATCH):
            yield from batch
            after = batch[-1].id

    def delete(self, tenant: str, correction_id: str) -> None:
        """Deletes one correction and its crop.

        Raises:
            NotFound: the tenant has none of this id.
        """
        if not is_id(correction_id) or not self._delete(tenant, _ROWS.c.id == correction_id):
            raise _missing()

    def delete_document(self, tenant: str, document: str) -> int:
        """Deletes all corrections of a document; returns how many there were.

        Raises:
            NotFound: the tenant has none of this document.
        """
        deleted = self._delete(tenant, _ROWS.c.document == document)
        if not deleted:
            raise NotFound("there are no corrections of this document")
        return deleted

    def delete_all(self, tenant: str) -> int:
        """Deletes all corrections of a tenant; returns how many there were."""
        return self._delete(tenant, sa.true())

    def _one(self, query: sa.Select[Any], correction_id: str) -> sa.Row[Any]:
        if not is_id(correction_id):
            raise _missing()
        with self._database.read() as connection:
            row = connection.execute(query.where(_ROWS.c.id == correction_id)).one_or_none()
        if row is None:
            raise _missing()
        return row

    def _delete(self, tenant: str, which: sa.ColumnElement[bool]) -> int:
        mine = sa.and_(_ROWS.c.tenant == tenant, which)
        with self._database.begin() as connection:
            _lock(connection, tenant)
            counted = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_ROWS.c.size), 0)).where(mine)
            count, size = connection.execute(counted).one()
            connection.execute(sa.delete(_ROWS).where(mine))
            _count(connection, tenant, -count, -int(size))
        return int(count)

    def _row(self, tenant: str, editor: str, correction: Correction, crop: bytes | None) -> dict[str, Any]:
        polygon = json.dumps(correction.polygon)
        texts = (polygon, correction.original, correction.correction, correction.model, correction.model_version)
        return {
            "tenant": tenant,
            "document": correction.document,
            "page": correction.page,
            "line": correction.line,
            "polygon": polygon,
            "original": correction.original,
            "correction": correction.correction,
            "model": correction.model,
            "model_version": correction.model_version,
            "editor": editor,
            "size": sum(len(text.encode()) for text in texts) + len(crop or b""),
            "crop_size": None if crop is None else len(crop),
            "crop": crop,
        }

    def _check_crops(self, tenant: str) -> None:
        if EVERY_TENANT not in self.limits.crops and tenant not in self.limits.crops:
            raise Forbidden("crops of this tenant are not kept (feedback_crops); send the correction without its crop")

    def _check_bounds(self, rows: int, size: int) -> None:
        if rows > self.limits.rows:
            raise Conflict(
                f"the tenant has {self.limits.rows} corrections, the limit (feedback_rows): export them and delete some"
            )
        if size > self.limits.bytes:
            raise Conflict(
                f"the tenant's corrections would have {size} bytes, the limit (feedback_bytes) is {self.limits.bytes}: "
                "export them and delete some, or send no crops"
            )


def _lock(connection: sa.Connection, tenant: str) -> tuple[int, int]:
    """Number and bytes of a tenant's corrections, which nobody else changes before the transaction ends."""
    made = "INSERT INTO correction_tenants (tenant, kept, bytes) VALUES (:tenant, 0, 0) ON CONFLICT (tenant) DO NOTHING"
    connection.execute(sa.text(made), {"tenant": tenant})
    query = sa.select(_TENANTS.c.kept, _TENANTS.c.bytes).where(_TENANTS.c.tenant == tenant).with_for_update()
    kept, size = connection.execute(
        query
    ).one()  # SQLite has no FOR UPDATE, and needs none: one transaction writes at a time
    return int(kept), int(size)


def _count(connection: sa.Connection, tenant: str, rows: int, size: int) -> None:
    changed = {"kept": _TENANTS.c.kept + rows, "bytes": _TENANTS.c.bytes + size}
    connection.execute(sa.update(_TENANTS).where(_TENANTS.c.tenant == tenant).values(changed))


def _shown(tenant: str) -> sa.Select[Any]:
    return sa.select(*_SHOWN).where(_ROWS.c.tenant == tenant)


def _kept(row: sa.Row[Any]) -> KeptCorrection:
    corners = json.loads(row.polygon)
    return KeptCorrection(
        id=row.id,
        document=row.document,
        page=row.page,
        line=row.line,
        polygon=tuple((float(x), float(y)) for x, y in corners),
        original=row.original,
        correction=row.correction,
        model=row.model,
        model_version=row.model_version,
        editor=row.editor,
        created=datetime.fromtimestamp(row.created, UTC),
        crop_bytes=row.crop_size,
    )


def _missing() -> NotFound:
    return NotFound("there is no correction of this id")
