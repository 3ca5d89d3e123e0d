"""What ``flask ledger verify`` expects: each fact of money stands in the ledger, once."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from payments.models import (
    Attempt,
    AttemptState,
    Invoice,
    InvoiceItem,
    InvoiceState,
    PayerCredit,
    Refund,
    RefundState,
)
from portal.db import db


def expected_sources() -> Iterator[str]:
    """The business keys of all invoices, payments, credits and refunds there are."""
    charged = select(InvoiceItem.invoice_id).where(InvoiceItem.gross_fils > 0)
    for invoice_id, state in db.session.execute(
        select(Invoice.id, Invoice.state).where(Invoice.id.in_(charged))
    ):
        yield f"invoice:{invoice_id}:opened"
        if state is InvoiceState.CANCELLED:
            yield f"invoice:{invoice_id}:cancelled"
    credited = set(db.session.scalars(select(PayerCredit.attempt_id)))
    for attempt_id in db.session.scalars(
        select(Attempt.id).where(Attempt.state == AttemptState.PAID)
    ):
        yield f"attempt:{attempt_id}:{'over' if attempt_id in credited else 'paid'}"
    for refund_id in db.session.scalars(select(Refund.id).where(Refund.state == RefundState.DONE)):
        yield f"refund:{refund_id}:done"
