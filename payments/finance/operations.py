"""Close the accounting day: one prepares, another approves, the difference must be nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from payments.ledger import operations as ledger
from payments.ledger.models import LedgerDay, LedgerEntry
from payments.models import Attempt, AttemptState
from payments.reconciliation.models import BankLine
from payments.reconciliation.operations import Difference, SamePerson, unmatched_lines
from portal import audit
from portal.actor import Actor
from portal.db import db, lock
from portal.errors import DomainError
from portal.i18n import kuwait_date


class NotPrepared(DomainError):
    message = _l("The day was not prepared yet, or it is closed.")


@dataclass(frozen=True)
class Overview:
    """The open day: what stands in the way of its close."""

    day: date
    prepared_by: str | None
    entries: int
    unknown_attempts: int
    unmatched: tuple[BankLine, ...]

    @property
    def difference_fils(self) -> int:
        return sum(line.fils for line in self.unmatched)

    @property
    def may_close(self) -> bool:
        return not self.unmatched and not self.unknown_attempts


def overview(now: datetime) -> Overview:
    """The earliest open day with its open ends."""
    day = db.session.scalar(select(func.min(LedgerDay.day)).where(LedgerDay.state == "open"))
    row = db.session.get(LedgerDay, day) if day else None
    return Overview(
        day=day or kuwait_date(now),
        prepared_by=row.prepared_by if row else None,
        entries=db.session.scalar(
            select(func.count()).select_from(LedgerEntry).where(LedgerEntry.day == day)
        )
        or 0,
        unknown_attempts=db.session.scalar(
            select(func.count()).select_from(Attempt).where(Attempt.state == AttemptState.UNKNOWN)
        )
        or 0,
        unmatched=tuple(unmatched_lines()),
    )


def _who(by: Actor) -> str:
    return str(by.person_id)


def prepare(*, by: Actor, now: datetime) -> date:
    """The first of two says: it agrees. Errors: Difference."""
    lock("ledger")
    day = ledger.open_day(now)
    if not overview(now).may_close:
        raise Difference
    db.session.execute(
        update(LedgerDay)
        .where(LedgerDay.day == day)
        .values(prepared_by=_who(by), prepared_at=now)
        .execution_options(synchronize_session=False)
    )
    audit.record("payments.day.prepared", on=f"payments.day:{day}", by=by, now=now)
    return day


def approve(*, by: Actor, now: datetime) -> date:
    """The second closes it; the next day is open. Errors: NotPrepared, SamePerson, Difference."""
    lock("ledger")
    day = ledger.open_day(now)
    prepared_by = db.session.scalar(select(LedgerDay.prepared_by).where(LedgerDay.day == day))
    if prepared_by is None:
        raise NotPrepared
    if prepared_by == _who(by):
        raise SamePerson
    if not overview(now).may_close:
        raise Difference
    ledger.close_day(day, prepared_by=prepared_by, approved_by=_who(by), now=now)
    audit.record("payments.day.closed", on=f"payments.day:{day}", by=by, now=now)
    return day
