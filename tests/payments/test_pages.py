"""What payer, stranger and officer see of payments."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from payments import collecting
from payments.gateways import demo_bank
from payments.models import Attempt, Receipt, Refund
from portal.db import db, utc_now
from portal.events import deliver_all
from tests.conftest import sign_in
from tests.factories import payments as make
from tests.page_check import faults_of


class MainClient(FlaskClient):
    """Checks the part of each page that is ours: the title and all of ``main``."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code not in {303, 302}:
            html = response.get_data(as_text=True)
            head = re.search(r"<html[^>]*>", html)
            title = re.search(r"<title>.*?</title>", html, re.S)
            main = re.search(r"<main.*</main>", html, re.S)
            assert head
            assert title
            assert main
            found = faults_of(f"{head[0]}{title[0]}{main[0]}</html>")
            assert response.status_code >= 400 or not found, f"{response.request.path}: {found}"
        return response


@pytest.fixture
def browser(app) -> FlaskClient:
    app.test_client_class = MainClient
    return app.test_client()


@pytest.fixture
def owed(app, browser):
    with app.test_request_context("/ar/"):
        payer = make.person()
        invoice = make.invoice(
            payer, money_back={"ar": "لا يُرد الرسم بعد القرار.", "en": "No return after decision."}
        )
        db.session.remove()
    sign_in(browser, payer, level=2)
    return payer, invoice


def begin(browser, invoice, lang: str = "ar") -> str:
    answer = browser.post(
        f"/{lang}/payments/invoices/{invoice}/pay", data={"gateway": "demo_bank", "amount": "1"}
    )
    assert answer.status_code == 303
    return answer.location


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    "choice", ["approve", "twice", "decline", "cancel", "late", "wrong_amount"]
)
def test_the_way_through_the_bank(app, browser, owed, lang, choice) -> None:
    _payer, invoice = owed
    base = f"/{lang}/payments"
    assert browser.get(f"{base}/").status_code == 200
    assert browser.get(f"{base}/invoices/{invoice}").status_code == 200
    shown = browser.get(f"{base}/invoices/{invoice}/pay")
    assert "10.000" in shown.text
    assert "script-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<script" not in shown.text
    bank = begin(browser, invoice, lang)
    assert browser.get(bank).status_code == 200
    # A second tab meets the payment under way, never a second bank page.
    assert "/attempts/" in browser.get(f"{base}/invoices/{invoice}/pay").location
    back = browser.post(bank, data={"choice": choice})
    assert back.status_code == 303
    asked = browser.get(back.location)
    assert asked.status_code == 303
    told = browser.get(asked.location)
    assert told.status_code == 200
    assert browser.get(f"{base}/invoices/{invoice}").status_code == 200
    assert browser.get(bank).status_code == 200
    paid = choice in {"approve", "twice"}
    with app.app_context():
        assert make.stored(invoice).is_paid is paid
        receipts = db.session.scalars(select(Receipt.id)).all()
        db.session.remove()
    if paid:
        assert "RCT-" in told.text
        assert browser.get(f"{base}/receipts/{receipts[0]}").status_code == 200
    elif choice in {"late", "wrong_amount"}:
        assert 'http-equiv="refresh"' in told.text
        asked_again = browser.post(asked.location + "/ask")
        assert asked_again.status_code == 303


def test_the_broken_line_leaves_the_payer_at_the_bank(browser, owed) -> None:
    _payer, invoice = owed
    bank = begin(browser, invoice)
    assert browser.post(bank, data={"choice": "break"}).status_code == 200
    assert browser.get(f"/ar/payments/invoices/{invoice}").status_code == 200


def test_posted_amount_is_ignored(app, browser, owed) -> None:
    _payer, invoice = owed
    begin(browser, invoice)
    with app.app_context():
        assert db.session.scalars(select(Attempt.amount_fils)).one() == 10_000


@pytest.mark.parametrize("gateway", ["", "stripe", "x" * 10_000, "\u202edemo_bank"])
def test_a_forged_way_of_paying_is_told_at_the_field(app, browser, owed, gateway) -> None:
    _payer, invoice = owed
    answer = browser.post(f"/en/payments/invoices/{invoice}/pay", data={"gateway": gateway})
    assert answer.status_code == 422
    assert 'href="#gateway' in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_forged_choice_at_the_demo_bank_decides_nothing(app, browser, owed) -> None:
    _payer, invoice = owed
    bank = begin(browser, invoice)
    assert browser.post(bank, data={"choice": "give_me_all"}).status_code == 422
    with app.app_context():
        assert demo_bank.charge(bank.rsplit("/", 1)[1])["state"] == "open"
    assert browser.get(f"/ar/demo-bank/charges/demo-{uuid4()}").status_code == 404


