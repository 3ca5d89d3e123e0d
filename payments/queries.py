"""What the payment pages show."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import joinedload, selectinload

from payments.models import (
    Attempt,
    AttemptState,
    Invoice,
    InvoiceState,
    PayerCredit,
    Receipt,
    Refund,
    RefundState,
)
from portal.actor import Actor
from portal.db import db
from portal.errors import NotFound


def invoice_or_404(invoice_id: UUID) -> Invoice:
    found = db.session.scalar(
        select(Invoice).options(selectinload(Invoice.lines)).where(Invoice.id == invoice_id)
    )
    if found is None:
        raise NotFound
    return found


def invoice_for(subject: str) -> Invoice | None:
    """The newest invoice of a case, with its lines."""
    return db.session.scalar(
        select(Invoice)
        .options(selectinload(Invoice.lines))
        .where(Invoice.subject == subject)
        .order_by(Invoice.opened_at.desc(), Invoice.number.desc())
        .limit(1)
    )


def invoices_for(subject: str) -> Sequence[Invoice]:
    """Every invoice of a case, oldest first."""
    return db.session.scalars(
        select(Invoice)
        .options(selectinload(Invoice.lines))
        .where(Invoice.subject == subject)
        .order_by(Invoice.opened_at, Invoice.number)
    ).all()


def _mine(actor: Actor) -> ColumnElement[bool]:
    if actor.on_behalf_of is not None:
        return or_(
            Invoice.payer_organisation_id == actor.on_behalf_of,
            Invoice.payer_person_id == actor.person_id,
        )
    return Invoice.payer_person_id == actor.person_id


def invoices_of(
    actor: Actor, *, state: InvoiceState | None = None, after: str | None = None, limit: int = 30
) -> Sequence[Invoice]:
    """What this person, or the employer acted for, was asked to pay; newest first."""
    query = select(Invoice).where(_mine(actor)).order_by(Invoice.number.desc()).limit(limit)
    if state is not None:
        query = query.where(Invoice.state == state)
    if after is not None:
        query = query.where(Invoice.number < after)
    return db.session.scalars(query).all()


def attempts_of(invoice_id: UUID) -> Sequence[Attempt]:
    return db.session.scalars(
        select(Attempt).where(Attempt.invoice_id == invoice_id).order_by(Attempt.sent_at)
    ).all()


def attempt_or_404(attempt_id: UUID) -> Attempt:
    found = db.session.scalar(
        select(Attempt).options(joinedload(Attempt.invoice)).where(Attempt.id == attempt_id)
    )
    if found is None:
        raise NotFound
    return found


def attempt_by(gateway: str, *, reference: str | None, gateway_id: str | None) -> UUID | None:
    """The attempt a bank's notice is about."""
    known = [
        column == value
        for column, value in ((Attempt.reference, reference), (Attempt.gateway_id, gateway_id))
        if value
    ]
    if not known:
        return None
    return db.session.scalar(
        select(Attempt.id).where(Attempt.gateway == gateway, or_(*known)).limit(1)
    )


def receipt_of(invoice_id: UUID) -> Receipt | None:
    return db.session.scalar(
        select(Receipt).options(joinedload(Receipt.attempt)).where(Receipt.invoice_id == invoice_id)
    )


def receipt_or_404(receipt_id: UUID) -> Receipt:
    found = db.session.scalar(
        select(Receipt).options(joinedload(Receipt.attempt)).where(Receipt.id == receipt_id)
    )
    if found is None:
        raise NotFound
    return found


def refunds_of(invoice_id: UUID) -> Sequence[Refund]:
    return db.session.scalars(
        select(Refund)
        .join(Attempt, Attempt.id == Refund.attempt_id)
        .where(Attempt.invoice_id == invoice_id)
        .order_by(Refund.asked_at)
    ).all()


def credits_of_invoice(invoice_id: UUID) -> Sequence[PayerCredit]:
    return db.session.scalars(
        select(PayerCredit)
        .join(Attempt, Attempt.id == PayerCredit.attempt_id)
        .where(Attempt.invoice_id == invoice_id)
        .order_by(PayerCredit.given_at)
    ).all()


def refund_or_404(refund_id: UUID) -> tuple[Refund, Attempt, Invoice]:
    found = db.session.execute(
        select(Refund, Attempt, Invoice)
        .join(Attempt, Attempt.id == Refund.attempt_id)
        .join(Invoice, Invoice.id == Attempt.invoice_id)
        .options(selectinload(Invoice.lines))
        .where(Refund.id == refund_id)
    ).first()
    if found is None:
        raise NotFound
    return found[0], found[1], found[2]


def refund_desk(limit: int = 100) -> Sequence[tuple[Refund, Attempt, Invoice]]:
    """Returns that wait for somebody first, then the latest others."""
    rows = db.session.execute(
        select(Refund, Attempt, Invoice)
        .join(Attempt, Attempt.id == Refund.attempt_id)
        .join(Invoice, Invoice.id == Attempt.invoice_id)
        .order_by(case((Refund.state == RefundState.ASKED, 0), else_=1), Refund.asked_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def credits_kept(limit: int = 100) -> Sequence[tuple[PayerCredit, Attempt, Invoice]]:
    """Money of payers that nobody has asked to return yet."""
    rows = db.session.execute(
        select(PayerCredit, Attempt, Invoice)
        .join(Attempt, Attempt.id == PayerCredit.attempt_id)
        .join(Invoice, Invoice.id == Attempt.invoice_id)
        .outerjoin(
            Refund,
            and_(
                Refund.attempt_id == Attempt.id,
                Refund.state.not_in([RefundState.FAILED, RefundState.REJECTED]),
            ),
        )
        .where(PayerCredit.returned_at.is_(None), Refund.id.is_(None))
        .order_by(PayerCredit.given_at)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def attempts_to_look_at(limit: int = 100) -> Sequence[tuple[Attempt, Invoice]]:
    """Payments whose bank does not answer, or answers what does not fit."""
    rows = db.session.execute(
        select(Attempt, Invoice)
        .join(Invoice, Invoice.id == Attempt.invoice_id)
        .where(Attempt.state == AttemptState.UNKNOWN)
        .order_by(Attempt.sent_at)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
