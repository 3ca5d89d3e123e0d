"""Talk to banks: one transaction before, the network in between, one transaction after.

Never called inside a transaction. If the process dies in between, the row written before tells
the worker to ask the bank.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import flask
from sqlalchemy import select

from payments import operations, rules
from payments.gateways import registry
from payments.gateways.protocol import AttemptView, GatewayRefused, GatewaySilent
from payments.models import LIVE, Attempt, AttemptState, Invoice
from portal.actor import Actor
from portal.db import db, unit_of_work, utc_now


def view_of(attempt: Attempt, invoice: Invoice) -> AttemptView:
    """What the gateway may know."""
    return AttemptView(
        id=attempt.id,
        reference=attempt.reference,
        amount_fils=attempt.amount_fils,
        currency=attempt.currency,
        idempotency_key=attempt.idempotency_key,
        handle=attempt.handle,
        gateway_id=attempt.gateway_id,
        title=f"{invoice.title[attempt.lang]} {invoice.number}",
        lang=attempt.lang,
        sent_at=attempt.sent_at,
        return_path=_return_path(attempt),
    )


def _return_path(attempt: Attempt) -> str:
    # Built by hand: the worker has no request, and an idempotency key covers the path too.
    return f"/{attempt.lang}/payments/attempts/{attempt.id}/return"


def begin(invoice_id: UUID, gateway: str, *, lang: str, by: Actor) -> str | None:
    """Start paying; answers the bank's address, or None when the bank did not open its page.

    Errors: those of ``operations.begin_attempt``.
    """
    with unit_of_work():
        attempt = operations.begin_attempt(invoice_id, gateway, lang=lang, now=utc_now(), by=by)
        view = view_of(attempt, db.session.get_one(Invoice, invoice_id))
    try:
        started = registry.gateway(gateway).start(view)
    except GatewaySilent:
        with unit_of_work():
            operations.record_silence(view.id, now=utc_now())
        return None
    except GatewayRefused:
        with unit_of_work():
            operations.end_unstarted(view.id, now=utc_now())
        return None
    with unit_of_work():
        operations.note_started(view.id, started.handle)
    return started.address


def ask(attempt_id: UUID, *, by: Actor, at_most_every: bool = False) -> None:
    """Ask the bank about an attempt and record what it says; a paid one is left alone."""
    attempt = db.session.get(Attempt, attempt_id)
    if attempt is None or attempt.state is AttemptState.PAID:
        db.session.rollback()
        return
    if (
        at_most_every
        and attempt.asked_at is not None
        and utc_now() - attempt.asked_at < rules.ASK_AT_MOST_EVERY
    ):
        db.session.rollback()
        return
    view = view_of(attempt, db.session.get_one(Invoice, attempt.invoice_id))
    gateway = registry.gateway(attempt.gateway)
    db.session.rollback()
    try:
        answer = gateway.inquire(view)
    except GatewaySilent:
        with unit_of_work():
            operations.record_silence(attempt_id, now=utc_now())
        return
    with unit_of_work():
        operations.record_answer(attempt_id, answer, now=utc_now(), by=by)


def ask_due(now: datetime, limit: int = 200) -> int:
    """Ask about every live attempt whose time has come; answers how many were asked."""
    due = list(
        db.session.scalars(
            select(Attempt.id)
            .where(Attempt.state.in_(LIVE), Attempt.next_inquiry_at <= now)
            .order_by(Attempt.next_inquiry_at)
            .limit(limit)
        )
    )
    db.session.rollback()
    for attempt_id in due:
        try:
            ask(attempt_id, by=Actor.system("worker"))
        except Exception:  # one attempt's fault must not keep the others waiting
            db.session.rollback()
            flask.current_app.logger.exception("payments.attempt.ask_failed")
    return len(due)
