"""What the registers tell of an applicant, read again at submission; each look-up is logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from portal import registers
from portal.actor import Actor
from portal.db import db
from portal.i18n import kuwait_date
from services.definition import Definition, RegisterField
from services.models import Application, Outcome

#: Our own register: what was decided on this portal.
DECISIONS = "services.decision"


def _decisions(definition: Definition, actor: Actor) -> list[dict[str, Any]]:
    """The applicant's refusals that this service may hear and that no appeal was filed against."""
    from portal.identity.current import mandate_holds

    appealed = select(Application.appeal_of).where(
        Application.appeal_of.is_not(None), Application.outcome.is_distinct_from(Outcome.WITHDRAWN)
    )
    rows = db.session.scalars(
        select(Application)
        .where(
            Application.service.in_(definition.appeal_of),
            Application.outcome == Outcome.REFUSED,
            Application.applicant_id == actor.person_id,
            Application.id.not_in(appealed),
        )
        .order_by(Application.closed_at.desc())
        .limit(50)
    )
    return [
        {
            "number": row.number,
            "name_ar": f"{row.number} {row.title_ar}",
            "name_en": f"{row.number} {row.title_en}",
            "outcome": "refused",
            "told_on": kuwait_date(row.closed_at or datetime.now(tz=row.submitted_at.tzinfo)),
        }
        for row in rows
        if row.organisation_id is None
        or (actor.person_id is not None and mandate_holds(actor.person_id, row.organisation_id))
    ]


def _look_up(register: str, definition: Definition, actor: Actor, today: date) -> Any:
    if register == DECISIONS:
        return _decisions(definition, actor)
    if actor.person_id is None:
        return None
    return registers.look_up(
        register,
        person_id=actor.person_id,
        organisation_id=actor.on_behalf_of,
        today=today,
        reason=definition.title.ar,
        by=actor,
    )


def read(
    definition: Definition,
    actor: Actor,
    *,
    today: date,
    answers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``{source name: facts}``: by the subject, or the one record an answer names by its number."""
    found: dict[str, Any] = {}
    if actor.person_id is None:
        return found
    for name, source in definition.prefill.items():
        answer = _look_up(source.register_name, definition, actor, today)
        if source.key.startswith("answers.") and isinstance(answer, list):
            wanted = (answers or {}).get(source.key.removeprefix("answers."))
            answer = next((r for r in answer if str(r.get("number")) == str(wanted)), None)
        if answer is not None:
            found[name] = answer
    return found


def records(
    definition: Definition, fields: tuple[Any, ...], actor: Actor, *, today: date
) -> dict[str, list[dict[str, Any]]]:
    """The applicant's own records that the questions of a page choose from, by register."""
    found: dict[str, list[dict[str, Any]]] = {}
    for field in fields:
        if isinstance(field, RegisterField):
            answer = _look_up(field.register_name, definition, actor, today)
            found[field.register_name] = answer if isinstance(answer, list) else []
    return found


def appealed(definition: Definition, actor: Actor, number: Any) -> Application | None:
    """The refused application an appeal names, when it is the applicant's and may be heard."""
    known = {row["number"] for row in _decisions(definition, actor)}
    if number not in known:
        return None
    return db.session.scalar(select(Application).where(Application.number == number))
