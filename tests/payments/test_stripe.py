"""Cards through Stripe Checkout, on the real library.

Checkout, idempotency, the dinar's last digit and refunds run against our own labelled fake whose
every request and answer is validated by the published document; plain payments and refunds that
localstripe has run against localstripe.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import stripe
from sqlalchemy import select

from payments import collecting, refunds
from payments.gateways import registry, stripe_checkout
from payments.gateways.protocol import AttemptView, GatewayRefused, GatewaySilent, RefundView
from payments.models import Attempt, AttemptNotice, AttemptState, Refund, RefundState
from payments.public import InvoiceLine
from portal.db import db, unit_of_work, utc_now
from portal.events import deliver_all
from tests.factories import payments as make
from tests.payments.stripe_fake import ContractBroken, FakeStripe, document, validate

SECRET = "whsec_" + "0" * 32


@pytest.fixture
def fake():
    with FakeStripe() as running:
        yield running
    assert running.broken == []


@pytest.fixture
def cards(app, fake):
    app.config.update(
        GATEWAYS="stripe",
        STRIPE_SECRET_KEY="sk_test_123",
        STRIPE_WEBHOOK_SECRET=SECRET,
        STRIPE_API_BASE=fake.address,
    )
    with app.test_request_context("/ar/"):
        yield app
        db.session.remove()


@pytest.fixture
def owed(cards):
    payer = make.person()
    return payer, make.invoice(payer)


def begin(owed) -> tuple[str | None, UUID]:
    payer, invoice = owed
    address = collecting.begin(invoice, "stripe", lang="ar", by=make.actor(payer))
    attempt = db.session.scalars(
        select(Attempt.id).where(Attempt.invoice_id == invoice).order_by(Attempt.sent_at.desc())
    ).first()
    db.session.rollback()
    assert attempt
    return address, attempt


def ask(owed, attempt_id) -> Attempt:
    db.session.rollback()
    collecting.ask(attempt_id, by=make.actor(owed[0]))
    return db.session.get_one(Attempt, attempt_id)


def view(**more) -> AttemptView:
    given = {
        "id": uuid4(), "reference": "DW000073204252", "amount_fils": 10_000, "currency": "KWD",
        "idempotency_key": str(uuid4()), "handle": None, "gateway_id": None,
        "title": "إصدار إذن عمل", "lang": "ar", "sent_at": utc_now(), "return_path": "/ar/x",
    }  # fmt: skip
    return AttemptView(**{**given, **more})


@pytest.mark.parametrize("fils", [250, 1_000, 18_600, 999_999_990])
def test_an_approved_card_pays_the_exact_fils(fake, cards, fils) -> None:
    payer = make.person()
    line = InvoiceLine("X", "4201", {"ar": "رسم", "en": "Fee"}, fils)
    owed = payer, make.invoice(payer, lines=[line])
    address, attempt = begin(owed)
    assert address
    assert address.startswith("https://checkout.stripe.com/")
    (session,) = fake.sessions.values()
    assert session["amount_total"] == fils
    assert ask(owed, attempt).state is AttemptState.SENT
    fake.pay(session["id"])
    settled = ask(owed, attempt)
    assert settled.state is AttemptState.PAID
    assert settled.gateway_id.startswith("pi_")
    assert settled.handle.startswith("cs_test_")


def test_a_fee_with_a_last_digit_is_not_offered_and_refused_by_both(fake, cards) -> None:
    (way,) = registry.offered(125)
    assert not way.fits
    with pytest.raises(GatewayRefused):
        registry.gateway("stripe").start(view(amount_fils=125))
    assert not fake.calls
    with pytest.raises(stripe.InvalidRequestError):
        stripe_checkout.StripeCheckout()._open(view(amount_fils=125))


def test_a_lost_answer_finds_the_same_page_by_its_key(fake, owed) -> None:
    fake.lose_next = "after"
    _address, attempt = begin(owed)  # the library repeats by itself with the same key
    assert len(fake.sessions) == 1
    (session,) = fake.sessions
    with unit_of_work():
        db.session.get_one(Attempt, attempt).handle = None
    fake.pay(session)
    assert ask(owed, attempt).state is AttemptState.PAID
    assert len(fake.sessions) == 1


def test_the_same_key_with_other_content_is_no_second_page(fake, cards) -> None:
    first = view()
    gateway = registry.gateway("stripe")
    gateway.start(first)
    with pytest.raises(GatewaySilent):
        gateway.start(view(idempotency_key=first.idempotency_key, amount_fils=20_000))
    assert len(fake.sessions) == 1


def test_after_a_day_the_page_is_looked_up_not_opened_again(fake, cards) -> None:
    gateway = registry.gateway("stripe")
    gateway.start(view(idempotency_key="k"))
    old = view(idempotency_key="k2", sent_at=utc_now() - timedelta(hours=30))
    fake.pay(next(iter(fake.sessions)))
    assert gateway.inquire(old).verdict == "paid"
    assert gateway.inquire(view(reference="DW1", sent_at=old.sent_at)).verdict == "not_found"
    assert len(fake.sessions) == 1


def test_an_expired_page_frees_the_invoice(fake, owed) -> None:
    _address, attempt = begin(owed)
    fake.expire(next(iter(fake.sessions)))
    assert ask(owed, attempt).state is AttemptState.CANCELLED


@pytest.mark.parametrize("wrong", [{"amount": 9_990}, {"currency": "usd"}])
def test_an_answer_that_does_not_fit_pays_nothing(fake, owed, wrong) -> None:
    _address, attempt = begin(owed)
    fake.pay(next(iter(fake.sessions)), **wrong)
    kept = ask(owed, attempt)
    assert kept.state is AttemptState.UNKNOWN
    assert kept.disagreement in {"amount", "currency"}


def test_a_dead_gateway_leaves_the_attempt_unknown(fake, cards, owed) -> None:
    _address, attempt = begin(owed)
    cards.config["STRIPE_API_BASE"] = "http://127.0.0.1:9"
    assert ask(owed, attempt).state is AttemptState.UNKNOWN


def test_refunds_go_back_once_and_never_beyond(fake, owed) -> None:
    _payer, invoice = owed
    _address, attempt = begin(owed)
    fake.pay(next(iter(fake.sessions)))
    paid = ask(owed, attempt)
    seen = collecting.view_of(paid, make.stored(invoice))
    gateway = registry.gateway("stripe")
    db.session.rollback()
    first, second = make.finance_person(), make.finance_person()
    with unit_of_work():
        refund = refunds.ask_refund(
            make.stored(invoice), amount_fils=6_000, reason="x", now=utc_now(),
            by=make.actor(first),
        ).id  # fmt: skip
    with unit_of_work():
        refunds.approve_refund(refund, now=utc_now(), by=make.actor(second))
    fake.lose_next = "after"
    refunds.send_refund(refund)
    refunds.send_refund(refund)
    done = db.session.get_one(Refund, refund)
    assert done.state is RefundState.DONE
    assert done.gateway_id.startswith("re_")
    assert len(fake.refunds) == 1
    too_much = RefundView(uuid4(), seen, 6_000, str(uuid4()), None, False)
    assert gateway.refund(too_much).verdict == "failed"
    known = RefundView(refund, seen, 6_000, "another key", None, True)
    assert gateway.refund(known).gateway_id == done.gateway_id
    assert len(fake.refunds) == 1


def signed(body: bytes, at: int, secret: str = SECRET) -> str:
    mark = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mark}"


@pytest.mark.parametrize("shift", [-299, 0, 29])
def test_a_webhook_signed_now_is_read(shift) -> None:
    body = b'{"id":"evt_1"}'
    assert stripe_checkout.read_webhook(body, signed(body, 1_000_000 + shift), SECRET, now=1e6)


@pytest.mark.parametrize(
    "header",
    [
        signed(b'{"id":"evt_1"}', 1_000_000 - 301),
        signed(b'{"id":"evt_1"}', 1_000_000 + 31),
        signed(b'{"id":"evt_1"}', 1_000_000 + 86_400),
        signed(b'{"id":"evt_1" }', 1_000_000),
        signed(b'{"id":"evt_1"}', 1_000_000, "whsec_other"),
        "", "t=,v1=", "t=x,v1=00", "t=1000000", "t=1000000,t=1000000,v1=00", "t=\u0661,v1=0",
    ],
)  # fmt: skip
def test_other_webhooks_are_refused(header) -> None:
    with pytest.raises(stripe_checkout.SignatureRefused):
        stripe_checkout.read_webhook(b'{"id":"evt_1"}', header, SECRET, now=1_000_000)


def test_a_webhook_is_only_a_reason_to_ask(fake, cards, owed) -> None:
    _address, attempt = begin(owed)
    reference = db.session.get_one(Attempt, attempt).reference
    db.session.remove()
    event = {
        "id": "evt_1", "type": "checkout.session.completed",
        "data": {"object": {"object": "checkout.session", "metadata": {"reference": reference}}},
    }  # fmt: skip
    client = cards.test_client()

    def knock(event: dict) -> int:
        body = json.dumps(event).encode()
        return client.post(
            "/payments/notices/stripe", data=body,
            headers={"Stripe-Signature": signed(body, int(time.time()))},
        ).status_code  # fmt: skip

    assert knock(event) == 204
    deliver_all()
    assert db.session.get_one(Attempt, attempt).state is AttemptState.SENT  # it was a lie
    db.session.remove()
    fake.pay(next(iter(fake.sessions)))
    assert knock(event) == 204  # the same event again is no new reason
    assert knock({**event, "id": "evt_2"}) == 204
    deliver_all()
    assert db.session.get_one(Attempt, attempt).state is AttemptState.PAID
    db.session.remove()
    assert knock({**event, "id": "evt_0", "type": "payment_intent.payment_failed"}) == 204
    deliver_all()
    assert db.session.get_one(Attempt, attempt).state is AttemptState.PAID
    heard = db.session.scalars(
        select(AttemptNotice.event_id).where(AttemptNotice.event_id.is_not(None))
    )
    assert sorted(heard) == ["evt_0", "evt_1", "evt_2"]
    assert client.post("/payments/notices/stripe", data=b"{}").status_code == 400


def test_the_contract_is_strict() -> None:
    """The guard shown red once: an answer and a request that break the published document."""
    schema = document()["components"]["schemas"]["checkout.session"]
    with pytest.raises(ContractBroken):
        validate({"id": "cs_1", "object": "checkout.session"}, schema, "answer")
    operation = document()["paths"]["/v1/refunds"]["post"]
    with pytest.raises(ContractBroken):
        FakeStripe._check_body(operation, "amount=10&no_such_field=1")


def test_production_refuses_test_keys(app) -> None:
    found = list(
        stripe_checkout._live_keys(
            {**app.config, "GATEWAYS": "stripe", "STRIPE_SECRET_KEY": "sk_test_1",
             "STRIPE_API_BASE": "http://127.0.0.1:1"}
        )
    )  # fmt: skip
    assert len(found) == 3
