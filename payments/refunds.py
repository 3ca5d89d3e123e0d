"""Money going back: asked by one person, approved by another, sent to where it came from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import selectinload

from payments import collecting, rules
from payments.events import RefundApproved, RefundDone
from payments.gateways import registry
from payments.gateways.protocol import GatewaySilent, RefundAnswer, RefundView
from payments.ledger import public as ledger
from payments.models import Attempt, AttemptState, Invoice, PayerCredit, Refund, RefundState
from portal import audit
from portal.actor import Actor
from portal.db import db, unit_of_work, utc_now
from portal.errors import DomainError, Forbidden
from portal.events import publish

#: Payers' credit: the account money returns from when it was never due.
CREDITS = "2301"


class TooMuch(DomainError):
    message = _l("This is more than is left of the payment.")


class NothingPaid(DomainError):
    message = _l("There is no payment that could be returned.")


class NeedsSecondPerson(DomainError):
    status = 403
    message = _l("Whoever asked for a return cannot approve it. Another officer decides.")


class AlreadyDecided(DomainError):
    message = _l("This return was decided already.")


def paid_attempt(invoice_id: UUID) -> Attempt | None:
    """The attempt that settled the invoice."""
    return db.session.scalar(
        select(Attempt)
        .outerjoin(PayerCredit, PayerCredit.attempt_id == Attempt.id)
        .where(
            Attempt.invoice_id == invoice_id,
            Attempt.state == AttemptState.PAID,
            PayerCredit.id.is_(None),
        )
    )


def ask_refund(
    invoice: Invoice,
    *,
    amount_fils: int,
    reason: str,
    now: datetime,
    by: Actor,
    attempt: Attempt | None = None,
) -> Refund:
    """Ask that money of a paid invoice goes back, in the caller's transaction.

    Another person must approve it. ``attempt``: a payment kept as credit, instead of the one that
    settled. Errors: NothingPaid, TooMuch; Forbidden when nobody in person asks.
    """
    if by.person_id is None:
        raise Forbidden
    attempt = attempt or paid_attempt(invoice.id)
    if attempt is None or attempt.invoice_id != invoice.id:
        raise NothingPaid
    if attempt.state is not AttemptState.PAID:
        raise NothingPaid
    if amount_fils <= 0 or amount_fils > attempt.amount_fils:
        raise TooMuch
    refund = Refund(
        id=uuid4(),
        attempt_id=attempt.id,
        amount_fils=amount_fils,
        reason=reason[:500],
        state=RefundState.ASKED,
        idempotency_key=f"refund:{uuid4()}",
        asked_by=by.person_id,
        asked_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(refund)
    except DatabaseError as error:  # the trigger counts what was promised already
        raise TooMuch from error
    audit.record(
        "payments.refund.asked", on=f"payments.refund:{refund.id}", by=by, now=now, reason=reason,
        about=invoice.payer_person_id,
        data={"invoice": invoice.number, "fils": amount_fils},
    )  # fmt: skip
    return refund


def _locked(refund_id: UUID) -> Refund:
    return db.session.scalars(
        select(Refund)
        .where(Refund.id == refund_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _decide(refund_id: UUID, by: Actor) -> Refund:
    refund = _locked(refund_id)
    if refund.state is not RefundState.ASKED:
        raise AlreadyDecided
    if by.person_id is None or by.person_id == refund.asked_by:
        raise NeedsSecondPerson
    return refund


def approve_refund(refund_id: UUID, *, now: datetime, by: Actor) -> None:
    """Agree; the worker then sends it to the bank. Errors: NeedsSecondPerson, AlreadyDecided."""
    refund = _decide(refund_id, by)
    refund.state = RefundState.APPROVED
    refund.approved_by = by.person_id
    refund.approved_at = now
    refund.next_inquiry_at = now
    db.session.flush()
    audit.record("payments.refund.approved", on=f"payments.refund:{refund.id}", by=by, now=now)
    publish(RefundApproved(refund.id))


def reject_refund(refund_id: UUID, *, reason: str, now: datetime, by: Actor) -> None:
    """Do not return the money. Errors: NeedsSecondPerson, AlreadyDecided."""
    refund = _decide(refund_id, by)
    refund.state = RefundState.REJECTED
    refund.approved_by = by.person_id
    refund.approved_at = now
    refund.decision_reason = reason[:500]
    db.session.flush()
    audit.record(
        "payments.refund.rejected", on=f"payments.refund:{refund.id}", by=by, now=now,
        reason=reason,
    )  # fmt: skip


def send_refund(refund_id: UUID) -> None:
    """Have the bank give an approved refund back; safe to repeat, outside any transaction."""
    with unit_of_work():
        refund = _locked(refund_id)
        if refund.state not in {RefundState.APPROVED, RefundState.UNKNOWN}:
            return
        attempt = db.session.get_one(Attempt, refund.attempt_id)
        invoice = db.session.get_one(Invoice, attempt.invoice_id)
        view = RefundView(
            id=refund.id,
            attempt=collecting.view_of(attempt, invoice),
            amount_fils=refund.amount_fils,
            idempotency_key=refund.idempotency_key,
            gateway_id=refund.gateway_id,
            sent_before=refund.sent_at is not None,
        )
        gateway = registry.gateway(attempt.gateway)
        refund.sent_at = refund.sent_at or utc_now()
    try:
        answer = gateway.refund(view)
    except GatewaySilent:
        answer = RefundAnswer("unknown")
    with unit_of_work():
        record_refund(refund_id, answer, now=utc_now(), by=Actor.system("worker"))


def record_refund(refund_id: UUID, answer: RefundAnswer, *, now: datetime, by: Actor) -> None:
    """Take what the bank said of a refund; an ended one is left alone."""
    refund = _locked(refund_id)
    if refund.state not in {RefundState.APPROVED, RefundState.UNKNOWN}:
        return
    refund.gateway_id = refund.gateway_id or answer.gateway_id
    if answer.verdict in {"pending", "unknown"}:
        refund.state = RefundState.UNKNOWN
        refund.inquiries += 1
        refund.next_inquiry_at = rules.next_inquiry(refund.inquiries, now)
        return
    refund.next_inquiry_at = None
    if answer.verdict == "failed":
        refund.state = RefundState.FAILED
        audit.record("payments.refund.failed", on=f"payments.refund:{refund.id}", by=by, now=now)
        return
    refund.state = RefundState.DONE
    refund.done_at = now
    db.session.flush()
    attempt = db.session.get_one(Attempt, refund.attempt_id)
    invoice = db.session.scalars(
        select(Invoice)
        .options(selectinload(Invoice.lines))
        .where(Invoice.id == attempt.invoice_id)
        .execution_options(populate_existing=True)
    ).one()
    credit = db.session.scalar(select(PayerCredit).where(PayerCredit.attempt_id == attempt.id))
    if credit is not None:
        credit.returned_at = now
    account = CREDITS if credit is not None else invoice.lines[0].gl_code
    ledger.post_refund_done(refund.id, account, refund.amount_fils, by=by, now=now)
    audit.record(
        "payments.refund.done", on=f"payments.refund:{refund.id}", by=by, now=now,
        about=invoice.payer_person_id, data={"fils": refund.amount_fils},
    )  # fmt: skip
    publish(RefundDone(refund.id, invoice.id, invoice.subject, refund.amount_fils))


def send_due(now: datetime, limit: int = 100) -> int:
    """Send again what was approved and has no final answer yet, each when its turn has come."""
    due = list(
        db.session.scalars(
            select(Refund.id)
            .where(
                Refund.state.in_([RefundState.APPROVED, RefundState.UNKNOWN]),
                Refund.next_inquiry_at <= now,
            )
            .order_by(Refund.next_inquiry_at)
            .limit(limit)
        )
    )
    db.session.rollback()
    for refund_id in due:
        send_refund(refund_id)
    return len(due)
