"""E-payment and collection: invoices, gateways, receipts, the ledger, reconciliation, the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payments import ledger

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    ledger.init_app(app)
