"""Applications of the demo people, for the tests of services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.actor import Actor
from portal.db import db, unit_of_work, utc_now
from portal.identity import demo
from portal.identity.current import roles_of
from services import applying, giving, queries, reference_data, workflow
from services.definition import ChoiceField, ReferenceField
from services.loading import shipped
from services.models import Application

PERMIT = "pam.work_permit.issue"
ASSISTANCE = "mosa.family_assistance.apply"
STATEMENT = "pam.statement.issue"


def actor(key: str, *, acting: bool = False, level: int = 3) -> Actor:
    """A demo person with the roles granted; call it outside a transaction that writes."""
    person_id = demo.person_id(key)
    return Actor(
        person_id=person_id,
        level=level,
        on_behalf_of=demo.ORGANISATION if acting else None,
        roles=roles_of(person_id),
    )


#: The smallest thing that is a PDF by its ends.
PDF = b"%PDF-1.7\n%%EOF\n"
FILLER = {
    "yes_no": True,
    "text": "نص",
    "long_text": "نص",
    "address": "الفروانية، قطعة 1، شارع 2، منزل 3",
    "civil_id": "292031499008",
    "phone_kw": "+96555000000",
    "iban_kw": "KW81CBKU0000000000001234560101",
    "email": "someone@people.example",
    "integer": 1,
    "money": 500000,
    "date": "1990-05-01",
    "pattern": "A1234567",
}


def answers_of(service: str) -> dict[str, Any]:
    """The answers of the definition's first own test case, what it leaves out filled in."""
    definition = shipped()[service]
    answers = dict(definition.tests[0].answers)
    for section in definition.sections:
        for field in section.fields if section.repeat is None else ():
            value = FILLER.get(field.type)
            if isinstance(field, ChoiceField):
                value = next(iter(field.options))
            elif isinstance(field, ReferenceField):
                value = reference_data.entries(field.list)[0].code
            if field.id not in answers and value is not None:
                answers[field.id] = value
    return answers


def submitted(service: str, by: Actor, **more: Any) -> UUID:
    """An application handed in with these answers; call it outside a transaction."""
    now = utc_now()
    with unit_of_work():
        draft = applying.begin_draft(shipped()[service], by=by, now=now)
        draft.answers = {**answers_of(service), **more}
        draft.sections_done = [section.id for section in shipped()[service].sections]
        db.session.flush()
        assessed, _source = applying.assess_draft(draft, by=by, now=now)
        for paper in assessed.papers:
            giving.give(draft, assessed, paper.key, PDF, name="paper.pdf", by=by, now=now)
        application = applying.submit(draft, shown=applying.digest_of(assessed), by=by, now=now)
        return application.id


def step(application_id: UUID, action: str, by: Actor, **data: Any) -> None:
    """One step in a transaction of its own."""
    with unit_of_work():
        application = queries.application_or_404(application_id, lock=True)
        workflow.perform(application, action, by=by, now=utc_now(), data=data)


def vote(application_id: UUID, choice: str, by: Actor, **data: Any) -> None:
    with unit_of_work():
        application = queries.application_or_404(application_id, lock=True)
        workflow.cast_vote(application, choice, by=by, now=utc_now(), data=data)


def stored(application_id: UUID) -> Application:
    db.session.rollback()
    return db.session.get_one(Application, application_id)
