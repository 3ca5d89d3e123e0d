"""The ledger: accounts, accounting days, entries, postings.

What may never happen is refused by triggers in the database (migration ``0002_ledger_guards``):
unbalanced, altered, deleted, back-dated and gap-making entries, postings into a closed day.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, UtcDateTime


class LedgerAccount(Model):
    """One account of the chart (sample chart; the treasury loads its own)."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('asset','liability','revenue','expense','equity')", name="account_kind"
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    name_ar: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    closed_on: Mapped[date | None]

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}


class LedgerDay(Model):
    """One accounting day. Closed by two different people, never opened again."""

    __tablename__ = "ledger_days"
    __table_args__ = (
        CheckConstraint(
            "state = 'open' OR (prepared_by IS NOT NULL AND approved_by IS NOT NULL"
            " AND prepared_by <> approved_by AND head_hash IS NOT NULL)",
            name="closed_by_two",
        ),
        CheckConstraint("state IN ('open','closed')", name="day_state"),
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="open")
    head_seq: Mapped[int | None] = mapped_column(BigInteger)
    head_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    prepared_by: Mapped[str | None] = mapped_column(String(40))
    prepared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_by: Mapped[str | None] = mapped_column(String(40))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LedgerEntry(Model):
    """One fact of money. ``source`` is its business key: the same fact twice is refused."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq_positive"),
        CheckConstraint("sealed IN (0, 1)", name="sealed_flag"),
        CheckConstraint(
            "sealed = 0 OR (length(hash) = 32 AND length(prev_hash) = 32)", name="sealed_with_hash"
        ),
        Index(
            "one_open_entry",
            "sealed",
            unique=True,
            sqlite_where=text("sealed = 0"),
            postgresql_where=text("sealed = 0"),
        ),
        Index("ix_ledger_entries_day", "day", "seq"),
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(120), unique=True)
    day: Mapped[date] = mapped_column(ForeignKey("ledger_days.day"))
    kind: Mapped[str] = mapped_column(String(40))
    event_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(60))
    reverses: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("ledger_entries.seq"), unique=True
    )
    sealed: Mapped[int] = mapped_column(default=0)
    prev_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class LedgerPosting(Model):
    """One line of an entry: positive fils are a debit, negative a credit."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint("line > 0", name="line_positive"),
        CheckConstraint("fils <> 0 AND abs(fils) <= 9000000000000", name="fils_in_range"),
        Index("postings_by_account", "account", "entry"),
    )
    entry: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ledger_entries.seq"), primary_key=True, autoincrement=False
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    fils: Mapped[int] = mapped_column(BigInteger)
