"""Which accounts a fact of money touches. Every list sums to zero, exemption or not."""

from __future__ import annotations

from collections.abc import Iterable

from payments.ledger import chart
from payments.ledger.operations import Line


def invoice_opened(items: Iterable[tuple[str, int, int]]) -> list[Line]:
    """``items``: (revenue account, gross fils, exempted fils)."""
    rows = list(items)
    gross = sum(row[1] for row in rows)
    exempted = sum(row[2] for row in rows)
    return [
        (chart.RECEIVABLE, gross - exempted),
        (chart.EXEMPTIONS, exempted),
        *((account, -fils) for account, fils, _exempted in rows),
    ]


def invoice_cancelled(items: Iterable[tuple[str, int, int]]) -> list[Line]:
    return [(account, -fils) for account, fils in invoice_opened(items)]


def attempt_paid(fils: int) -> list[Line]:
    return [(chart.CLEARING, fils), (chart.RECEIVABLE, -fils)]


def overpaid(fils: int) -> list[Line]:
    return [(chart.CLEARING, fils), (chart.CREDITS, -fils)]


def settlement(gross: int, fee: int) -> list[Line]:
    return [(chart.BANK, gross - fee), (chart.CHARGES, fee), (chart.CLEARING, -gross)]


def refund(account: str, fils: int) -> list[Line]:
    return [(account, fils), (chart.CLEARING, -fils)]


def adjustment(fils: int) -> list[Line]:
    """A bank line nobody can explain: over is revenue, short an expense."""
    if fils > 0:
        return [(chart.BANK, fils), (chart.OVER, -fils)]
    return [(chart.SHORT, -fils), (chart.BANK, fils)]


def assistance_granted(fils: int) -> list[Line]:
    return [(chart.ASSISTANCE, fils), (chart.ORDERS, -fils)]
