"""Invoices, attempts to pay them, what banks told us, receipts, credits and refunds."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Json, Model, UtcDateTime, enum_column


class InvoiceState(enum.StrEnum):
    """Where an invoice stands. What was given back is told by the refunds, never here."""

    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"


class AttemptState(enum.StrEnum):
    """Where one try to pay stands. ``unknown``: not told by the bank yet; blocks another try."""

    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


#: An attempt that may still take money; one of these per invoice, by the database.
LIVE = (AttemptState.SENT, AttemptState.UNKNOWN)
_LIVE_SQL = text("state IN ('sent', 'unknown')")


class NoticeSource(enum.StrEnum):
    """How a bank's word reached us. Only an inquiry is believed."""

    CALLBACK = "callback"
    RETURN = "return"
    WEBHOOK = "webhook"
    INQUIRY = "inquiry"


class RefundState(enum.StrEnum):
    """Where a return of money stands."""

    ASKED = "asked"
    APPROVED = "approved"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"


class Invoice(Model):
    """What one payer owes one agency, opened together with the case it belongs to.

    ``subject`` is the case's own name ("services.application:<id>"), opaque to us. ``total_fils``
    is what is due: gross less exemptions.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint("total_fils >= 0", "total_not_negative"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", "paid_has_time"),
        Index("ix_invoices_subject", "subject"),
        Index("ix_invoices_payer", "payer_person_id", "opened_at"),
        Index("ix_invoices_payer_organisation", "payer_organisation_id", "opened_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    subject: Mapped[str] = mapped_column(String(120))
    agency: Mapped[str] = mapped_column(String(12))
    title: Mapped[dict[str, Any]] = mapped_column(Json)
    payer_person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    payer_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    state: Mapped[InvoiceState] = mapped_column(enum_column(InvoiceState))
    total_fils: Mapped[int] = mapped_column(BigInteger)
    money_back: Mapped[dict[str, Any] | None] = mapped_column(Json)
    return_endpoint: Mapped[str | None] = mapped_column(String(120))
    return_values: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lines: Mapped[list[InvoiceItem]] = relationship(
        lazy="raise", order_by="InvoiceItem.position", cascade="all, delete-orphan"
    )

    @property
    def is_paid(self) -> bool:
        return self.state is InvoiceState.PAID


class InvoiceItem(Model):
    """One fee of an invoice, gross and exemption apart, with the treasury's code."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        UniqueConstraint("invoice_id", "position"),
        CheckConstraint("gross_fils >= 0", "gross_not_negative"),
        CheckConstraint(
            "exemption_fils >= 0 AND exemption_fils <= gross_fils", "exemption_within_gross"
        ),
        CheckConstraint(
            "exemption_fils = 0 OR exemption_reason IS NOT NULL", "exemption_has_reason"
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    service_code: Mapped[str] = mapped_column(String(80))
    gl_code: Mapped[str] = mapped_column(String(12))
    label: Mapped[dict[str, Any]] = mapped_column(Json)
    gross_fils: Mapped[int] = mapped_column(BigInteger)
    exemption_fils: Mapped[int] = mapped_column(BigInteger, default=0)
    exemption_reason: Mapped[str | None] = mapped_column(String(300))

    @property
    def net_fils(self) -> int:
        return self.gross_fils - self.exemption_fils


class Attempt(Model):
    """One try to pay an invoice through one gateway.

    ``reference`` is ours and travels with the money. ``idempotency_key`` is stored before the
    bank is called. ``handle`` is what the gateway needs to find its page again (a Checkout
    Session); ``gateway_id`` names the payment itself. ``disagreement`` says what differed when
    the bank's answer did not fit.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("gateway", "gateway_id"),
        CheckConstraint("amount_fils > 0", "amount_positive"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", "paid_has_time"),
        Index(
            "uq_attempts_one_live",
            "invoice_id",
            unique=True,
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
        Index(
            "ix_attempts_to_ask",
            "next_inquiry_at",
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
        Index("ix_attempts_invoice", "invoice_id", "sent_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id"))
    gateway: Mapped[str] = mapped_column(String(20))
    environment: Mapped[str] = mapped_column(String(12))
    reference: Mapped[str] = mapped_column(String(14), unique=True)
    amount_fils: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="KWD")
    lang: Mapped[str] = mapped_column(String(2), default="ar")
    state: Mapped[AttemptState] = mapped_column(enum_column(AttemptState))
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    handle: Mapped[str | None] = mapped_column(String(255))
    gateway_id: Mapped[str | None] = mapped_column(String(255))
    rrn: Mapped[str | None] = mapped_column(String(40))
    auth_code: Mapped[str | None] = mapped_column(String(40))
    disagreement: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_inquiry_at: Mapped[datetime] = mapped_column(UtcDateTime)
    inquiries: Mapped[int] = mapped_column(default=0)
    not_found_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoice: Mapped[Invoice] = relationship(lazy="raise")

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


class AttemptNotice(Model):
    """A bank's word exactly as it came, kept for ever. Never holds a card number."""

    __tablename__ = "attempt_notices"
    __table_args__ = (
        UniqueConstraint("gateway", "event_id"),
        Index("ix_attempt_notices_attempt", "attempt_id", "received_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id"))
    gateway: Mapped[str] = mapped_column(String(20))
    source: Mapped[NoticeSource] = mapped_column(enum_column(NoticeSource))
    event_id: Mapped[str | None] = mapped_column(String(255))
    verdict: Mapped[str | None] = mapped_column(String(20))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Receipt(Model):
    """The numbered proof that an invoice was paid; the sealed PDF follows from the worker."""

    __tablename__ = "receipts"
    __table_args__ = (CheckConstraint("amount_fils > 0", "amount_positive"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id"), unique=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"), unique=True)
    amount_fils: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    invoice: Mapped[Invoice] = relationship(lazy="raise")
    attempt: Mapped[Attempt] = relationship(lazy="raise")


class PayerCredit(Model):
    """Money that arrived though nothing was due: it belongs to the payer until returned."""

    __tablename__ = "payer_credits"
    __table_args__ = (CheckConstraint("amount_fils > 0", "amount_positive"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"), unique=True)
    payer_person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    payer_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    amount_fils: Mapped[int] = mapped_column(BigInteger)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    returned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[Attempt] = relationship(lazy="raise")


class Refund(Model):
    """Money going back to where it came from: asked by one person, approved by another.

    The sum of an attempt's refunds never passes its amount: a trigger of the database says so.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_fils > 0", "amount_positive"),
        CheckConstraint("approved_by IS NULL OR approved_by <> asked_by", "two_people"),
        CheckConstraint(
            "state IN ('asked', 'rejected') OR approved_by IS NOT NULL", "sent_only_if_approved"
        ),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", "done_has_time"),
        Index("ix_refunds_attempt", "attempt_id"),
        Index("ix_refunds_state", "state", "asked_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"))
    amount_fils: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[RefundState] = mapped_column(enum_column(RefundState))
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    gateway_id: Mapped[str | None] = mapped_column(String(255))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(String(500))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_inquiry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    inquiries: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[Attempt] = relationship(lazy="raise")
