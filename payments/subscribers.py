"""Reactions of payments to its own facts."""

from __future__ import annotations

from payments import collecting, receipts, refunds
from payments.events import InvoicePaid, NoticeReceived, RefundApproved
from portal.actor import Actor
from portal.db import utc_now
from portal.events import on


@on(NoticeReceived, outside=True)
def ask_the_bank(event: NoticeReceived) -> None:
    """A notice is only a reason to ask."""
    collecting.ask(event.attempt_id, by=Actor.system("worker"))


@on(InvoicePaid, outside=True)
def seal_the_receipt(event: InvoicePaid) -> None:
    """The receipt as a sealed paper; drawing takes long, so the worker does it."""
    receipts.seal_receipt(event.invoice_id, by=Actor.system("worker"), now=utc_now())


@on(RefundApproved, outside=True)
def send_the_refund(event: RefundApproved) -> None:
    """The bank hears of a refund after two people agreed."""
    refunds.send_refund(event.refund_id)


def register() -> None:
    """Importing this module registered its handlers."""
