"""Facts that payments tells the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.events import Event


@dataclass(frozen=True)
class InvoicePaid(Event):
    """The money for an invoice arrived, or nothing was due."""

    invoice_id: UUID
    subject: str
    amount_fils: int


@dataclass(frozen=True)
class InvoiceCancelled(Event):
    """Nobody is asked to pay this invoice any more."""

    invoice_id: UUID
    subject: str


@dataclass(frozen=True)
class PayerCredited(Event):
    """Money arrived that was not due; it is kept for the payer."""

    credit_id: UUID
    invoice_id: UUID
    subject: str
    amount_fils: int


@dataclass(frozen=True)
class RefundDone(Event):
    """Money of an invoice went back to where it came from."""

    refund_id: UUID
    invoice_id: UUID
    subject: str
    amount_fils: int


@dataclass(frozen=True)
class NoticeReceived(Event):
    """A bank gave a reason to ask about an attempt."""

    attempt_id: UUID


@dataclass(frozen=True)
class RefundApproved(Event):
    """Two people agreed: the bank is to give money back."""

    refund_id: UUID
