"""Verbs of identity: enter, leave, choose for whom one acts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal import audit
from portal.actor import Actor
from portal.db import db
from portal.errors import Forbidden, NotFound
from portal.identity import sessions
from portal.identity.current import mandate_holds
from portal.identity.models import Digits, Person, SessionRow


def enter(person: Person, *, level: int, factor: str, now: datetime) -> None:
    """Begin a session of this person in this browser, at the level just proven."""
    sessions.sign_in(person.id, level=level, factor=factor, now=now)
    audit.record(
        "portal.identity.signed_in",
        on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=level),
        now=now,
        about=person.id,
        data={"factor": factor, "level": level},
    )


def change_preferences(
    person_id: UUID, *, digits: Digits, language: str, by: Actor, now: datetime
) -> None:
    """Which digits and language she wants on pages, messages and papers."""
    db.session.execute(
        update(Person).where(Person.id == person_id).values(digits=digits, language=language)
    )
    audit.record(
        "portal.identity.preferences_changed", on=f"portal.person:{person_id}", by=by, now=now,
        about=person_id, data={"digits": digits.value, "language": language},
    )  # fmt: skip


def end_session(session_id: UUID, *, by: Actor, now: datetime) -> None:
    """End one of one's own sessions. Errors: NotFound for another's."""
    owner = db.session.scalar(select(SessionRow.person_id).where(SessionRow.id == session_id))
    if owner is None or owner != by.person_id:
        raise NotFound
    sessions.end(session_id, now=now)
    audit.record(
        "portal.identity.session_ended", on=f"portal.person:{owner}", by=by, now=now, about=owner
    )


def act_for(session_id: UUID, organisation_id: UUID | None, *, by: Actor, now: datetime) -> None:
    """Act for an organisation from now on, or for oneself. Errors: Forbidden without mandate."""
    if organisation_id is not None and (
        by.person_id is None or not mandate_holds(by.person_id, organisation_id)
    ):
        raise Forbidden
    db.session.execute(
        update(SessionRow).where(SessionRow.id == session_id).values(acting_for=organisation_id)
    )
    audit.record(
        "portal.identity.principal_chosen", on=f"portal.person:{by.person_id}", by=by, now=now,
        about=by.person_id, data={"organisation": str(organisation_id or "")},
    )  # fmt: skip
