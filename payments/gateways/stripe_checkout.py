"""Cards through Stripe Checkout: no card number ever reaches our host.

Dinars have three decimals there and the last digit must be 0, so other amounts cannot be paid by
card. Money is believed only after asking for the session and its payment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import flask
import stripe

from payments.gateways.protocol import (
    Answer,
    AttemptView,
    GatewayRefused,
    GatewaySilent,
    RefundAnswer,
    RefundView,
    RefundWord,
    Started,
    Word,
)
from portal import settings
from portal.db import utc_now

#: Seconds a webhook's time may lie in the past and in the future.
PAST, FUTURE = 300, 30
#: Stripe keeps an idempotency key about a day: after this, ask instead of repeating.
KEY_KEPT = timedelta(hours=23)
#: Events that are a reason to ask.
HEARD = frozenset({"checkout.session", "payment_intent", "charge", "refund"})
#: Faults in which the request may or may not have been carried out.
_SILENT = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.RateLimitError,
    stripe.IdempotencyError,
)


class SignatureRefused(ValueError):
    """The webhook was not signed by the gateway, or not now."""


@settings.register_check
def _live_keys(config: dict[str, Any]) -> Iterable[str]:
    if "stripe" not in config["GATEWAYS"].split(","):
        return
    if not config["STRIPE_SECRET_KEY"].startswith(("sk_live_", "rk_live_")):
        yield "STRIPE_SECRET_KEY is not a live key"
    if not config["STRIPE_WEBHOOK_SECRET"].startswith("whsec_"):
        yield "STRIPE_WEBHOOK_SECRET is missing"
    if config["STRIPE_API_BASE"]:
        yield "STRIPE_API_BASE leads away from the gateway"


def _client() -> stripe.StripeClient:
    config = flask.current_app.config
    addresses: Any = {"api": config["STRIPE_API_BASE"]} if config["STRIPE_API_BASE"] else {}
    return stripe.StripeClient(
        config["STRIPE_SECRET_KEY"],
        base_addresses=addresses,
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=10),
    )


def _raw(found: Any) -> bytes:
    return json.dumps(found.to_dict(), sort_keys=True, default=str).encode()


class StripeCheckout:
    """Cards, by redirect to the gateway's own page."""

    name = "stripe"
    amount_step_fils = 10
    hosts: tuple[str, ...] = ("https://checkout.stripe.com",)

    @property
    def environment(self) -> str:
        key = flask.current_app.config["STRIPE_SECRET_KEY"]
        return "live" if key.startswith(("sk_live_", "rk_live_")) else "test"

    def _open(self, attempt: AttemptView) -> Any:
        """Create the session, or find it again by the same key."""
        back = flask.current_app.config["PUBLIC_URL"] + attempt.return_path
        locale: Any = "auto" if attempt.lang == "ar" else "en"
        # The key is tied to the request's content: each repetition must be word for word the same.
        return _client().v1.checkout.sessions.create(
            params={
                "mode": "payment",
                "client_reference_id": attempt.reference,
                "success_url": back,
                "cancel_url": back,
                "locale": locale,
                "expires_at": int((attempt.sent_at + timedelta(minutes=31)).timestamp()),
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": attempt.currency.lower(),
                            "unit_amount": attempt.amount_fils,
                            "product_data": {"name": attempt.title[:200]},
                        },
                    }
                ],
                "metadata": {"reference": attempt.reference},
                "payment_intent_data": {"metadata": {"reference": attempt.reference}},
            },
            options={"idempotency_key": attempt.idempotency_key},
        )

    def start(self, attempt: AttemptView) -> Started:
        if attempt.amount_fils % self.amount_step_fils:
            raise GatewayRefused("the last digit of the fils must be 0")
        try:
            session = self._open(attempt)
        except _SILENT as error:
            raise GatewaySilent from error
        except stripe.StripeError as error:
            raise GatewayRefused(type(error).__name__) from error
        if not session.url:
            raise GatewaySilent
        return Started(session.url, session.id)

    def _find(self, attempt: AttemptView) -> Any:
        if attempt.handle:
            return _client().v1.checkout.sessions.retrieve(
                attempt.handle, params={"expand": ["payment_intent"]}
            )
        if utc_now() - attempt.sent_at < KEY_KEPT:
            session = self._open(attempt)
            return _client().v1.checkout.sessions.retrieve(
                session.id, params={"expand": ["payment_intent"]}
            )
        began = int(attempt.sent_at.timestamp())
        listed = _client().v1.checkout.sessions.list(
            params={
                "created": {"gte": began - 60, "lte": began + int(KEY_KEPT.total_seconds())},
                "limit": 100,
                "expand": ["data.payment_intent"],
            }
        )
        for session in listed.auto_paging_iter():
            if session.client_reference_id == attempt.reference:
                return session
        return None

    def inquire(self, attempt: AttemptView) -> Answer:
        try:
            session = self._find(attempt)
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                return Answer("not_found")
            raise GatewaySilent from error
        except stripe.StripeError as error:
            raise GatewaySilent from error
        if session is None:
            return Answer("not_found")
        intent: Any = session.payment_intent
        whole = intent is not None and not isinstance(intent, str)
        return Answer(
            _verdict(session, intent if whole else None),
            amount_fils=intent.amount_received if whole else session.amount_total,
            currency=str((intent.currency if whole else session.currency) or "").upper(),
            reference=session.client_reference_id,
            environment="live" if session.livemode else "test",
            gateway_id=intent.id if whole else None,
            handle=session.id,
            raw=_raw(session),
        )

    def refund(self, refund: RefundView) -> RefundAnswer:
        try:
            found = self._known_refund(refund) if refund.sent_before else None
            if found is None:
                found = _client().v1.refunds.create(
                    params={
                        "payment_intent": refund.attempt.gateway_id or "",
                        "amount": refund.amount_fils,
                        "metadata": {"refund": str(refund.id)},
                    },
                    options={"idempotency_key": refund.idempotency_key},
                )
        except stripe.InvalidRequestError:
            return RefundAnswer("failed")
        except stripe.StripeError as error:
            raise GatewaySilent from error
        words: dict[str | None, RefundWord] = {
            "succeeded": "done",
            "pending": "pending",
            "requires_action": "pending",
            "failed": "failed",
            "canceled": "failed",
        }
        return RefundAnswer(words.get(found.status, "unknown"), found.id, _raw(found))

    def _known_refund(self, refund: RefundView) -> Any:
        """Ours among the payment's refunds, by the id we gave it."""
        if refund.gateway_id:
            return _client().v1.refunds.retrieve(refund.gateway_id)
        listed = _client().v1.refunds.list(
            params={"payment_intent": refund.attempt.gateway_id or "", "limit": 100}
        )
        for found in listed.auto_paging_iter():
            named: dict[str, Any] = found.metadata.to_dict() if found.metadata else {}
            if named.get("refund") == str(refund.id):
                return found
        return None


