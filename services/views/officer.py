"""The officer's desk: a queue with a clock, the whole file on one page, a decision."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import flask
from flask_babel import gettext as _
from sqlalchemy import select, update
from werkzeug.wrappers import Response

from certification.public import document_for
from payments.public import invoice_for
from portal import access, audit
from portal.db import db, is_postgres, keep_anyway, utc_now
from portal.errors import DomainError, NotFound
from portal.files.models import StoredFile
from portal.files.operations import files_by_id
from portal.identity import Unit, current_actor
from portal.pages import PortalForm, page, redirect_to
from services import correcting, queries, workflow
from services.definition import Definition
from services.models import Application
from services.rules import Assessment, NeededPaper
from services.shown import answer_rows, shown, step_label
from services.versions import definition_of
from services.views.citizen import serve_file

desk = flask.Blueprint(
    "services_desk", __name__, template_folder="../templates", url_prefix="/<lang:lang>/desk"
)

LEASE = timedelta(minutes=30)
VIEWS = ("open", "mine", "late", "waiting")


def _units() -> set[UUID]:
    """The units whose desk the officer sees: named in a grant, or all of the agency's."""
    actor = current_actor()
    found: set[UUID] = set()
    for role in ("officer", "unit_head"):
        for held, agency, unit in actor.roles:
            if held == role and unit is not None:
                found.add(unit)
            elif held == role:
                found |= set(db.session.scalars(select(Unit.id).where(Unit.agency == agency)))
    return found


@desk.get("/applications")
@access.role("officer", "unit_head")
def list_queue() -> Response:
    """Most urgent first; the figures above are the filters."""
    actor, now, units = current_actor(), utc_now(), _units()
    view = flask.request.args.get("view", "open")
    if view not in VIEWS:
        raise NotFound
    after = None
    if "after" in flask.request.args:
        at, _sep, ident = flask.request.args["after"].partition("|")
        try:
            after = (datetime.fromisoformat(at), UUID(ident))
        except ValueError:
            raise NotFound from None
    search = flask.request.args.get("q", "").strip()[:100]
    rows = queries.desk(
        units, view=view, person_id=actor.known_person, now=now, after=after, search=search
    )
    names = {
        unit.id: unit.name for unit in db.session.scalars(select(Unit).where(Unit.id.in_(units)))
    }
    return page(
        "services/list_queue.html",
        rows=rows,
        states={a.id: definition_of(a.version_id).workflow.states[a.state] for a in rows},
        counts=queries.counts(units, person_id=actor.known_person, now=now),
        view=view,
        search=search,
        names=names,
        now=now,
        form=PortalForm(),
        more=(
            f"{rows[-1].due_at.isoformat()}|{rows[-1].id}"
            if len(rows) == queries.PAGE and rows[-1].due_at
            else None
        ),
    )


