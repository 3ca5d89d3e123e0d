"""What localstripe has: a payment of dinars, its refund, and finding the refund again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import stripe

from payments.gateways.protocol import AttemptView, RefundView
from payments.gateways.stripe_checkout import StripeCheckout
from portal import Portal
from portal.db import utc_now
from tests.postgres import free_port


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    server = Path(__file__).parent / "localstripe_server.py"
    process = subprocess.Popen(
        [sys.executable, str(server), str(port)], cwd=tmp_path_factory.mktemp("localstripe")
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                requests.get(f"{address}/v1/customers", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def test_a_payment_is_refunded_once_and_found_again(app: Portal, localstripe: str) -> None:
    app.config.update(STRIPE_SECRET_KEY="sk_test_12345", STRIPE_API_BASE=localstripe)
    client = stripe.StripeClient("sk_test_12345", base_addresses={"api": localstripe})
    card = client.v1.payment_methods.create(
        params={
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2035, "cvc": "123"},
        }
    )
    intent = client.v1.payment_intents.create(
        params={
            "amount": 10_000, "currency": "kwd", "payment_method": card.id, "confirm": True,
            "metadata": {"reference": "DW000073204252"},
        }
    )  # fmt: skip
    assert intent.status == "succeeded"
    assert intent.amount == 10_000
    attempt = AttemptView(
        id=uuid4(), reference="DW000073204252", amount_fils=10_000, currency="KWD",
        idempotency_key="k", handle=None, gateway_id=intent.id, title="x", lang="ar",
        sent_at=utc_now(), return_path="/",
    )  # fmt: skip
    with app.app_context():
        refund = RefundView(uuid4(), attempt, 4_000, str(uuid4()), None, False)
        first = StripeCheckout().refund(refund)
        assert first.verdict == "done"
        again = RefundView(refund.id, attempt, 4_000, refund.idempotency_key, None, True)
        assert StripeCheckout().refund(again).gateway_id == first.gateway_id
