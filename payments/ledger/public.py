"""What the rest of payments tells the ledger. Each call is idempotent by its source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from payments.ledger import postings
from payments.ledger.operations import post, register_coverage, reverse, verify
from portal.actor import Actor

#: (revenue account of the chart, gross fils, exempted fils)
Item = tuple[str, int, int]


def post_invoice_opened(
    invoice_id: UUID, items: Iterable[Item], *, by: Actor, now: datetime
) -> int:
    """Debit receivable (net) and exemptions, credit the fees (gross)."""
    lines = postings.invoice_opened(items)
    return post(f"invoice:{invoice_id}:opened", "invoice_opened", lines, by=by, now=now)


def post_invoice_cancelled(
    invoice_id: UUID, items: Iterable[Item], *, by: Actor, now: datetime
) -> int:
    """The opposite of opening: nothing is owed any more."""
    lines = postings.invoice_cancelled(items)
    return post(f"invoice:{invoice_id}:cancelled", "invoice_cancelled", lines, by=by, now=now)


def post_attempt_paid(attempt_id: UUID, fils: int, *, by: Actor, now: datetime) -> int:
    """Debit gateway clearing, credit receivable."""
    return post(
        f"attempt:{attempt_id}:paid", "attempt_paid", postings.attempt_paid(fils), by=by, now=now
    )


def post_overpaid(attempt_id: UUID, fils: int, *, by: Actor, now: datetime) -> int:
    """Money for an invoice already paid: debit clearing, credit the payers' credit."""
    return post(f"attempt:{attempt_id}:over", "overpaid", postings.overpaid(fils), by=by, now=now)


def post_refund_done(
    refund_id: UUID, revenue_account: str, fils: int, *, by: Actor, now: datetime
) -> int:
    """Debit the fee (or the payers' credit, 2301), credit clearing."""
    lines = postings.refund(revenue_account, fils)
    return post(f"refund:{refund_id}:done", "refund_done", lines, by=by, now=now)


def post_assistance_granted(order_id: UUID, fils: int, *, by: Actor, now: datetime) -> int:
    """Debit assistance, credit payment orders."""
    lines = postings.assistance_granted(fils)
    return post(f"order:{order_id}:granted", "assistance_granted", lines, by=by, now=now)


__all__ = [
    "post_assistance_granted",
    "post_attempt_paid",
    "post_invoice_cancelled",
    "post_invoice_opened",
    "post_overpaid",
    "post_refund_done",
    "register_coverage",
    "reverse",
    "verify",
]
