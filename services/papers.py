"""The sealed paper a decision issues: drawn and sealed in the worker, once for each application."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from certification.public import document_for, draw_paper, seal_document
from portal.actor import Actor
from portal.db import db, utc_now
from portal.i18n import kuwait_date
from portal.identity import Person
from portal.text.agencies import agency_name
from services import rules, workflow
from services.answering import reference_list
from services.definition import ReferenceField
from services.models import Application
from services.versions import definition_of


def _value(definition: Any, fact: Any, value: Any) -> Any:
    """A fact as printed: words of a list in both languages, else the value itself."""
    if isinstance(fact.value, dict) and str(fact.value.get("var", "")).startswith("answers."):
        field = definition.field(fact.value["var"].removeprefix("answers."))
        if isinstance(field, ReferenceField):
            return reference_list(field.list).get(value, {"ar": value, "en": value})
    return value


def issue(application_id: UUID) -> None:
    """Seal the paper of a granted application; the same paper again when it is there."""
    application = db.session.get_one(Application, application_id)
    subject = workflow.subject_of(application)
    definition = definition_of(application.version_id)
    paper = definition.paper
    if paper is None or document_for(subject) is not None:
        db.session.rollback()
        return
    assessed, submission = workflow.assess(application), workflow.last_submission(application)
    now = utc_now()
    today = kuwait_date(application.closed_at or now)

    def read(key: str) -> Any:
        return rules.value_of(
            definition, key, assessed, today=today, source=submission.source,
            case=workflow.case_facts(application),
        )  # fmt: skip

    rows = [
        (fact.label.model_dump(), _value(definition, fact, read(f"paper.{fact.id}")))
        for fact in paper.facts
    ]
    until = read("paper.valid_until")
    valid_until = date.fromisoformat(str(until)) if until else None
    applicant = db.session.get_one(Person, application.applicant_id)
    draw = draw_paper(
        title=paper.title.model_dump(),
        agency=agency_name(application.agency),
        rows=[row for row in rows if row[1] not in (None, "")],
        text=paper.statement.model_dump(),
        lang="ar",
        digits=applicant.digits.value,
    )
    facts = {
        "rows": [
            {"label": label, "value": value if isinstance(value, dict) else str(value)}
            for label, value in rows
            if value not in (None, "")
        ]
    }
    agency, title = application.agency, paper.kind
    db.session.rollback()
    seal_document(
        draw, register="PMT", kind=title, agency=agency, subject=subject, facts=facts,
        valid_until=valid_until, by=Actor.system("worker"), now=now,
    )  # fmt: skip
