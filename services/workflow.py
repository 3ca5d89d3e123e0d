"""One door for every step of an application: who may, whether the guard lets, what follows.

``perform`` runs in the caller's transaction. Whoever comes second finds another ``row_version``
and is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from payments.public import (
    Invoice,
    InvoiceLine,
    ask_refund,
    cancel_invoice,
    invoice_for,
    open_invoice,
)
from portal import audit, worktime
from portal.actor import Actor
from portal.db import db
from portal.errors import DomainError, Forbidden
from portal.events import publish
from portal.i18n import kuwait_date
from portal.identity import Unit
from portal.numbering import next_number
from services import rules
from services.definition import Action, Definition, State
from services.events import ApplicationMoved, PaperDue
from services.models import (
    Application,
    Opinion,
    Outcome,
    PaymentOrder,
    Step,
    Submission,
    Timer,
    Vote,
)
from services.versions import definition_of

#: A chain of steps by rule longer than this is a fault of the definition.
LONGEST_CHAIN = 12
#: The step an upheld appeal adds to the first application.
REOPENED = "reopened"


class Stale(DomainError):
    """Somebody acted in between."""

    message = _l("Somebody acted on this application before you. The page shows what happened.")


class NotAllowed(DomainError):
    """The step does not lead from here, or its condition does not hold."""

    message = _l("This step is not possible now. The page shows what is.")


class SamePerson(DomainError):
    """The second signature must be another person's."""

    status = 403
    message = _l("You took an earlier step of this application: another person must take this one.")


class OwnCase(DomainError):
    """Nobody decides for himself."""

    status = 403
    message = _l("This application is yours or your employer's: another officer must handle it.")


class Incomplete(DomainError):
    """Something the step needs was not given."""

    status = 422
    message = _l("This step needs a reason or a choice that was not given.")


def subject_of(application: Application) -> str:
    """How lower packages name an application."""
    return f"services.application:{application.id}"


def last_submission(application: Application) -> Submission:
    return db.session.scalars(
        select(Submission)
        .where(Submission.application_id == application.id)
        .order_by(Submission.n.desc())
        .limit(1)
    ).one()


def assess(application: Application) -> rules.Assessment:
    """The file judged as it was handed in, by its own version's rules."""
    submission = last_submission(application)
    return rules.evaluate(
        definition_of(application.version_id),
        submission.answers,
        today=kuwait_date(application.submitted_at),
        source=submission.source,
        case=case_facts(application),
    )


def case_facts(application: Application) -> dict[str, Any]:
    """What rules and letters may read of the case itself."""
    return {"number": application.number, "fee_fils": application.fee_fils}


def _guard_holds(
    guard: str | dict[str, Any] | bool | None, application: Application, now: datetime
) -> bool:
    if guard is None or guard == "complete":
        return True
    if guard == "consultations_done":
        return not _open_opinions(application)
    assessed = assess(application)
    named = {
        "eligibility_met": assessed.verdict is rules.Verdict.MET,
        "eligibility_not_met": assessed.verdict is not rules.Verdict.MET,
        "fee_due": application.fee_fils > 0,
        "no_fee_due": application.fee_fils == 0,
        "consultation_needed": bool(assessed.consultations),
        "no_consultation_needed": not assessed.consultations,
    }
    if isinstance(guard, str):
        return named[guard]
    definition = definition_of(application.version_id)
    compiled = rules.compile_rule(guard)
    return (
        compiled.evaluate(
            {
                "answers": assessed.answers,
                "source": rules.without_nulls(last_submission(application).source),
                "case": case_facts(application),
                "today": kuwait_date(now).isoformat(),
            }
        )
        is True
        and definition is not None
    )


def _open_opinions(application: Application) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Opinion)
            .where(Opinion.application_id == application.id, Opinion.answered_at.is_(None))
        )
        or 0
    )


def round_began(application: Application) -> int:
    """The step after which the present round counts: the last submission."""
    return (
        db.session.scalar(
            select(func.max(Step.n)).where(
                Step.application_id == application.id,
                Step.action.in_(("submit", "resubmit", REOPENED)),
            )
        )
        or 0
    )


