"""Numbers without gaps: one row for each series and year, raised in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, db, is_postgres
from portal.i18n import kuwait_date

#: Codes of the registers; a number begins with one of them.
REGISTERS = {
    "STA": "Statements of status",
    "LAB": "Labour applications",
    "FAM": "Family assistance applications",
    "APL": "Appeals",
    "INV": "Invoices",
    "RCT": "Receipts",
    "PMT": "Permits and papers",
    "QST": "Questions to departments",
    "PAY": "Payment orders",
    "DAY": "Day reports",
}


class NumberSeries(Model):
    """The last number given in a series of one year."""

    __tablename__ = "number_series"
    register: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


def next_number(register: str, *, now: datetime) -> str:
    """``LAB-2026-000123``: the next of its series; given back if the transaction fails."""
    if register not in REGISTERS:
        raise KeyError(register)
    year = kuwait_date(now).year
    insert = postgres_insert if is_postgres() else sqlite_insert
    db.session.execute(
        insert(NumberSeries).values(register=register, year=year, last=0).on_conflict_do_nothing()
    )
    last = db.session.scalar(
        update(NumberSeries)
        .where(NumberSeries.register == register, NumberSeries.year == year)
        .values(last=NumberSeries.last + 1)
        .returning(NumberSeries.last)
    )
    return f"{register}-{year}-{last:06d}"
