"""From an invoice to the money, through the demo bank, on both databases."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import func, select

from payments import collecting
from payments.events import InvoicePaid
from payments.gateways import demo_bank
from payments.models import (
    Attempt,
    InvoiceState,
    Receipt,
)
from portal import Portal
from portal.db import db, utc_now
from portal.events import EventRow, deliver_all
from tests.factories import payments as make


def events_of(kind: type) -> int:
    return (
        db.session.scalar(
            select(func.count()).select_from(EventRow).where(EventRow.name == kind.event_name())
        )
        or 0
    )


def begin(invoice: UUID, payer: UUID) -> UUID:
    with db.session.no_autoflush:
        pass
    address = collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
    assert address
    found = db.session.scalars(
        select(Attempt.id).where(Attempt.invoice_id == invoice).order_by(Attempt.sent_at.desc())
    ).first()
    db.session.rollback()
    assert found
    return found


def at_the_bank(attempt: UUID, choice: str) -> None:
    demo_bank.decide(f"demo-{attempt}", choice, now=utc_now())


def ask(attempt: UUID, payer: UUID) -> None:
    collecting.ask(attempt, by=make.actor(payer))


@pytest.fixture
def ready(any_app: Portal):
    with any_app.test_request_context("/ar/"):
        payer = make.person()
        yield payer, make.invoice(payer)
        db.session.remove()


def test_an_approved_payment_settles_the_invoice_once(ready) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "approve")
    for _ in range(3):
        ask(attempt, payer)
    assert make.stored(invoice).state is InvoiceState.PAID
    assert events_of(InvoicePaid) == 1
    receipt = db.session.scalars(select(Receipt)).one()
    assert receipt.amount_fils == 10_000
    assert receipt.number.startswith("RCT-")
    db.session.rollback()
    deliver_all()
