"""From an invoice to the money, through the demo bank, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from payments import collecting, operations, reference, rules
from payments.events import InvoicePaid, NoticeReceived, PayerCredited
from payments.gateways import demo_bank
from payments.gateways.protocol import Answer
from payments.ledger import public as ledger
from payments.ledger.operations import balances
from payments.models import (
    Attempt,
    AttemptNotice,
    AttemptState,
    InvoiceState,
    NoticeSource,
    PayerCredit,
    Receipt,
)
from payments.public import InvoiceLine
from portal import Portal
from portal.audit import AuditRow
from portal.db import db, unit_of_work, utc_now
from portal.events import EventRow
from tests.factories import payments as make


def balance(code: str) -> int:
    return next((fils for account, fils in balances() if account.code == code), 0)


def events_of(kind: type) -> int:
    return (
        db.session.scalar(
            select(func.count()).select_from(EventRow).where(EventRow.name == kind.event_name())
        )
        or 0
    )


def begin(invoice: UUID, payer: UUID) -> UUID:
    address = collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
    assert address
    found = db.session.scalars(
        select(Attempt.id).where(Attempt.invoice_id == invoice).order_by(Attempt.sent_at.desc())
    ).first()
    db.session.rollback()
    assert found
    return found


def at_the_bank(attempt: UUID, choice: str) -> None:
    demo_bank.decide(f"demo-{attempt}", choice, now=utc_now())


def ask(attempt: UUID, payer: UUID) -> None:
    collecting.ask(attempt, by=make.actor(payer))


@pytest.fixture
def ready(any_app: Portal):
    with any_app.test_request_context("/ar/"):
        payer = make.person()
        yield payer, make.invoice(payer)
        db.session.remove()


def test_an_approved_payment_settles_the_invoice_once(ready) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "approve")
    for _ in range(3):
        ask(attempt, payer)
    assert make.stored(invoice).state is InvoiceState.PAID
    assert events_of(InvoicePaid) == 1
    receipt = db.session.scalars(select(Receipt)).one()
    assert receipt.amount_fils == 10_000
    assert receipt.number.startswith("RCT-")


@pytest.mark.parametrize(
    ("choice", "state"),
    [("decline", AttemptState.DECLINED), ("cancel", AttemptState.CANCELLED)],
)
def test_what_the_bank_refused_frees_the_invoice(ready, choice, state) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, choice)
    ask(attempt, payer)
    assert db.session.get_one(Attempt, attempt).state is state
    assert make.stored(invoice).state is InvoiceState.OPEN
    db.session.rollback()
    second = begin(invoice, payer)
    at_the_bank(second, "approve")
    ask(second, payer)
    assert make.stored(invoice).is_paid


def test_while_one_attempt_lives_there_is_no_second(ready) -> None:
    payer, invoice = ready
    begin(invoice, payer)
    with pytest.raises(operations.AttemptUnderWay):
        collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_the_database_itself_keeps_one_live_attempt(ready) -> None:
    payer, invoice = ready
    first = begin(invoice, payer)
    row = db.session.get_one(Attempt, first)
    twin = {c.name: getattr(row, c.name) for c in Attempt.__table__.columns}
    twin |= {"id": uuid4(), "reference": "DW000000000097", "idempotency_key": "other"}
    db.session.rollback()
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.execute(insert(Attempt).values(**twin))
    db.session.rollback()


def test_a_broken_line_is_unknown_until_the_bank_answers(ready, monkeypatch) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "break")
    ask(attempt, payer)
    assert db.session.get_one(Attempt, attempt).state is AttemptState.UNKNOWN
    db.session.rollback()
    with pytest.raises(operations.AttemptUnderWay):
        collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
    later = utc_now() + timedelta(minutes=3)
    monkeypatch.setattr(demo_bank, "utc_now", lambda: later)
    assert collecting.ask_due(later) == 1
    assert make.stored(invoice).is_paid
    assert events_of(InvoicePaid) == 1


def test_a_late_answer_is_waited_for(ready, monkeypatch) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "late")
    ask(attempt, payer)
    assert db.session.get_one(Attempt, attempt).is_live
    db.session.rollback()
    later = utc_now() + timedelta(minutes=3)
    monkeypatch.setattr(demo_bank, "utc_now", lambda: later)
    collecting.ask_due(later)
    assert make.stored(invoice).is_paid


def test_a_wrong_amount_pays_nothing_and_blocks_a_second_try(ready) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "wrong_amount")
    ask(attempt, payer)
    kept = db.session.get_one(Attempt, attempt)
    assert kept.state is AttemptState.UNKNOWN
    assert kept.disagreement == "amount"
    assert make.stored(invoice).state is InvoiceState.OPEN
    assert not events_of(InvoicePaid)
    assert db.session.scalar(
        select(AuditRow.seq).where(AuditRow.act == "payments.attempt.disagrees")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fils": 9_999},
        {"currency": "USD"},
        {"reference": "DW000000000097"},
        {"environment": "live"},
        {"gateway_id": None},
    ],
)
def test_each_part_of_an_answer_must_agree(ready, change) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    row = db.session.get_one(Attempt, attempt)
    answer = Answer(
        "paid", amount_fils=10_000, currency="KWD", reference=row.reference, environment="demo",
        gateway_id="G-1",
    )  # fmt: skip
    db.session.rollback()
    with unit_of_work():
        operations.record_answer(
            attempt, replace(answer, **change), now=utc_now(), by=make.actor(payer)
        )
    assert make.stored(invoice).state is InvoiceState.OPEN
    db.session.rollback()
    with unit_of_work():
        operations.record_answer(attempt, answer, now=utc_now(), by=make.actor(payer))
    assert make.stored(invoice).is_paid


def test_killed_between_charge_and_record_the_next_start_finishes(ready, monkeypatch) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    at_the_bank(attempt, "approve")
    monkeypatch.setattr(operations, "record_answer", Mock(side_effect=SystemExit))
    with pytest.raises(SystemExit):
        ask(attempt, payer)
    monkeypatch.undo()
    assert make.stored(invoice).state is InvoiceState.OPEN
    db.session.rollback()
    collecting.ask_due(utc_now() + timedelta(minutes=2))
    assert make.stored(invoice).is_paid
    assert events_of(InvoicePaid) == 1


def test_killed_before_the_bank_was_reached_the_attempt_expires(ready, monkeypatch) -> None:
    payer, invoice = ready
    monkeypatch.setattr(demo_bank.DemoBank, "start", Mock(side_effect=SystemExit))
    with pytest.raises(SystemExit):
        collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
    attempt = db.session.scalars(select(Attempt.id)).one()
    db.session.rollback()
    real = utc_now()
    for minutes in (2, 15, 31, 45):
        moment = real + timedelta(minutes=minutes)
        monkeypatch.setattr(collecting, "utc_now", lambda moment=moment: moment)
        ask(attempt, payer)
    assert db.session.get_one(Attempt, attempt).state is AttemptState.EXPIRED
    assert make.stored(invoice).state is InvoiceState.OPEN


def test_a_second_capture_becomes_the_payers_credit(ready) -> None:
    payer, invoice = ready
    first = begin(invoice, payer)
    with unit_of_work():
        db.session.get_one(Attempt, first).state = AttemptState.EXPIRED
    second = begin(invoice, payer)
    at_the_bank(second, "approve")
    ask(second, payer)
    at_the_bank(first, "approve")  # the old page was still open
    for _ in range(2):
        ask(first, payer)
    credit = db.session.scalars(select(PayerCredit)).one()
    assert (credit.payer_person_id, credit.amount_fils) == (payer, 10_000)
    assert events_of(InvoicePaid) == 1
    assert events_of(PayerCredited) == 1
    assert balance("2301") == -10_000
    assert balance("1201") == 0


def test_money_for_a_cancelled_invoice_becomes_credit(ready) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    with unit_of_work():
        db.session.get_one(Attempt, attempt).state = AttemptState.EXPIRED
    with unit_of_work():
        operations.cancel_invoice(
            make.stored(invoice), reason="withdrawn", now=utc_now(), by=make.actor(payer)
        )
    at_the_bank(attempt, "approve")
    ask(attempt, payer)
    assert make.stored(invoice).state is InvoiceState.CANCELLED
    assert db.session.scalars(select(PayerCredit)).one().amount_fils == 10_000
    assert balance("1201") == 0


def test_an_invoice_under_way_is_not_cancelled(ready) -> None:
    payer, invoice = ready
    begin(invoice, payer)
    with pytest.raises(operations.AttemptUnderWay), unit_of_work():
        operations.cancel_invoice(
            make.stored(invoice), reason="withdrawn", now=utc_now(), by=make.actor(payer)
        )


def test_fifty_callbacks_at_once_pay_once(any_app: Portal) -> None:
    with any_app.test_request_context("/ar/"):
        payer = make.person()
        invoice = make.invoice(payer)
        attempt = begin(invoice, payer)
        at_the_bank(attempt, "approve")
        reference = db.session.get_one(Attempt, attempt).reference
        db.session.remove()
    failures: list[object] = []

    def call_back() -> None:
        answer = any_app.test_client().post(
            "/payments/notices/demo-bank", data={"event": "E-1", "reference": reference}
        )
        if answer.status_code != 204:
            failures.append(answer.status)
        with any_app.app_context():
            collecting.ask(attempt, by=make.actor(payer))
            db.session.remove()

    threads = [threading.Thread(target=call_back) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with any_app.app_context():
        assert make.stored(invoice).is_paid
        assert events_of(InvoicePaid) == 1
        assert events_of(NoticeReceived) == 1
        assert db.session.scalar(select(func.count()).select_from(Receipt)) == 1
        notices = db.session.scalars(
            select(AttemptNotice.event_id).where(AttemptNotice.event_id.is_not(None))
        ).all()
        assert notices == ["E-1"]
        assert balance("1110") == 10_000
        assert ledger.verify().is_clean
        db.session.remove()


def test_exempted_fees_balance_and_a_free_invoice_is_paid_at_once(ready) -> None:
    payer, _invoice = ready
    part = InvoiceLine("X", "4201", {"ar": "رسم", "en": "Fee"}, 5_000, 2_000, "قرار 1")
    half = make.invoice(payer, lines=[part])
    assert make.stored(half).total_fils == 3_000
    db.session.rollback()
    free = make.invoice(
        payer, lines=[InvoiceLine("X", "4201", {"ar": "رسم", "en": "Fee"}, 5_000, 5_000, "قرار")]
    )
    assert make.stored(free).is_paid
    assert balance("5401") == 7_000
    assert ledger.verify().is_clean


def test_notices_are_never_altered(ready) -> None:
    with unit_of_work():
        operations.keep_notice(
            gateway="demo_bank", source=NoticeSource.CALLBACK, now=utc_now(),
            raw=b"card=4111 1111 1111 1111&rrn=632812345678",
        )  # fmt: skip
    assert db.session.scalars(select(AttemptNotice.raw)).one() == b"card=[card]&rrn=632812345678"
    db.session.rollback()
    for statement in ("UPDATE attempt_notices SET verdict='paid'", "DELETE FROM attempt_notices"):
        with pytest.raises(DatabaseError), unit_of_work():
            db.session.execute(text(statement))
        db.session.rollback()


def test_an_open_attempt_is_asked_by_the_ladder() -> None:
    start = utc_now()
    waits = [rules.next_inquiry(n, start) - start for n in range(7)]
    assert [wait // timedelta(minutes=1) for wait in waits] == [1, 2, 5, 15, 60, 60, 60]


def test_references_carry_check_digits() -> None:
    made = reference.with_check_digits(73_2042)
    assert reference.is_reference(made)
    assert reference.find_references(f"تحويل {made[:6]} {made[6:]} شكرا") == [made]
    swapped = made[:8] + made[9] + made[8] + made[10:]
    assert swapped == made or not reference.is_reference(swapped)
    assert reference.shown("DW000073204252") == "DW 0000 7320 4252"


def test_a_payment_missing_in_the_ledger_is_named(ready) -> None:
    payer, invoice = ready
    attempt = begin(invoice, payer)
    assert ledger.verify().is_clean
    db.session.rollback()
    with unit_of_work():  # as if a step had been skipped
        row = db.session.get_one(Attempt, attempt)
        row.state, row.paid_at = AttemptState.PAID, utc_now()
    assert ledger.verify().uncovered == (f"attempt:{attempt}:paid",)