def voting_round(application: Application) -> int:
    """The step by which the committee got the file last: each time its members vote anew."""
    return (
        db.session.scalar(
            select(func.max(Step.n)).where(
                Step.application_id == application.id, Step.to_state == application.state
            )
        )
        or 0
    )


def people_of(application: Application, actions: tuple[str, ...]) -> set[UUID]:
    """Who performed these actions in the present round."""
    return set(
        db.session.scalars(
            select(Step.by_id).where(
                Step.application_id == application.id,
                Step.action.in_(actions),
                Step.n >= round_began(application),
                Step.by_id.is_not(None),
            )
        )
    )


def is_party(application: Application, actor: Actor) -> bool:
    """Whether the actor applied, or may act for who applied."""
    from portal.identity.current import mandate_holds

    if actor.person_id is None:
        return False
    if actor.person_id == application.applicant_id:
        return True
    return application.organisation_id is not None and mandate_holds(
        actor.person_id, application.organisation_id
    )


def may_act_for(application: Application, actor: Actor) -> bool:
    """Whether the actor may see and move the application as applicant, today.

    Who applied for an employer and lost the mandate since may not.
    """
    from portal.identity.current import mandate_holds

    if actor.person_id is None:
        return False
    if application.organisation_id is None:
        return actor.person_id == application.applicant_id
    return mandate_holds(actor.person_id, application.organisation_id)


def _acted_on(application_id: UUID) -> set[UUID | None]:
    """Everybody who took a step or voted on an application."""
    steps = db.session.scalars(select(Step.by_id).where(Step.application_id == application_id))
    votes = db.session.scalars(select(Vote.member_id).where(Vote.application_id == application_id))
    return {*steps, *votes}


def may_perform(application: Application, action: Action, actor: Actor) -> None:
    """Errors: Forbidden, OwnCase, SamePerson."""
    if action.by == "applicant":
        if not may_act_for(application, actor):
            raise Forbidden
    elif action.by in {"officer", "head", "committee"}:
        role = "unit_head" if action.by == "head" else "officer"
        if not actor.has_role(role, application.agency, application.unit_id):
            raise Forbidden
        if is_party(application, actor):
            raise OwnCase
        if application.appeal_of is not None and actor.person_id in _acted_on(
            application.appeal_of
        ):
            raise SamePerson
    elif actor.system_name is None:
        raise Forbidden
    if action.not_same_as and actor.person_id in people_of(application, action.not_same_as):
        raise SamePerson


def possible(application: Application, actor: Actor, now: datetime) -> list[Action]:
    """The steps this actor may take from here."""
    definition = definition_of(application.version_id)
    found = []
    for action in definition.workflow.actions:
        if application.state not in action.from_ or action.by not in {
            "applicant",
            "officer",
            "head",
        }:
            continue
        try:
            may_perform(application, action, actor)
        except DomainError:
            continue
        if _guard_holds(action.guard, application, now):
            found.append(action)
    return found


def perform(
    application: Application,
    action_id: str,
    *,
    by: Actor,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
) -> None:
    """Take one step. Errors: Stale, NotAllowed, Forbidden, OwnCase, SamePerson, Incomplete."""
    if expected_version is not None and application.row_version != expected_version:
        raise Stale
    definition = definition_of(application.version_id)
    action = definition.action(action_id)
    if action is None or application.state not in action.from_:
        raise NotAllowed
    if action.by == "committee":  # only the votes decide: see cast_vote
        raise NotAllowed
    _perform(application, definition, action, by=by, now=now, data=data)


def _perform(
    application: Application,
    definition: Definition,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    data: Mapping[str, Any] | None,
) -> None:
    may_perform(application, action, by)
    given = dict(data or {})
    if any(not given.get(need) for need in action.needs):
        raise Incomplete
    if not _guard_holds(action.guard, application, now):
        raise NotAllowed
    _step(application, definition, action, by=by, now=now, data=given)
    _follow_rules(application, definition, now)


