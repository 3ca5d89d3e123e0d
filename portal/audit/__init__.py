"""Who did what, to what, for whom: append-only, each row chained to the one before.

An altered, removed or inserted row breaks the chain, and ``flask audit verify`` names the place.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import Index, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.actor import Actor
from portal.db import Json, Model, UtcDateTime, db, lock, utc_now


class AuditRow(Model):
    """One act. ``about_id`` is the person whose data it touched, so that she can read it."""

    __tablename__ = "audit_rows"
    __table_args__ = (
        Index("ix_audit_rows_about", "about_id", "seq"),
        Index("ix_audit_rows_on", "on_", "seq"),
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(120))
    on_: Mapped[str] = mapped_column(String(120))
    by_id: Mapped[UUID | None]
    by_system: Mapped[str | None] = mapped_column(String(60))
    on_behalf_of: Mapped[UUID | None]
    about_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(String(500))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


GENESIS = bytes(32)


def _digest(row: AuditRow) -> bytes:
    fields = [
        str(row.seq),
        row.at.isoformat(timespec="microseconds"),
        row.act,
        row.on_,
        str(row.by_id or ""),
        row.by_system or "",
        str(row.on_behalf_of or ""),
        str(row.about_id or ""),
        row.reason or "",
        json.dumps(row.data, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    ]
    chain = hashlib.sha256(row.previous)
    for field in fields:  # length first: "1|23" and "12|3" must differ
        raw = field.encode()
        chain.update(len(raw).to_bytes(8, "big"))
        chain.update(raw)
    return chain.digest()


def record(
    act: str,
    *,
    on: str,
    by: Actor,
    now: datetime | None = None,
    about: UUID | None = None,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> AuditRow:
    """Add one act to the chain, in the current transaction. ``data`` holds ids and codes only."""
    lock("audit")
    db.session.flush()
    last = db.session.execute(
        select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)
    ).first()
    row = AuditRow(
        seq=(last.seq if last else 0) + 1,
        at=now or utc_now(),
        act=act,
        on_=on,
        by_id=by.person_id,
        by_system=by.system_name,
        on_behalf_of=by.on_behalf_of,
        about_id=about,
        reason=reason[:500] if reason else None,
        data=data or {},
        previous=last.hash if last else GENESIS,
        hash=GENESIS,
    )
    row.hash = _digest(row)
    db.session.add(row)
    db.session.flush()
    return row


def verify() -> tuple[int, int | None]:
    """Walk the whole chain: (rows read, number of the first broken row or None)."""
    previous, count = GENESIS, 0
    for row in db.session.scalars(
        select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)
    ):
        count += 1
        if row.seq != count or row.previous != previous or _digest(row) != row.hash:
            return count, row.seq
        previous = row.hash
    return count, None


cli = AppGroup("audit", help="The chain of acts.")


@cli.command("verify")
def verify_command() -> None:
    """Prove that no act was altered, removed or inserted; exit 1 if one was."""
    count, broken = verify()
    if broken is not None:
        click.echo(f"audit: broken at {broken}")
        raise SystemExit(1)
    click.echo(f"audit: {count} acts, chain whole")