def test_others_do_not_see_the_invoice(app, browser, owed) -> None:
    _payer, invoice = owed
    with app.app_context():
        stranger = make.person()
        db.session.remove()
    sign_in(browser, stranger, level=2)
    for path in (f"invoices/{invoice}", f"invoices/{invoice}/pay"):
        assert browser.get(f"/ar/payments/{path}").status_code == 404
    answer = browser.post(f"/ar/payments/invoices/{invoice}/pay", data={"gateway": "demo_bank"})
    assert answer.status_code == 404
    assert browser.get(f"/ar/payments/invoices/{uuid4()}").status_code == 404


def test_a_callback_alone_never_pays(app, client) -> None:
    with app.test_request_context("/ar/"):
        payer = make.person()
        invoice = make.invoice(payer)
        collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
        reference = db.session.scalars(select(Attempt.reference)).one()
        db.session.remove()
    answer = client.post(
        "/payments/notices/demo-bank",
        data={"event": "E1", "reference": reference, "result": "CAPTURED"},
    )
    assert answer.status_code == 204
    with app.app_context():
        deliver_all()
        assert not make.stored(invoice).is_paid


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"event=E&reference=" + b"9" * 5000, b"a" * 300_000]
)
def test_garbled_notices_break_nothing(client, body) -> None:
    answer = client.post(
        "/payments/notices/demo-bank", data=body,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert answer.status_code in {204, 404, 413}


def test_the_receipt_is_sealed_by_the_worker(app, browser, owed) -> None:
    _payer, invoice = owed
    bank = begin(browser, invoice)
    back = browser.post(bank, data={"choice": "approve"})
    browser.get(back.location)
    with app.app_context():
        deliver_all()
        receipt = db.session.scalars(select(Receipt)).one().id
        db.session.remove()
    shown = browser.get(f"/ar/payments/receipts/{receipt}")
    assert "paper" in shown.text
    paper = browser.get(f"/ar/payments/receipts/{receipt}/paper")
    assert paper.data.startswith(b"%PDF")
    assert paper.mimetype == "application/pdf"


def test_a_return_is_asked_by_one_and_approved_by_another(app, browser, owed) -> None:
    payer, invoice = owed
    bank = begin(browser, invoice)
    browser.get(browser.post(bank, data={"choice": "approve"}).location)
    with app.app_context():
        first, second = make.finance_person(), make.finance_person()
        attempt = db.session.scalars(select(Attempt.id)).one()
        db.session.remove()
    desk = "/en/payments/refunds"
    assert browser.get(f"{desk}/").status_code == 403  # the payer
    sign_in(browser, first, level=3)
    for path in ("/", f"/ask/{attempt}"):
        assert browser.get(f"/ar/payments/refunds{path}").status_code == 200
    assert browser.get(f"{desk}/ask/{attempt}").status_code == 200
    for amount in ("", "x", "12.3456", "-1", "0"):
        bad = browser.post(f"{desk}/ask/{attempt}", data={"amount": amount, "reason": "سبب"})
        assert bad.status_code == 422
        assert "سبب" in bad.text
    assert (
        browser.post(f"{desk}/ask/{attempt}", data={"amount": "10.001", "reason": "س"}).status_code
        == 409
    )
    sent = browser.post(f"{desk}/ask/{attempt}", data={"amount": "٤٫٠٠٠", "reason": "سبب"})
    assert sent.status_code == 303
    assert browser.get(sent.location).status_code == 200
    assert browser.post(sent.location, data={"decision": "approve"}).status_code == 403
    sign_in(browser, second, level=3)
    assert browser.get(f"{desk}/").status_code == 200
    assert browser.get(sent.location).status_code == 200
    assert browser.post(sent.location, data={"decision": "reject"}).status_code == 422
    assert browser.post(sent.location, data={"decision": "approve"}).status_code == 303
    assert browser.post(sent.location, data={"decision": "approve"}).status_code == 409
    with app.app_context():
        deliver_all()
        assert db.session.scalars(select(Refund.state)).one().value == "done"
        db.session.remove()
    assert browser.get(f"{desk}/").status_code == 200
    sign_in(browser, payer, level=2)
    assert browser.get(f"/ar/payments/invoices/{invoice}").status_code == 200


def test_the_demo_bank_calls_back_each_notice_once(app) -> None:
    with app.test_request_context("/ar/"):
        payer = make.person()
        invoice = make.invoice(payer)
        address = collecting.begin(invoice, "demo_bank", lang="ar", by=make.actor(payer))
        demo_bank.decide(address.rsplit("/", 1)[1], "twice", now=utc_now())
        heard: list[dict[str, str]] = []
        assert demo_bank.send_due_notices(heard.append, now=utc_now()) == 2
        assert demo_bank.send_due_notices(heard.append, now=utc_now()) == 0
        assert len({notice["event"] for notice in heard}) == 1
        db.session.remove()
