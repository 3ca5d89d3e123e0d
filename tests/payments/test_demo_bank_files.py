"""The demo bank's files add up and are read by the MT940 library."""

from __future__ import annotations

import mt940

from payments import collecting
from payments.gateways import demo_bank_files as files
from payments.gateways.protocol import RefundView
from payments.gateways.registry import gateway
from payments.models import Attempt, Invoice
from portal.db import db, utc_now
from portal.i18n import kuwait_date
from tests.factories import payments as make
from tests.payments.test_paying import at_the_bank, begin


def test_settlement_and_statement_agree_to_the_fils(app) -> None:
    with app.test_request_context("/ar/"):
        payer = make.person()
        for choice in ("approve", "decline", "twice"):
            attempt = begin(make.invoice(payer), payer)
            at_the_bank(attempt, choice)
        row = db.session.get_one(Attempt, attempt)
        view = collecting.view_of(row, db.session.get_one(Invoice, row.invoice_id))
        gateway("demo_bank").refund(RefundView(row.id, view, 4_000, "k", None, False))
        day = kuwait_date(utc_now())
        settlement = files.settlement_file(day).splitlines()
        statement = files.statement_file(
            day, opening_fils=-1_500, more=[files.Movement("X" * 150, -250)]
        )
        db.session.remove()
    assert len(settlement) == 2 + 3 + 1
    assert settlement[-1] == "total;3;16.000;0.100;15.900"
    read = mt940.parse(statement)
    amounts = [int(t.data["amount"].amount * 1000) for t in read.transactions]
    assert amounts == [15_900, -250]
    assert "SETTLEMENT BATCH" in read.transactions[0].data["transaction_details"]
    assert int(read.data["final_closing_balance"].amount.amount * 1000) == 14_150
    assert read.data["final_opening_balance"].amount.currency == "KWD"


def test_the_commands_write_them(app) -> None:
    run = app.test_cli_runner()
    assert "total;0;0.000" in run.invoke(args=["bank", "settlement", "2026-11-24"]).output
    assert (
        ":62F:C261124KWD1,500"
        in run.invoke(args=["bank", "statement", "2026-11-24", "--opening", "1.5"]).output
    )
