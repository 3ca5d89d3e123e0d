"""DEMO bank: the files a bank sends, written from its own books (``docs/demo-bank.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from payments.gateways.demo_bank import books
from portal.i18n import KUWAIT
from portal.money import dinars

#: What the demo bank keeps of each purchase, in hundredths of a percent (half a percent).
FEE_BASIS_POINTS = 50
TERMINAL = "DIWAN01"
IBAN = "KW81CBKU0000000000001234560101"


@dataclass(frozen=True)
class Item:
    """One movement of a settlement: a purchase, or a refund with negative fils."""

    kind: str
    reference: str
    gateway_id: str
    rrn: str
    gross_fils: int
    fee_fils: int


@dataclass(frozen=True)
class Movement:
    """One line of a statement; negative fils leave the account."""

    text: str
    fils: int
    kind: str = "TRF"


def fee_of(fils: int) -> int:
    """The bank's charge of a purchase, rounded down to whole fils."""
    return fils * FEE_BASIS_POINTS // 10_000


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(KUWAIT).date()


def items(day: date) -> list[Item]:
    """What the bank took and gave back on a day of Kuwait, in its order."""
    with books() as bank:
        taken = bank.execute(
            "SELECT * FROM charges WHERE state='captured' ORDER BY decided_at, id"
        ).fetchall()
        given = bank.execute(
            "SELECT refunds.*, charges.reference FROM refunds"
            " JOIN charges ON charges.id=refunds.charge ORDER BY refunds.at, refunds.id"
        ).fetchall()
    purchases = [
        Item("purchase", row["reference"], row["id"], row["rrn"], row["told_fils"],
             fee_of(row["told_fils"]))
        for row in taken if _day(row["decided_at"]) == day
    ]  # fmt: skip
    refunds = [
        Item("refund", row["reference"], row["id"], row["rrn"], -row["fils"], 0)
        for row in given if _day(row["at"]) == day
    ]  # fmt: skip
    return purchases + refunds


def batch_number(day: date) -> str:
    return f"{day:%Y%m%d}"


def settlement_file(day: date) -> str:
    """The settlement file of a day: a head, one line an item, a total that must add up."""
    rows = items(day)
    lines = ["DEMO-SETTLEMENT;1", f"batch;{batch_number(day)};{TERMINAL};{day.isoformat()};KWD"]
    lines += [
        f"item;{row.kind};{row.reference};{row.gateway_id};{row.rrn};"
        f"{dinars(row.gross_fils)};{dinars(row.fee_fils)};{dinars(row.gross_fils - row.fee_fils)}"
        for row in rows
    ]
    gross, fee = sum(row.gross_fils for row in rows), sum(row.fee_fils for row in rows)
    lines.append(f"total;{len(rows)};{dinars(gross)};{dinars(fee)};{dinars(gross - fee)}")
    return "\n".join(lines) + "\n"


def settlement_movement(day: date) -> Movement | None:
    """The one credit (or debit) by which the bank pays a day's batch, net of its charges."""
    net = sum(row.gross_fils - row.fee_fils for row in items(day))
    if not net:
        return None
    return Movement(f"SETTLEMENT BATCH {batch_number(day)} TERM {TERMINAL}", net)


def _amount(fils: int) -> str:
    return dinars(abs(fils)).replace(".", ",")


def _mark(fils: int) -> str:
    return "C" if fils >= 0 else "D"


def statement_file(
    day: date,
    *,
    opening_fils: int = 0,
    number: int | None = None,
    more: Sequence[Movement] = (),
    iban: str = IBAN,
) -> str:
    """An MT940 statement of a day: the day's batch, then ``more``; opening + lines = closing."""
    batch = settlement_movement(day)
    movements = [*([batch] if batch else []), *more]
    closing = opening_fils + sum(movement.fils for movement in movements)
    out = [
        ":20:DEMOSTATEMENT",
        f":25:{iban}",
        f":28C:{number or int(f'{day:%j}')}/1",
        f":60F:{_mark(opening_fils)}{day:%y%m%d}KWD{_amount(opening_fils)}",
    ]
    for place, movement in enumerate(movements, 1):
        out.append(
            f":61:{day:%y%m%d}{day:%m%d}{_mark(movement.fils)}{_amount(movement.fils)}"
            f"N{movement.kind}NONREF//B{day:%y%m%d}{place:04d}"
        )
        text = movement.text
        chunks = [text[at : at + 65] for at in range(0, len(text), 65)]
        out.append(":86:" + "\r\n".join(chunks))
    out.append(f":62F:{_mark(closing)}{day:%y%m%d}KWD{_amount(closing)}")
    return "\r\n".join([*out, "-"]) + "\r\n"