def _follow_rules(application: Application, definition: Definition, now: datetime) -> None:
    system = Actor.system("rule")
    for _ in range(LONGEST_CHAIN):
        following = next(
            (
                action
                for action in definition.workflow.actions
                if action.by == "rule"
                and application.state in action.from_
                and _guard_holds(action.guard, application, now)
            ),
            None,
        )
        if following is None:
            return
        _step(application, definition, following, by=system, now=now, data={})
    raise NotAllowed


def _record_step(
    application: Application,
    action: str,
    before: str,
    after: str,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any],
) -> None:
    n = db.session.scalar(
        select(func.coalesce(func.max(Step.n), 0)).where(Step.application_id == application.id)
    )
    db.session.add(
        Step(
            application_id=application.id, n=(n or 0) + 1, at=now, action=action,
            from_state=before, to_state=after, by_id=by.person_id, by_system=by.system_name,
            on_behalf_of=by.on_behalf_of, data=data,
        )
    )  # fmt: skip
    db.session.flush()


def _step(
    application: Application,
    definition: Definition,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any],
) -> None:
    before = application.state
    _record_step(application, action.id, before, action.to, by=by, now=now, data=data)
    application.state = action.to
    db.session.execute(
        update(Timer)
        .where(Timer.application_id == application.id, Timer.fired_at.is_(None))
        .values(fired_at=now)
    )
    state = definition.workflow.states[action.to]
    _enter(application, definition, state, by=by, now=now, data=data)
    db.session.flush()
    audit.record(
        f"services.application.{action.id}", on=subject_of(application), by=by, now=now,
        about=application.applicant_id, data={"from": before, "to": action.to},
    )  # fmt: skip
    publish(ApplicationMoved(application.id, action.id, action.to))


def _clock(application: Application) -> worktime.Clock | None:
    if application.sla is None:
        return None
    return worktime.Clock(
        application.sla, application.clock_used_minutes, application.clock_running_since
    )


def _enter(
    application: Application,
    definition: Definition,
    state: State,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any],
) -> None:
    calendar = worktime.kuwait()
    owner = state.owner or ""
    application.queue = owner.removeprefix("queue:") if owner.startswith("queue:") else None
    if application.queue:
        application.unit_id = unit_for(application, state)
    application.assignee_id = None
    application.lease_until = None
    application.open_fields = list(data.get("fields", [])) if state.pauses_sla else []
    _run_clock(application, state, calendar, now)
    if state.timer:
        db.session.add(
            Timer(
                application_id=application.id, state=application.state, action=state.timer.do,
                fires_at=calendar.deadline(now, state.timer.after),
            )
        )  # fmt: skip
    if state.stage == "payment":
        _open_invoice(application, definition, now)
    if owner == "system":
        _ask_opinions(application, definition, now)
    if state.final:
        _finish(application, definition, state, by=by, now=now, data=data)


def _run_clock(
    application: Application, state: State, calendar: worktime.Calendar, now: datetime
) -> None:
    clock = _clock(application)
    if state.pauses_sla or state.final:
        if clock is not None:
            stopped = clock.stop(calendar, now)
            application.clock_used_minutes = stopped.used_minutes
        application.clock_running_since = None
        application.due_at = None
        return
    if state.sla and (state.sla != application.sla or application.clock_running_since is None):
        same = application.sla == state.sla
        application.clock_used_minutes = application.clock_used_minutes if same else 0
        application.sla = state.sla
        application.clock_running_since = now
        fresh = _clock(application)
        application.due_at = fresh.due(calendar) if fresh else None
    if application.queue and application.due_at is None:
        application.due_at = calendar.deadline(now, "30d_working")


def unit_for(application: Application, state: State) -> UUID | None:
    """The unit whose desk the application comes to: by governorate where the state says so."""
    units = db.session.scalars(
        select(Unit).where(Unit.agency == application.agency).order_by(Unit.code)
    ).all()
    appeals = application.appeal_of is not None
    matching = [unit for unit in units if unit.code.endswith("-appeals") == appeals]
    if state.route_by:
        path = state.route_by.removeprefix("answers.")
        wanted = last_submission(application).answers.get(path)
        for unit in matching:
            if unit.governorate == wanted:
                return unit.id
    return matching[0].id if matching else None