def _verdict(session: Any, intent: Any) -> Word:
    if session.status == "complete" and session.payment_status == "paid":
        if intent is None:
            return "unknown"
        return "paid" if intent.status == "succeeded" else "pending"
    if session.status == "expired":
        return "cancelled"
    if session.status in {"open", "complete"}:
        return "pending"
    return "unknown"


def read_webhook(body: bytes, header: str, secret: str, *, now: float) -> dict[str, Any]:
    """The event of a signed webhook. Errors: SignatureRefused.

    The library checks the signature and how old it is; it accepts times in the future, we do not.
    """
    stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise SignatureRefused("time")
    if not -FUTURE <= now - int(stamps[0]) <= PAST:
        raise SignatureRefused("time")
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret, tolerance=None)
        event = json.loads(body)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError) as error:
        raise SignatureRefused("signature") from error
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        raise SignatureRefused("body")
    return event


def hint(event: dict[str, Any]) -> tuple[str | None, str | None]:
    """Whom a webhook is about: (our reference, the gateway's id). Never a verdict."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        return None, None
    metadata = thing.get("metadata")
    reference = metadata.get("reference") if isinstance(metadata, dict) else None
    intent = thing.get("payment_intent")
    if thing.get("object") == "payment_intent":
        intent = thing.get("id")
    return (
        reference if isinstance(reference, str) else None,
        intent if isinstance(intent, str) else None,
    )
