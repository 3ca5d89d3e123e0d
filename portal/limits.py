"""Slow down who tries too often: a sliding window, counted even when the try is refused."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Index, LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, UtcDateTime, db, keep_anyway, unit_of_work, utc_now
from portal.errors import TooMany
from portal.jobs import job


class Try(Model):
    """One try of something limited. The key is hashed: no address or number is kept."""

    __tablename__ = "tries"
    __table_args__ = (Index("ix_tries_key", "kind", "key_hash", "at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(60))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def count(kind: str, key: str, per: timedelta) -> int:
    """How many tries there were within the window."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Try)
            .where(Try.kind == kind, Try.key_hash == _hash(key), Try.at > utc_now() - per)
        )
        or 0
    )


def note(kind: str, key: str) -> None:
    """Count one try, whatever becomes of this request."""
    now = utc_now()
    keep_anyway(lambda: db.session.add(Try(kind=kind, key_hash=_hash(key), at=now)))


def limit(kind: str, key: str, *, times: int, per: timedelta) -> None:
    """Count this try. Errors: TooMany when there were already ``times`` within ``per``."""
    if count(kind, key, per) >= times:
        raise TooMany
    note(kind, key)


def network_of(address: str | None) -> str:
    """The network an address belongs to: /24, or /48 of the newer kind."""
    plain = address or "-"
    if ":" in plain:
        return ":".join(plain.split(":")[:3])
    return ".".join(plain.split(".")[:3])


@job(every=timedelta(hours=1))
def forget_old_tries() -> None:
    with unit_of_work() as session:
        session.execute(delete(Try).where(Try.at < utc_now() - timedelta(days=1)))
