"""Reads for the pages of applicants and officers. Lists are keyset-paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, tuple_

from portal.db import db
from portal.errors import NotFound
from portal.identity import Person
from services.models import Application, Draft, Opinion, Outcome, Step, Submission, Vote

PAGE = 50
#: Counting stops here; pages then say "more than".
COUNT_LIMIT = 1000


def application_or_404(application_id: UUID, *, lock: bool = False) -> Application:
    query = select(Application).where(Application.id == application_id)
    found = db.session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


def applications_of(
    person_id: UUID, organisation_id: UUID | None, before: tuple[datetime, UUID] | None = None
) -> Sequence[Application]:
    """Newest first: one's own, or those of the establishment one acts for."""
    query = select(Application).order_by(Application.submitted_at.desc(), Application.id.desc())
    if organisation_id is not None:
        query = query.where(Application.organisation_id == organisation_id)
    else:
        query = query.where(
            Application.applicant_id == person_id, Application.organisation_id.is_(None)
        )
    if before is not None:
        query = query.where(tuple_(Application.submitted_at, Application.id) < before)
    return db.session.scalars(query.limit(PAGE)).all()


def drafts_of(person_id: UUID, organisation_id: UUID | None) -> Sequence[Draft]:
    query = select(Draft).where(Draft.person_id == person_id)
    if organisation_id is None:
        query = query.where(Draft.organisation_id.is_(None))
    else:
        query = query.where(Draft.organisation_id == organisation_id)
    return db.session.scalars(query.order_by(Draft.saved_at.desc()).limit(PAGE)).all()


def steps_of(application_id: UUID) -> list[tuple[Step, Person | None]]:
    rows = db.session.execute(
        select(Step, Person)
        .outerjoin(Person, Person.id == Step.by_id)
        .where(Step.application_id == application_id)
        .order_by(Step.n)
    )
    return [(row[0], row[1]) for row in rows]


def last_words(application_id: UUID) -> str:
    """What the last step said in the officer's own words; empty when nothing."""
    data = db.session.scalar(
        select(Step.data).where(Step.application_id == application_id).order_by(Step.n.desc())
        .limit(1)
    )  # fmt: skip
    return str((data or {}).get("reason") or "")


def submissions_of(application_id: UUID) -> Sequence[Submission]:
    return db.session.scalars(
        select(Submission).where(Submission.application_id == application_id).order_by(Submission.n)
    ).all()


def opinions_of(application_id: UUID) -> Sequence[Opinion]:
    return db.session.scalars(
        select(Opinion).where(Opinion.application_id == application_id).order_by(Opinion.due_at)
    ).all()


def votes_of(application_id: UUID, round_: int) -> Sequence[Vote]:
    return db.session.scalars(
        select(Vote).where(Vote.application_id == application_id, Vote.round == round_)
    ).all()


def desk(
    units: set[UUID],
    *,
    view: str,
    person_id: UUID,
    now: datetime,
    after: tuple[datetime, UUID] | None = None,
    search: str = "",
) -> Sequence[Application]:
    """An officer's queue, most urgent first. ``view``: open, mine, late or waiting."""
    query = select(Application).where(Application.unit_id.in_(units))
    if view == "waiting":
        query = query.where(Application.queue.is_(None), Application.closed_at.is_(None))
        query = query.order_by(Application.submitted_at, Application.id)
        return db.session.scalars(query.limit(PAGE)).all()
    query = query.where(Application.queue.is_not(None))
    if view == "mine":
        query = query.where(Application.assignee_id == person_id)
    if view == "late":
        query = query.where(Application.due_at < now)
    if search:
        query = query.where(
            or_(
                Application.number == search.upper(),
                Application.applicant_name_ar.contains(search, autoescape=True),
                Application.applicant_name_en.icontains(search, autoescape=True),
            )
        )
    if after is not None:
        query = query.where(tuple_(Application.due_at, Application.id) > after)
    return db.session.scalars(query.order_by(Application.due_at, Application.id).limit(PAGE)).all()


def counts(units: set[UUID], *, person_id: UUID, now: datetime) -> dict[str, int]:
    """How many in each view, counted up to ``COUNT_LIMIT``."""
    open_ = and_(Application.unit_id.in_(units), Application.queue.is_not(None))
    views = {
        "open": open_,
        "mine": and_(open_, Application.assignee_id == person_id),
        "late": and_(open_, Application.due_at < now),
        "waiting": and_(
            Application.unit_id.in_(units),
            Application.queue.is_(None),
            Application.closed_at.is_(None),
        ),
    }
    return {
        name: db.session.scalar(
            select(func.count()).select_from(
                select(Application.id).where(where).limit(COUNT_LIMIT).subquery()
            )
        )
        or 0
        for name, where in views.items()
    }


@dataclass(frozen=True)
class Week:
    """What was decided in the last seven days."""

    decided: int
    on_time: int


def week(now: datetime) -> Week:
    rows = db.session.execute(
        select(Application.submitted_at, Application.closed_at).where(
            Application.closed_at > now - timedelta(days=7),
            Application.outcome.in_((Outcome.GRANTED, Outcome.REFUSED)),
        )
    ).all()
    on_time = sum(row.closed_at - row.submitted_at <= timedelta(days=5) for row in rows)
    return Week(len(rows), on_time)


def opinions_asked(agencies: set[str]) -> list[tuple[Opinion, Application]]:
    """Open questions to these agencies, most urgent first."""
    rows = db.session.execute(
        select(Opinion, Application)
        .join(Application, Application.id == Opinion.application_id)
        .where(Opinion.agency.in_(agencies), Opinion.answered_at.is_(None))
        .order_by(Opinion.due_at)
        .limit(PAGE)
    )
    return [(row[0], row[1]) for row in rows]


def opinion_or_404(opinion_id: UUID) -> Opinion:
    found = db.session.scalar(select(Opinion).where(Opinion.id == opinion_id).with_for_update())
    if found is None:
        raise NotFound
    return found
