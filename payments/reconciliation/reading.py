"""Read a bank's files: MT940 statements and the demo bank's settlement file. Pure; whole or not.

Every fault names its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import mt940
from flask_babel import gettext as _

from portal.money import NotAnAmount, parse_fils

LARGEST = 5 * 1024 * 1024


class BadFile(ValueError):
    """The file cannot be imported; ``message`` says why, in the reader's language."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Movement:
    """One line of a statement."""

    booked_on: date
    fils: int
    bank_reference: str
    words: str


@dataclass(frozen=True)
class Statement:
    """A statement whose closing balance adds up."""

    account: str
    number: str
    opening_fils: int
    closing_fils: int
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class Item:
    """One charge of a settlement file."""

    kind: str
    reference: str
    gateway_id: str
    rrn: str
    gross_fils: int
    fee_fils: int


@dataclass(frozen=True)
class Batch:
    """A settlement file whose totals add up."""

    number: str
    terminal: str
    day: date
    items: tuple[Item, ...]

    @property
    def gross_fils(self) -> int:
        return sum(item.gross_fils for item in self.items)

    @property
    def fee_fils(self) -> int:
        return sum(item.fee_fils for item in self.items)


def _fils(amount: Any) -> int:
    value = amount.amount * 1000
    if value != int(value):
        raise BadFile(_("An amount has more than three decimals."))
    return int(value)


def read_statement(raw: bytes) -> Statement:
    """An MT940 statement. Errors: BadFile."""
    text = _text(raw)
    if ":60F:" not in text or ":62F:" not in text:
        raise BadFile(_("This is not an MT940 statement: opening or closing balance is missing."))
    _check_lines(text)
    try:
        parsed = mt940.models.Transactions()
        parsed.parse(text)
    except Exception as error:  # the parser's many ways of giving up are one answer
        raise BadFile(_("The statement cannot be read: a field is malformed.")) from error
    data = parsed.data
    opening = _fils(data["final_opening_balance"].amount)
    closing = _fils(data["final_closing_balance"].amount)
    movements = tuple(
        Movement(
            booked_on=transaction.data["date"],
            fils=_fils(transaction.data["amount"]),
            bank_reference=str(transaction.data.get("bank_reference") or ""),
            words=re.sub(r"\s*\n\s*", "", str(transaction.data.get("transaction_details") or "")),
        )
        for transaction in parsed
    )
    total = opening + sum(movement.fils for movement in movements)
    if total != closing:
        raise BadFile(
            _(
                "The closing balance does not add up: it should be %(should)s fils and says "
                "%(says)s fils. Nothing was imported.",
                should=total,
                says=closing,
            )
        )
    return Statement(
        str(data.get("account_identification", "")),
        str(data.get("statement_number", "")),
        opening,
        closing,
        movements,
    )


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise BadFile(_("The file is larger than 5 MB."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1256", errors="replace")


_LINE_61 = re.compile(r":61:\d{6}(\d{4})?R?[CD]K?\d+,\d{0,3}[NFS]?.{3}")


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(":61:") and not _LINE_61.match(line):
            raise BadFile(_("Line %(line)s is malformed. Nothing was imported.", line=number))


def read_settlement(raw: bytes) -> Batch:
    """The demo bank's settlement file (docs/demo-bank.md). Errors: BadFile."""
    lines = _text(raw).splitlines()
    if not lines or lines[0] != "DEMO-SETTLEMENT;1":
        raise BadFile(_("This is not a settlement file: the first line is unknown."))
    head: list[str] = []
    total: list[str] = []
    items: list[Item] = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split(";")
        try:
            match cells:
                case ["batch", *rest] if len(rest) == 4:
                    head = rest
                case ["item", kind, reference, ident, rrn, gross, fee, net]:
                    item = Item(kind, reference, ident, rrn, _signed(gross), _signed(fee))
                    if item.gross_fils - item.fee_fils != _signed(net):
                        raise ValueError(net)
                    items.append(item)
                case ["total", *rest] if len(rest) == 4:
                    total = rest
                case _:
                    raise ValueError(line)
        except (ValueError, NotAnAmount) as error:
            raise BadFile(
                _("Line %(line)s is malformed. Nothing was imported.", line=number)
            ) from error
    if not head or not total:
        raise BadFile(_("The file is cut off: its first or its last record is missing."))
    batch = Batch(head[0], head[1], date.fromisoformat(head[2]), tuple(items))
    said = (int(total[0]), _signed(total[1]), _signed(total[2]), _signed(total[3]))
    found = (
        len(items), batch.gross_fils, batch.fee_fils, batch.gross_fils - batch.fee_fils,
    )  # fmt: skip
    if said != found:
        raise BadFile(_("The totals of the file do not add up. Nothing was imported."))
    return batch


def _signed(text: str) -> int:
    return -parse_fils(text[1:]) if text.startswith("-") else parse_fils(text)