def _open_invoice(application: Application, definition: Definition, now: datetime) -> None:
    assessed = assess(application)
    money_back = next(iter(definition.money_back.values()), None)
    open_invoice(
        subject=subject_of(application),
        lines=[
            InvoiceLine(
                service_code=definition.code,
                gl_code=line.gl_code,
                label={"ar": line.label.ar, "en": line.label.en},
                gross_fils=line.fils,
            )
            for line in assessed.fees
            if line.fils
        ],
        payer_person_id=application.applicant_id,
        payer_organisation_id=application.organisation_id,
        agency=application.agency,
        title=application.title,
        money_back=({"ar": money_back.words.ar, "en": money_back.words.en} if money_back else None),
        return_endpoint="services.show_application",
        return_values={"application_id": str(application.id)},
        now=now,
        by=Actor.system("services"),
    )


def _ask_opinions(application: Application, definition: Definition, now: datetime) -> None:
    wanted = assess(application).consultations
    count = db.session.scalar(
        select(func.coalesce(func.max(Opinion.round), 0)).where(
            Opinion.application_id == application.id
        )
    )
    for consultation in definition.workflow.consultations:
        if consultation.id in wanted:
            db.session.add(
                Opinion(
                    application_id=application.id, key=consultation.id, round=(count or 0) + 1,
                    agency=consultation.ask,
                    due_at=worktime.kuwait().deadline(now, consultation.due),
                )
            )  # fmt: skip


def answer_opinion(opinion: Opinion, *, verdict: str, words: str, by: Actor, now: datetime) -> None:
    """Another agency's answer; the last one moves the application on."""
    if opinion.answered_at is not None:
        raise NotAllowed
    if not by.has_role("officer", opinion.agency):
        raise Forbidden
    if is_party(db.session.get_one(Application, opinion.application_id), by):
        raise OwnCase
    opinion.answered_at, opinion.answered_by = now, by.person_id
    opinion.verdict, opinion.words = verdict, words
    db.session.flush()
    application = db.session.get_one(Application, opinion.application_id)
    audit.record(
        "services.opinion.given", on=subject_of(application), by=by, now=now,
        about=application.applicant_id, data={"key": opinion.key, "verdict": verdict},
    )  # fmt: skip
    if not _open_opinions(application):
        definition = definition_of(application.version_id)
        for action in definition.workflow.actions:
            if action.by == "system" and application.state in action.from_:
                perform(application, action.id, by=Actor.system("opinions"), now=now)
                return


def cast_vote(
    application: Application, choice: str, *, by: Actor, now: datetime, data: Mapping[str, Any]
) -> None:
    """One member votes, unseen by the others; the last vote decides."""
    definition = definition_of(application.version_id)
    committee = definition.workflow.states[application.state].committee
    if committee is None or choice not in committee.votes or by.person_id is None:
        raise NotAllowed
    probe = definition.action(committee.votes[choice])
    if probe is None:
        raise NotAllowed
    may_perform(application, probe, by)
    if any(not data.get(need) for need in probe.needs):
        raise Incomplete
    began = voting_round(application)
    votes = db.session.scalars(
        select(Vote).where(Vote.application_id == application.id, Vote.round == began)
    ).all()
    if by.person_id in {vote.member_id for vote in votes}:
        raise NotAllowed(_l("You have voted already."))
    db.session.add(
        Vote(application_id=application.id, round=began, member_id=by.person_id, choice=choice,
             data=dict(data), at=now)
    )  # fmt: skip
    application.assignee_id = None
    db.session.flush()
    audit.record(
        "services.vote.cast", on=subject_of(application), by=by, now=now,
        about=application.applicant_id,
    )  # fmt: skip
    if len(votes) + 1 < committee.seats:
        return
    choices = {vote.choice for vote in votes} | {choice}
    if len(choices) == 1:
        _perform(application, definition, probe, by=by, now=now, data=data)
        return
    split = definition.action(committee.split)
    if split is None or application.state not in split.from_:
        raise NotAllowed
    _perform(application, definition, split, by=Actor.system("committee"), now=now, data={})


