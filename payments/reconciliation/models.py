"""Bank statements, settlement files, matches, adjustments."""

from __future__ import annotations

from datetime import date, datetime
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
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, UtcDateTime


class BankStatement(Model):
    """One imported statement, whole or not at all."""

    __tablename__ = "bank_statements"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(20))
    opening_fils: Mapped[int] = mapped_column(BigInteger)
    closing_fils: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))


class BankLine(Model):
    """One movement at the bank; positive fils came in."""

    __tablename__ = "bank_lines"
    __table_args__ = (UniqueConstraint("account", "bank_reference", "position"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("bank_statements.id"), index=True)
    account: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    booked_on: Mapped[date] = mapped_column(index=True)
    fils: Mapped[int] = mapped_column(BigInteger)
    bank_reference: Mapped[str] = mapped_column(String(40))
    words: Mapped[str] = mapped_column(String(600))


class SettlementBatch(Model):
    """What a gateway says it pays out for one day and terminal."""

    __tablename__ = "settlement_batches"
    __table_args__ = (
        UniqueConstraint("gateway", "terminal", "number"),
        CheckConstraint("net_fils = gross_fils - fee_fils", name="net_is_gross_less_fee"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    gateway: Mapped[str] = mapped_column(String(30))
    terminal: Mapped[str] = mapped_column(String(30))
    number: Mapped[str] = mapped_column(String(30))
    day: Mapped[date]
    gross_fils: Mapped[int] = mapped_column(BigInteger)
    fee_fils: Mapped[int] = mapped_column(BigInteger)
    net_fils: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SettlementItem(Model):
    """One charge of a batch, with our attempt when it was found."""

    __tablename__ = "settlement_items"
    __table_args__ = (UniqueConstraint("batch_id", "rrn", "kind"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("settlement_batches.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    reference: Mapped[str] = mapped_column(String(20), index=True)
    gateway_id: Mapped[str] = mapped_column(String(255))
    rrn: Mapped[str] = mapped_column(String(40))
    gross_fils: Mapped[int] = mapped_column(BigInteger)
    fee_fils: Mapped[int] = mapped_column(BigInteger)
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id"))


class BankMatch(Model):
    """A bank line explained by a batch or by one payment. Undone only by a person."""

    __tablename__ = "bank_matches"
    __table_args__ = (
        Index(
            "one_match_a_line", "line_id", unique=True,
            sqlite_where=text("undone_by IS NULL"), postgresql_where=text("undone_by IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("bank_lines.id"))
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlement_batches.id"))
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id"))
    rule: Mapped[str] = mapped_column(String(30))
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entry_seq: Mapped[int] = mapped_column(BigInteger)
    undone_by: Mapped[str | None] = mapped_column(String(60))


class Adjustment(Model):
    """A line nobody can explain, booked away with a reason by two people."""

    __tablename__ = "adjustments"
    __table_args__ = (
        CheckConstraint("approved_by IS NULL OR approved_by <> asked_by", name="two_people"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("bank_lines.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(500))
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_by: Mapped[str | None] = mapped_column(String(60))
    entry_seq: Mapped[int | None] = mapped_column(BigInteger)
