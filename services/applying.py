"""From the first answer to the numbered application."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import audit
from portal.actor import Actor
from portal.db import db, lock
from portal.errors import DomainError, Forbidden
from portal.i18n import kuwait_date
from portal.identity import Organisation, Person
from portal.numbering import next_number
from services import giving, rules, sources
from services.definition import Definition
from services.loading import canonical
from services.models import Application, Draft, Submission
from services.versions import current_version, definition_of
from services.workflow import perform


class AnswersChanged(DomainError):
    """What is being submitted is not what was shown."""

    message = _l("Your answers changed since this page was shown. Check them again.")


class NotComplete(DomainError):
    """A question or a paper is still open."""

    status = 422
    message = _l("Something is still missing. The page names it.")


class NotEntitled(DomainError):
    """A condition is not met."""

    status = 409
    message = _l("A condition of this service is not met. The page names it and the law.")


def principal_of(definition: Definition, actor: Actor) -> UUID | None:
    """The establishment applied for; None for oneself. Errors: Forbidden without one."""
    if definition.subject.kind == "establishment":
        if actor.on_behalf_of is None:
            raise Forbidden(_l("Choose first the establishment you act for."))
        return actor.on_behalf_of
    return None


def draft_of(service: str, actor: Actor, organisation_id: UUID | None) -> Draft | None:
    query = select(Draft).where(Draft.service == service, Draft.person_id == actor.person_id)
    if organisation_id is None:
        return db.session.scalar(query.where(Draft.organisation_id.is_(None)))
    return db.session.scalar(query.where(Draft.organisation_id == organisation_id))


def begin_draft(
    definition: Definition, *, by: Actor, now: datetime, answers: Mapping[str, Any] | None = None
) -> Draft:
    """The draft there is, or a new one on the newest version."""
    organisation_id = principal_of(definition, by)
    lock(f"draft:{definition.service}:{by.person_id}")
    draft = draft_of(definition.service, by, organisation_id)
    if draft is None:
        draft = Draft(
            service=definition.service,
            version_id=current_version(definition.service, now).id,
            person_id=by.person_id,
            organisation_id=organisation_id,
            answers=dict(answers or {}),
            documents={},
            sections_done=[],
            started_at=now,
            saved_at=now,
        )
        db.session.add(draft)
        db.session.flush()
    return draft


def save_section(
    draft: Draft, section_id: str, answers: Mapping[str, Any], *, now: datetime
) -> None:
    """Keep the answers of one page; the rest of the draft is untouched."""
    draft.answers = {**draft.answers, **answers}
    draft.sections_done = sorted({*draft.sections_done, section_id})
    draft.saved_at = now
    db.session.flush()


def assess_draft(
    draft: Draft, *, by: Actor, now: datetime
) -> tuple[rules.Assessment, dict[str, Any]]:
    """The draft judged with what the registers say now."""
    definition = definition_of(draft.version_id)
    source = sources.read(definition, by, today=kuwait_date(now), answers=draft.answers)
    assessed = rules.evaluate(definition, draft.answers, today=kuwait_date(now), source=source)
    return assessed, source


def digest_of(assessed: rules.Assessment) -> str:
    """A fingerprint of the answers as shown for checking."""
    return hashlib.sha256(canonical(assessed.answers)).hexdigest()


def open_questions(draft: Draft, assessed: rules.Assessment) -> list[str]:
    """Sections with a visible required question that has no answer."""
    definition = definition_of(draft.version_id)
    missing = []
    for section in definition.sections:
        if section.repeat:
            items = assessed.answers.get(section.repeat.of, [])
            if len(items) < section.repeat.min:
                missing.append(section.id)
            continue
        for field in section.fields:
            if field.type == "computed" or field.id not in assessed.required:
                continue
            if assessed.answers.get(field.id) in (None, "", []):
                missing.append(section.id)
                break
    return missing


def submit(draft: Draft, *, shown: str, by: Actor, now: datetime) -> Application:
    """Hand the draft in: number, submission, first step, invoice, all in one transaction.

    Submitting the same draft again answers the same application. Errors: AnswersChanged,
    NotComplete, NotEntitled, Forbidden.
    """
    lock(f"submit:{draft.id}")
    existing = db.session.scalar(select(Application).where(Application.draft_id == draft.id))
    if existing is not None:
        return existing
    definition = definition_of(draft.version_id)
    if by.level < definition.subject.level or draft.person_id != by.person_id:
        raise Forbidden
    assessed, source = assess_draft(draft, by=by, now=now)
    if digest_of(assessed) != shown:
        raise AnswersChanged
    if open_questions(draft, assessed) or giving.missing_papers(assessed, draft.documents):
        raise NotComplete
    if assessed.verdict is rules.Verdict.UNMET:
        raise NotEntitled
    application = _new_application(definition, draft, assessed, by=by, now=now)
    if definition.appeal_of:
        first = sources.appealed(definition, by, assessed.answers.get("application_no"))
        if first is None:
            raise NotEntitled
        application.appeal_of = first.id
        application.organisation_id = first.organisation_id
    db.session.add(application)
    db.session.flush()
    body = canonical(assessed.answers)
    db.session.add(
        Submission(
            application_id=application.id,
            n=1,
            answers=assessed.answers,
            documents=draft.documents,
            source=rules.without_nulls(source),
            sha256=hashlib.sha256(body).digest(),
            declaration=definition.declaration.model_dump(),
            eligibility={c.id: c.verdict.value for c in assessed.conditions},
            at=now,
            by_id=by.person_id,
        )
    )
    db.session.flush()
    perform(application, "submit", by=by, now=now)
    db.session.delete(draft)
    db.session.flush()
    audit.record(
        "services.application.submitted", on=f"services.application:{application.id}", by=by,
        now=now, about=by.person_id, data={"number": application.number},
    )  # fmt: skip
    return application


def _new_application(
    definition: Definition, draft: Draft, assessed: rules.Assessment, *, by: Actor, now: datetime
) -> Application:
    person = db.session.get_one(Person, by.person_id)
    name = person.name
    if draft.organisation_id is not None:
        name = db.session.get_one(Organisation, draft.organisation_id).name
    return Application(
        id=uuid4(),
        number=next_number(definition.register_code, now=now),
        service=definition.service,
        agency=definition.agency,
        version_id=draft.version_id,
        draft_id=draft.id,
        applicant_id=by.person_id,
        organisation_id=draft.organisation_id,
        applicant_name_ar=name["ar"],
        applicant_name_en=name["en"],
        title_ar=definition.title.ar,
        title_en=definition.title.en,
        state=definition.workflow.initial,
        fee_fils=assessed.fee_fils,
        open_fields=[],
        decision={},
        submitted_at=now,
    )
