"""Pages of the applicant: draft, check, submit, follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import flask
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from certification.public import document_for, pdf_of
from payments.public import invoice_for, receipt_of
from portal import access
from portal.db import utc_now
from portal.errors import NotFound
from portal.files.operations import BadFile, with_content
from portal.i18n import both, kuwait_date
from portal.identity import current_actor
from portal.pages import PortalForm, page, redirect_to
from services import applying, correcting, giving, queries, sources, workflow
from services.answering import section_form
from services.definition import Definition
from services.letters import letter_of
from services.loading import shipped
from services.models import Application, Draft
from services.shown import answer_rows, step_label
from services.versions import definition_of

applicant = flask.Blueprint(
    "services", __name__, template_folder="../templates", url_prefix="/<lang:lang>"
)


def _definition(code: str) -> Definition:
    found = next((d for d in shipped().values() if code in {d.code, d.service}), None)
    if found is None:
        raise NotFound
    return found


def _draft(definition: Definition) -> Draft | None:
    actor = current_actor()
    return applying.draft_of(definition.service, actor, applying.principal_of(definition, actor))


def _needs_principal(definition: Definition) -> Response | None:
    if definition.subject.kind == "establishment" and current_actor().on_behalf_of is None:
        return redirect_to("identity.choose_principal", next=flask.request.path)
    return None


@applicant.get("/services/<code>/apply")
@access.signed_in(level=2)
def begin(code: str) -> Response:
    """Where the application stands: the first page that is not done yet."""
    definition = _definition(code)
    if (elsewhere := _needs_principal(definition)) is not None:
        return elsewhere
    draft = _draft(definition)
    done = set(draft.sections_done) if draft else set()
    for section in definition.sections:
        if section.id not in done and any(f.type != "computed" for f in section.fields):
            return redirect_to("services.answer_section", code=code, section_id=section.id)
    if draft is not None:
        assessed, _source = applying.assess_draft(draft, by=current_actor(), now=utc_now())
        if giving.missing_papers(assessed, draft.documents):
            return redirect_to("services.give_papers", code=code)
    return redirect_to("services.check_answers", code=code)


@applicant.route("/services/<code>/papers", methods=["GET", "POST"])
@access.signed_in(level=2)
def give_papers(code: str) -> Response:
    """The papers asked for, one by one; what was given before is offered again."""
    definition = _definition(code)
    if (elsewhere := _needs_principal(definition)) is not None:
        return elsewhere
    draft = _draft(definition)
    if draft is None:
        return redirect_to("services.begin", code=code)
    actor, now = current_actor(), utc_now()
    assessed, _source = applying.assess_draft(draft, by=actor, now=now)
    form, told, told_of = PortalForm(), "", ""
    if form.validate_on_submit():
        key = told_of = flask.request.form.get("paper", "")
        intent = flask.request.form.get("intent", "give")
        upload = flask.request.files.get("file")
        try:
            if intent == "remove":
                giving.take_back(draft, key, now=now)
            elif intent == "again":
                giving.give_again(
                    draft, assessed, key, _uuid(flask.request.form.get("file_id")), by=actor,
                    now=now,
                )  # fmt: skip
            else:
                giving.give(
                    draft, assessed, key, upload.read() if upload else b"",
                    name=(upload.filename or "") if upload else "", by=actor, now=now,
                )  # fmt: skip
        except BadFile as error:
            told = str(error.message)
        else:
            return redirect_to("services.give_papers", code=code)
    return page(
        "services/give_papers.html",
        form=form,
        definition=definition_of(draft.version_id),
        papers=giving.asked_papers(assessed, draft.documents, actor),
        missing=giving.missing_papers(assessed, draft.documents),
        told=told,
        told_of=told_of,
        code=code,
        status=422 if told else 200,
    )


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None


def serve_file(file_id: UUID) -> Response:
    """A paper as handed in, for who may see it; never run by the browser."""
    file = with_content(file_id)
    if file is None:
        raise NotFound
    return flask.Response(
        file.content,
        mimetype=file.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )


@applicant.route("/services/<code>/apply/<section_id>", methods=["GET", "POST"])
@access.signed_in(level=2)
def answer_section(code: str, section_id: str) -> Response:
    """One page of questions; saved as soon as it is sent."""
    definition = _definition(code)
    if (elsewhere := _needs_principal(definition)) is not None:
        return elsewhere
    draft = _draft(definition)
    pinned = definition_of(draft.version_id) if draft else definition
    section = pinned.section(section_id)
    if section is None:
        raise NotFound
    asked = [s for s in pinned.sections if any(f.type != "computed" for f in s.fields)]
    now = utc_now()
    if section.repeat:
        return _items(code, pinned, draft, section_id, asked, now)
    form = section_form(
        section,
        draft.answers if draft else {},
        today=kuwait_date(now),
        registers=sources.records(pinned, section.fields, current_actor(), today=kuwait_date(now)),
    )
    if form.validate_on_submit():
        stored = form.stored()
        kept = applying.begin_draft(pinned, by=current_actor(), now=now)
        applying.save_section(kept, section.id, stored, now=now)
        assessed, _source = applying.assess_draft(kept, by=current_actor(), now=now)
        lacking = [
            f.id for f in section.fields
            if f.id in form and f.id in assessed.required and stored.get(f.id) in (None, "")
        ]  # fmt: skip
        if not lacking:
            return redirect_to("services.begin", code=code)
        for field_id in lacking:
            field = pinned.field(field_id)
            label = both(field.label) if field else field_id
            form[field_id].errors = [_("Enter: %(question)s", question=label)]
    return page(
        "services/answer_section.html",
        form=form,
        definition=pinned,
        section=section,
        step=asked.index(section) + 1,
        steps=len(asked) + 1,
        draft=draft,
        code=code,
    )


def _items(
    code: str, pinned: Any, draft: Any, section_id: str, asked: list[Any], now: datetime
) -> Response:
    """A list the person adds to, one item at a time."""
    section = pinned.section(section_id)
    repeat = section.repeat
    items = list((draft.answers if draft else {}).get(repeat.of, []))
    intent = flask.request.form.get("intent", "")
    if flask.request.method == "POST" and intent.startswith("remove:"):
        at = intent.removeprefix("remove:")
        if draft is not None and at.isdigit() and int(at) < len(items):
            del items[int(at)]
            applying.save_section(draft, section.id, {repeat.of: items}, now=now)
        return redirect_to("services.answer_section", code=code, section_id=section_id)
    if flask.request.method == "POST" and intent == "done" and len(items) >= repeat.min:
        kept = applying.begin_draft(pinned, by=current_actor(), now=now)
        applying.save_section(kept, section.id, {repeat.of: items}, now=now)
        return redirect_to("services.begin", code=code)
    form = section_form(section, {}, today=kuwait_date(now))
    if intent != "done" and form.validate_on_submit() and len(items) < repeat.max:
        kept = applying.begin_draft(pinned, by=current_actor(), now=now)
        answers = {**kept.answers, repeat.of: [*items, form.stored()]}
        kept.answers, kept.saved_at = answers, now
        return redirect_to("services.answer_section", code=code, section_id=section_id)
    too_few = intent == "done"
    return page(
        "services/answer_items.html", form=form, definition=pinned, section=section, items=items,
        step=asked.index(section) + 1, steps=len(asked) + 1, code=code, draft=draft,
        status=422 if too_few else 200, too_few=too_few,
    )  # fmt: skip


@applicant.route("/services/<code>/check", methods=["GET", "POST"])
@access.signed_in(level=2)
def check_answers(code: str) -> Response:
    """Everything once more, what it costs, the declaration; then it is handed in."""
    definition = _definition(code)
    draft = _draft(definition)
    now, actor = utc_now(), current_actor()
    if draft is None:
        return redirect_to("services.list_applications")
    pinned = definition_of(draft.version_id)
    form = PortalForm()
    told = ""
    if form.validate_on_submit():
        if flask.request.form.get("declared") != "yes":
            told = _("Confirm the declaration before you submit.")
        else:
            try:
                application = applying.submit(
                    draft, shown=flask.request.form.get("shown", ""), by=actor, now=now
                )
            except (applying.AnswersChanged, applying.NotComplete, applying.NotEntitled) as error:
                told = str(error.message)
            else:
                return redirect_to("services.show_application", application_id=application.id)
    assessed, source = applying.assess_draft(draft, by=actor, now=now)
    return page(
        "services/check_answers.html",
        form=form,
        definition=pinned,
        assessed=assessed,
        rows=answer_rows(pinned, assessed),
        source=source,
        missing=applying.open_questions(draft, assessed),
        papers=giving.asked_papers(assessed, draft.documents, actor),
        papers_missing=giving.missing_papers(assessed, draft.documents),
        shown=applying.digest_of(assessed),
        told=told,
        code=code,
        status=422 if told else 200,
    )


@applicant.get("/my/applications")
@access.signed_in(level=1)
def list_applications() -> Response:
    """Continue where you were; what is under way; what was decided."""
    actor = current_actor()
    before = None
    if "before" in flask.request.args:
        at, _sep, ident = flask.request.args["before"].partition("|")
        try:
            before = (datetime.fromisoformat(at), UUID(ident))
        except ValueError:
            raise NotFound from None
    rows = queries.applications_of(actor.known_person, actor.on_behalf_of, before)
    drafts = queries.drafts_of(actor.known_person, actor.on_behalf_of)
    return page(
        "services/list_applications.html",
        applications=rows,
        states={a.id: definition_of(a.version_id).workflow.states[a.state] for a in rows},
        drafts=[(draft, definition_of(draft.version_id)) for draft in drafts],
        more=f"{rows[-1].submitted_at.isoformat()}|{rows[-1].id}"
        if len(rows) == queries.PAGE
        else None,
    )


def _mine(application_id: UUID, *, lock: bool = False) -> Application:
    application = queries.application_or_404(application_id, lock=lock)
    access.demand(workflow.may_act_for(application, current_actor()), hide=True)
    return application


def _may_appeal(application: Application, now: datetime) -> bool:
    until = application.decision.get("appeal_until")
    return (
        until is not None
        and datetime.fromisoformat(until) > now
        and application.decision.get("appeal_to") in shipped()
    )


@applicant.get("/my/applications/<uuid:application_id>")
@access.signed_in(level=2)
def show_application(application_id: UUID) -> Response:
    """Number, clock, who has it, what happens next, papers and receipts."""
    application = _mine(application_id)
    definition = definition_of(application.version_id)
    subject = workflow.subject_of(application)
    now = utc_now()
    invoice = invoice_for(subject)
    return page(
        "services/show_application.html",
        application=application,
        definition=definition,
        state=definition.workflow.states[application.state],
        steps=queries.steps_of(application.id),
        assessed=workflow.assess(application),
        rows=answer_rows(definition, workflow.assess(application)),
        invoice=invoice,
        receipt=receipt_of(invoice.id) if invoice is not None else None,
        paper=document_for(subject),
        step_label=step_label,
        can_correct=correcting.can_correct(application),
        asked=queries.last_words(application.id),
        letter=letter_of(application, definition),
        may_appeal=_may_appeal(application, now),
        supplement=invoice_for(f"{subject}:supplement"),
        possible=[
            a for a in workflow.possible(application, current_actor(), now) if a.id == "withdraw"
        ],
    )


@applicant.route("/my/applications/<uuid:application_id>/correct", methods=["GET", "POST"])
@access.signed_in(level=2)
def correct(application_id: UUID) -> Response:
    """Only the questions the officer named are open; the rest stands as handed in."""
    application = _mine(application_id, lock=flask.request.method == "POST")
    if not correcting.can_correct(application):
        return redirect_to("services.show_application", application_id=application_id)
    definition = definition_of(application.version_id)
    section = correcting.open_section(definition, application)
    now, actor = utc_now(), current_actor()
    answers = workflow.last_submission(application).answers
    if section is None:
        form: Any = PortalForm()
        given: dict[str, Any] = {}
    else:
        form = section_form(
            section, answers, today=kuwait_date(now),
            registers=sources.records(definition, section.fields, actor, today=kuwait_date(now)),
        )  # fmt: skip
    if form.validate_on_submit():
        given = form.stored() if section is not None else {}
        missing = correcting.lacking(application, {**answers, **given}, now=now)
        if not missing:
            correcting.resubmit(application, given, by=actor, now=now)
            return redirect_to("services.show_application", application_id=application_id)
        for field_id in missing:
            field = definition.field(field_id)
            label = both(field.label) if field else field_id
            form[field_id].errors = [_("Enter: %(question)s", question=label)]
    return page(
        "services/correct_application.html",
        form=form,
        application=application,
        section=section,
        asked=queries.last_words(application.id),
        rows=[
            row
            for row in answer_rows(definition, workflow.assess(application))
            if row.field_id not in application.open_fields
        ],
    )


@applicant.post("/my/applications/<uuid:application_id>/withdraw")
@access.signed_in(level=2)
def withdraw(application_id: UUID) -> Response:
    application = _mine(application_id, lock=True)
    workflow.perform(application, "withdraw", by=current_actor(), now=utc_now())
    return redirect_to("services.show_application", application_id=application_id)


@applicant.get("/my/applications/<uuid:application_id>/paper.pdf")
@access.signed_in(level=2)
def download_paper(application_id: UUID) -> Response:
    """The sealed paper itself."""
    application = _mine(application_id)
    found = document_for(workflow.subject_of(application))
    paper = pdf_of(found.id) if found else None
    if paper is None:
        raise NotFound
    return flask.Response(
        paper.pdf,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{paper.number}.pdf"',
            "Cache-Control": "no-store",
        },
    )