def _finish(
    application: Application,
    definition: Definition,
    state: State,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any],
) -> None:
    application.closed_at = now
    application.outcome = Outcome(state.outcome) if state.outcome else None
    reason = next((r for r in definition.reasons if r.id == data.get("reason_code")), None)
    application.decision = {
        "reason": reason.title.model_dump() if reason else None,
        "law": reason.law.model_dump() if reason else None,
        "remedy": reason.remedy.model_dump() if reason and reason.remedy else None,
        "words": data.get("reason") or data.get("note") or "",
        "appeal_until": (
            worktime.kuwait().deadline(now, state.appeal.within).isoformat()
            if state.appeal
            else None
        ),
        "appeal_to": state.appeal.to if state.appeal else None,
    }
    invoice = invoice_for(subject_of(application))
    if invoice is not None and invoice.state == "open":
        cancel_invoice(
            invoice, reason=state.outcome or "final", now=now, by=Actor.system("services")
        )
    if invoice is not None and invoice.state == "paid":
        _return_fee(application, definition, invoice, by=by, now=now)
    if state.reopens and application.appeal_of is not None:
        _reopen(application.appeal_of, by=by, now=now)
    if state.issues and definition.paper:
        publish(PaperDue(application.id))
    if state.pays and definition.payment_order:
        _order_payment(application, definition, now)


def _return_fee(
    application: Application, definition: Definition, invoice: Invoice, *, by: Actor, now: datetime
) -> None:
    """Ask for what the definition promised to return; finance approves it.

    When nobody in person ended the case, the applicant is the one who asks.
    """
    back = definition.money_back.get(application.state)
    if back is None or not back.returned:
        return
    fils = sum(line.fils for line in assess(application).fees if line.id in back.returned)
    asker = by if by.person_id is not None else Actor(person_id=application.applicant_id)
    if not fils:
        return
    with contextlib.suppress(DomainError):  # returned already, before an appeal reopened the case
        ask_refund(invoice, amount_fils=fils, reason=back.words.ar, now=now, by=asker)


def _reopen(application_id: UUID, *, by: Actor, now: datetime) -> None:
    """An appeal was upheld: the first application goes back to its first study."""
    first = db.session.scalars(
        select(Application).where(Application.id == application_id).with_for_update()
    ).one()
    definition = definition_of(first.version_id)
    states = definition.workflow.states
    name = next(
        (key for key, state in states.items() if (state.owner or "").startswith("queue:")),
        next(key for key, state in states.items() if state.stage == "decision"),
    )
    first.closed_at, first.outcome, first.decision = None, None, {}
    first.clock_used_minutes, first.sla = 0, None
    _record_step(first, REOPENED, first.state, name, by=by, now=now, data={})
    first.state = name
    _enter(first, definition, states[name], by=by, now=now, data={})
    db.session.flush()
    audit.record(
        "services.application.reopened", on=subject_of(first), by=by, now=now,
        about=first.applicant_id,
    )  # fmt: skip
    publish(ApplicationMoved(first.id, REOPENED, name))
    _follow_rules(first, definition, now)


def _order_payment(application: Application, definition: Definition, now: datetime) -> None:
    assessed, submission = assess(application), last_submission(application)
    order = definition.payment_order
    if order is None:
        return
    today = kuwait_date(now)
    values = {
        key: rules.value_of(
            definition, f"payment.{key}", assessed, today=today, source=submission.source,
            case=case_facts(application),
        )
        for key in ("iban", "amount_fils")
    }  # fmt: skip
    db.session.add(
        PaymentOrder(
            number=next_number("PAY", now=now), application_id=application.id,
            iban=str(values["iban"]), amount_fils=int(values["amount_fils"]), months=order.months,
            ordered_at=now,
        )
    )  # fmt: skip