@desk.post("/applications/next")
@access.role("officer")
def take_next() -> Response:
    """The most urgent file nobody holds, claimed in one statement."""
    actor, now = current_actor(), utc_now()
    oldest = (
        select(Application.id)
        .where(
            Application.unit_id.in_(_units()),
            Application.queue.is_not(None),
            Application.assignee_id.is_(None),
            Application.applicant_id != actor.person_id,
        )
        .order_by(Application.due_at, Application.id)
        .limit(1)
    )
    if is_postgres():
        oldest = oldest.with_for_update(skip_locked=True)
    claimed = db.session.scalar(
        update(Application)
        .where(Application.id == oldest.scalar_subquery())
        .values(
            assignee_id=actor.person_id,
            lease_until=now + LEASE,
            row_version=Application.row_version + 1,
        )
        .returning(Application.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        return redirect_to("services_desk.list_queue", view="mine")
    audit.record(
        "services.application.claimed", on=f"services.application:{claimed}", by=actor, now=now
    )
    return redirect_to("services_desk.show_file", application_id=claimed)


def _file(application_id: UUID, *, lock: bool = False) -> Application:
    application = queries.application_or_404(application_id, lock=lock)
    actor = current_actor()
    allowed = actor.has_role("officer", application.agency, application.unit_id) or actor.has_role(
        "unit_head", application.agency, application.unit_id
    )
    access.demand(allowed and application.unit_id is not None, hide=True)
    access.demand(not workflow.is_party(application, actor))
    return application


def _shown(definition: Definition, name: str, value: Any) -> Any:
    field = definition.field(name)
    return shown(field, value) if field is not None else value


def _papers(
    application: Application, assessed: Assessment
) -> list[tuple[NeededPaper, StoredFile | None]]:
    documents = workflow.last_submission(application).documents
    known = files_by_id({UUID(value) for value in documents.values()})
    return [
        (paper, known.get(UUID(documents[paper.key])) if paper.key in documents else None)
        for paper in assessed.papers
    ]


def _render(application: Application, *, told: str = "", typed: Any = None) -> Response:
    actor, now = current_actor(), utc_now()
    definition = definition_of(application.version_id)
    assessed = workflow.assess(application)
    subject = workflow.subject_of(application)
    state = definition.workflow.states[application.state]
    return page(
        "services/show_file.html",
        application=application,
        definition=definition,
        state=state,
        assessed=assessed,
        rows=answer_rows(definition, assessed),
        changes=[
            (label, _shown(definition, name, old), _shown(definition, name, new))
            for label, name, old, new in correcting.changes_of(
                definition, list(queries.submissions_of(application.id))
            )
        ],
        step_label=step_label,
        papers=_papers(application, assessed),
        steps=queries.steps_of(application.id),
        opinions=queries.opinions_of(application.id),
        invoice=invoice_for(subject),
        paper=document_for(subject),
        possible=[
            a for a in workflow.possible(application, actor, now) if a.by in {"officer", "head"}
        ],
        committee=state.committee,
        votes=len(queries.votes_of(application.id, workflow.voting_round(application))),
        held_by_other=application.assignee_id not in (None, actor.person_id),
        told=told,
        typed=typed or {},
        form=PortalForm(),
        status=422 if told else 200,
    )


@desk.get("/applications/<uuid:application_id>")
@access.role("officer", "unit_head")
def show_file(application_id: UUID) -> Response:
    """Answers, papers, payment, conditions, history and the steps one may take."""
    application = _file(application_id)
    actor, about, ident = current_actor(), application.applicant_id, application.id
    keep_anyway(
        lambda: (
            audit.record(
                "services.file.looked_at", on=f"services.application:{ident}", by=actor, about=about
            )
            and None
        )
    )
    return _render(application)


@desk.get("/applications/<uuid:application_id>/papers/<uuid:file_id>")
@access.role("officer", "unit_head")
def show_paper(application_id: UUID, file_id: UUID) -> Response:
    """A paper of this file; the look is written down."""
    application = _file(application_id)
    given = {UUID(value) for value in workflow.last_submission(application).documents.values()}
    access.demand(file_id in given, hide=True)
    actor, about, ident = current_actor(), application.applicant_id, application.id

    def write() -> None:
        audit.record(
            "services.paper.looked_at", on=f"services.application:{ident}", by=actor, about=about,
            data={"file": str(file_id)},
        )  # fmt: skip

    keep_anyway(write)
    return serve_file(file_id)


@desk.post("/applications/<uuid:application_id>/<action_id>")
@access.role("officer", "unit_head")
def act(application_id: UUID, action_id: str) -> Response:
    """One step; whoever comes second is told what happened since and loses no word."""
    application = _file(application_id, lock=True)
    form = flask.request.form
    data = {
        "reason": form.get("reason", "").strip()[:2000],
        "note": form.get("note", "").strip()[:2000],
        "opinion": form.get("opinion", "").strip()[:2000],
        "report": form.get("report", "").strip()[:4000],
        "reason_code": form.get("reason_code", ""),
        "law": form.get("reason_code", ""),
        "fields": form.getlist("fields"),
    }
    data = {key: value for key, value in data.items() if value}
    try:
        if action_id.startswith("vote-"):
            workflow.cast_vote(
                application, action_id.removeprefix("vote-"), by=current_actor(), now=utc_now(),
                data=data,
            )  # fmt: skip
        else:
            workflow.perform(
                application,
                action_id,
                by=current_actor(),
                now=utc_now(),
                data=data,
                expected_version=form.get("row_version", 0, type=int),
            )
    except (workflow.Stale, workflow.Incomplete, workflow.NotAllowed) as error:
        db.session.rollback()
        return _render(_file(application_id), told=str(error.message), typed=data)
    if application.closed_at or application.queue is None:
        flask.flash(_("Done. The next file is the most urgent one below."))
        return redirect_to("services_desk.list_queue")
    return redirect_to("services_desk.show_file", application_id=application_id)


@desk.post("/applications/<uuid:application_id>/give-back")
@access.role("officer")
def give_back(application_id: UUID) -> Response:
    """Return a file to the pool."""
    application = _file(application_id, lock=True)
    if application.assignee_id == current_actor().person_id:
        application.assignee_id = None
        application.lease_until = None
        audit.record(
            "services.application.given_back", on=workflow.subject_of(application),
            by=current_actor(), now=utc_now(),
        )  # fmt: skip
    return redirect_to("services_desk.list_queue")


@desk.get("/opinions")
@access.role("officer")
def list_opinions() -> Response:
    """What other agencies ask of mine."""
    agencies = current_actor().agencies("officer")
    return page(
        "services/list_opinions.html", rows=queries.opinions_asked(agencies), form=PortalForm()
    )


@desk.post("/opinions/<uuid:opinion_id>")
@access.role("officer")
def give_opinion(opinion_id: UUID) -> Response:
    verdict, words = flask.request.form.get("verdict", ""), flask.request.form.get("words", "")
    opinion = queries.opinion_or_404(opinion_id)
    if verdict not in {"positive", "negative"} or not words.strip():
        raise DomainError(_("Choose an opinion and say why."), status=422)
    workflow.answer_opinion(
        opinion, verdict=verdict, words=words.strip()[:2000], by=current_actor(), now=utc_now()
    )
    return redirect_to("services_desk.list_opinions")
