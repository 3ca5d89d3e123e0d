"""Money going back: two people, never more than was paid, recorded once."""

from __future__ import annotations

import threading
from unittest.mock import Mock

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from payments import collecting, refunds
from payments.events import RefundDone
from payments.gateways import demo_bank
from payments.gateways.protocol import GatewaySilent
from payments.ledger import public as ledger
from payments.models import Attempt, Refund, RefundState
from portal import Portal
from portal.db import db, unit_of_work, utc_now
from portal.errors import Forbidden
from tests.factories import payments as make
from tests.payments.test_paying import ask, at_the_bank, balance, begin, events_of


@pytest.fixture
def paid(any_app: Portal):
    with any_app.test_request_context("/ar/"):
        payer = make.person()
        invoice = make.invoice(payer)
        attempt = begin(invoice, payer)
        at_the_bank(attempt, "approve")
        ask(attempt, payer)
        yield any_app, invoice, make.finance_person(), make.finance_person()
        db.session.remove()


def asked(invoice, by, fils: int = 4_000):
    with unit_of_work():
        return refunds.ask_refund(
            make.stored(invoice), amount_fils=fils, reason="رُفض الطلب", now=utc_now(),
            by=make.actor(by),
        ).id  # fmt: skip


def test_one_asks_another_approves_and_the_bank_gives_back(paid) -> None:
    _app, invoice, first, second = paid
    refund = asked(invoice, first)
    with unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(second))
    for _ in range(3):
        refunds.send_refund(refund)
    assert db.session.get_one(Refund, refund).state is RefundState.DONE
    assert events_of(RefundDone) == 1
    assert balance("1110") == 6_000
    assert balance("4201") == -6_000
    assert ledger.verify().is_clean


def test_maker_cannot_approve(paid) -> None:
    _app, invoice, first, _second = paid
    refund = asked(invoice, first)
    with pytest.raises(refunds.NeedsSecondPerson), unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(first))
    with pytest.raises(DatabaseError), unit_of_work():
        db.session.execute(text("UPDATE refunds SET approved_by = asked_by"))
    db.session.rollback()


def test_the_system_alone_asks_for_nothing(paid) -> None:
    _app, invoice, _first, _second = paid
    from portal.actor import Actor

    with pytest.raises(Forbidden), unit_of_work():
        refunds.ask_refund(
            make.stored(invoice), amount_fils=1, reason="x", now=utc_now(),
            by=Actor.system("worker"),
        )  # fmt: skip


def test_more_than_was_paid_is_refused_and_a_rejected_one_frees_its_sum(paid) -> None:
    _app, invoice, first, second = paid
    refund = asked(invoice, first, 6_000)
    with pytest.raises(refunds.TooMuch):
        asked(invoice, first, 6_000)
    with unit_of_work():
        refunds.reject_refund(refund, reason="لا", now=utc_now(), by=make.actor(second))
    assert asked(invoice, first, 10_000)
    with pytest.raises(DatabaseError), unit_of_work():
        db.session.execute(text("UPDATE refunds SET state='asked' WHERE state='rejected'"))
    db.session.rollback()


def test_twenty_refunds_at_once_never_pass_the_payment(paid) -> None:
    app, invoice, first, _second = paid
    db.session.remove()
    refused: list[str] = []

    def one() -> None:
        with app.app_context():
            try:
                asked(invoice, first, 3_000)
            except refunds.TooMuch:
                refused.append("too much")
            db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.session.scalar(select(func.sum(Refund.amount_fils))) == 9_000
    assert len(refused) == 17


def test_a_lost_answer_is_asked_again_never_doubled(paid, monkeypatch) -> None:
    _app, invoice, first, second = paid
    refund = asked(invoice, first)
    with unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(second))
    real = demo_bank.DemoBank.refund

    def lost(self, view):
        real(self, view)
        raise GatewaySilent

    monkeypatch.setattr(demo_bank.DemoBank, "refund", lost)
    refunds.send_refund(refund)
    assert db.session.get_one(Refund, refund).state is RefundState.UNKNOWN
    db.session.rollback()
    monkeypatch.undo()
    refunds.send_refund(refund)
    assert db.session.get_one(Refund, refund).state is RefundState.DONE
    with demo_bank.books() as bank:
        assert bank.execute("SELECT sum(fils) FROM refunds").fetchone()[0] == 4_000


def test_killed_after_the_bank_gave_back_the_next_start_records_it(paid, monkeypatch) -> None:
    _app, invoice, first, second = paid
    refund = asked(invoice, first)
    with unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(second))
    monkeypatch.setattr(refunds, "record_refund", Mock(side_effect=SystemExit))
    with pytest.raises(SystemExit):
        refunds.send_refund(refund)
    monkeypatch.undo()
    assert refunds.send_due(utc_now()) == 1
    assert db.session.get_one(Refund, refund).state is RefundState.DONE
    assert balance("1110") == 6_000


def test_a_credit_goes_back_from_the_payers_credit(paid) -> None:
    _app, invoice, first, second = paid
    payer = make.stored(invoice).payer_person_id
    db.session.rollback()
    other = make.invoice(payer)
    old = begin(other, payer)
    with unit_of_work():
        db.session.get_one(Attempt, old).state = "expired"
    new = begin(other, payer)
    for attempt in (new, old):
        at_the_bank(attempt, "approve")
        collecting.ask(attempt, by=make.actor(payer))
    with unit_of_work():
        refund = refunds.ask_refund(
            make.stored(other), attempt=db.session.get_one(Attempt, old), amount_fils=10_000,
            reason="دُفع مرتين", now=utc_now(), by=make.actor(first),
        ).id  # fmt: skip
    with unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(second))
    refunds.send_refund(refund)
    assert balance("2301") == 0
    assert ledger.verify().is_clean
