"""What the account page shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.audit import AuditRow
from portal.db import db
from portal.i18n import kuwait_date
from portal.identity.models import Mandate, Person, SessionRow


def open_sessions(person_id: UUID, now: datetime) -> Sequence[SessionRow]:
    return db.session.scalars(
        select(SessionRow)
        .where(
            SessionRow.person_id == person_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.ends_at > now,
        )
        .order_by(SessionRow.seen_at.desc())
        .limit(50)
    ).all()


def mandates_of(person_id: UUID, now: datetime) -> Sequence[Mandate]:
    """For whom the person may act today."""
    today = kuwait_date(now)
    return (
        db.session.scalars(
            select(Mandate)
            .options(joinedload(Mandate.organisation))
            .where(
                Mandate.person_id == person_id,
                Mandate.organisation_id.is_not(None),
                Mandate.revoked_at.is_(None),
                Mandate.starts_on <= today,
                Mandate.ends_on >= today,
            )
        )
        .unique()
        .all()
    )


def looks_at(
    person_id: UUID, before: int | None = None, limit: int = 50
) -> list[tuple[AuditRow, Person | None]]:
    """Acts of others that touched the person's data, newest first."""
    query = (
        select(AuditRow, Person)
        .outerjoin(Person, Person.id == AuditRow.by_id)
        .where(AuditRow.about_id == person_id)
        .order_by(AuditRow.seq.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return [(row[0], row[1]) for row in db.session.execute(query)]
