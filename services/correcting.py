"""A file sent back: only the named questions open, and the answers come again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.public import InvoiceLine, ask_refund, invoice_for, open_invoice
from portal import access
from portal.actor import Actor
from portal.db import db
from portal.i18n import kuwait_date
from services import rules, sources, workflow
from services.definition import Definition, Section, Text
from services.loading import canonical
from services.models import Application, Submission
from services.versions import definition_of

RESUBMIT = "resubmit"


def can_correct(application: Application) -> bool:
    """Whether the file waits for its applicant."""
    definition = definition_of(application.version_id)
    action = definition.action(RESUBMIT)
    return action is not None and application.state in action.from_


def open_section(definition: Definition, application: Application) -> Section | None:
    """The questions the officer named, as one page; None when nothing single was named."""
    fields = tuple(
        field
        for section in definition.sections
        if section.repeat is None
        for field in section.fields
        if field.id in application.open_fields and field.type != "computed"
    )
    if not fields:
        return None
    return Section(
        id="correction",
        title=Text(ar="استكمال النواقص", en="Correct your application"),
        fields=tuple(field.model_copy(update={"visible_if": None}) for field in fields),
    )


def lacking(application: Application, answers: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Named questions that are asked and have no answer."""
    definition = definition_of(application.version_id)
    assessed = rules.evaluate(
        definition, answers, today=kuwait_date(now),
        source=workflow.last_submission(application).source,
    )  # fmt: skip
    return [
        name
        for name in application.open_fields
        if name in assessed.required and assessed.answers.get(name) in (None, "", [])
    ]


def resubmit(
    application: Application, given: Mapping[str, Any], *, by: Actor, now: datetime
) -> Submission:
    """Hand the file in again with the named answers changed; whatever else is sent is ignored.

    A higher fee is asked for by another invoice, a lower one is returned. Errors: NotAllowed,
    Forbidden.
    """
    access.demand(workflow.may_act_for(application, by), hide=True)
    if not can_correct(application):
        raise workflow.NotAllowed
    definition = definition_of(application.version_id)
    last = workflow.last_submission(application)
    allowed = {key: value for key, value in given.items() if key in application.open_fields}
    answers = {**last.answers, **allowed}
    reader = dataclasses.replace(by, on_behalf_of=application.organisation_id)
    source = sources.read(definition, reader, today=kuwait_date(now), answers=answers)
    assessed = rules.evaluate(definition, answers, today=kuwait_date(now), source=source)
    submission = Submission(
        application_id=application.id,
        n=last.n + 1,
        answers=assessed.answers,
        documents=last.documents,
        source=rules.without_nulls(source),
        sha256=hashlib.sha256(canonical(assessed.answers)).digest(),
        declaration=definition.declaration.model_dump(),
        eligibility={c.id: c.verdict.value for c in assessed.conditions},
        at=now,
        by_id=by.person_id,
    )
    db.session.add(submission)
    db.session.flush()
    changed = sorted(key for key in allowed if last.answers.get(key) != assessed.answers.get(key))
    workflow.perform(application, RESUBMIT, by=by, now=now, data={"changed": changed})
    _settle_fee(application, definition, assessed.fee_fils, by=by, now=now)
    return submission


def _settle_fee(
    application: Application, definition: Definition, fee: int, *, by: Actor, now: datetime
) -> None:
    difference, before = fee - application.fee_fils, application.fee_fils
    application.fee_fils = fee
    first = invoice_for(workflow.subject_of(application))
    if not difference or not before or first is None:
        return
    if difference < 0:
        ask_refund(first, amount_fils=-difference, reason="انخفض الرسم بعد التصحيح", now=now, by=by)
        return
    open_invoice(
        subject=f"{workflow.subject_of(application)}:supplement",
        lines=[
            InvoiceLine(
                definition.code, definition.fees[0].gl_code,
                {"ar": "فرق الرسم بعد التصحيح", "en": "Difference in the fee after correction"},
                difference,
            )
        ],
        payer_person_id=application.applicant_id,
        payer_organisation_id=application.organisation_id,
        agency=application.agency,
        title=application.title,
        return_endpoint="services.show_application",
        return_values={"application_id": str(application.id)},
        now=now,
        by=Actor.system("services"),
    )  # fmt: skip


def changes_of(
    definition: Definition, submissions: list[Submission]
) -> list[tuple[Text, str, Any, Any]]:
    """(question, field id, old, new) between the last two submissions, for the officer."""
    if len(submissions) < 2:
        return []
    old, new = submissions[-2].answers, submissions[-1].answers
    found = []
    for section in definition.sections:
        for field in section.fields:
            if section.repeat is None and old.get(field.id) != new.get(field.id):
                found.append((field.label, field.id, old.get(field.id), new.get(field.id)))
    return found
