"""What happens to invoices: opened, tried, paid, credited, cancelled.

Everything here runs in the caller's transaction. Talking to banks, which needs a transaction
before and one after, stands in ``payments.collecting``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from payments import reference, rules
from payments.events import InvoiceCancelled, InvoicePaid, PayerCredited
from payments.gateways import registry
from payments.gateways.protocol import Answer
from payments.ledger import public as ledger
from payments.models import (
    LIVE,
    Attempt,
    AttemptNotice,
    AttemptState,
    Invoice,
    InvoiceItem,
    InvoiceState,
    NoticeSource,
    PayerCredit,
    Receipt,
)
from payments.rules import InvoiceLine
from portal import audit
from portal.actor import Actor
from portal.db import db
from portal.errors import DomainError
from portal.events import publish
from portal.numbering import next_number


class NotOpen(DomainError):
    message = _l("This invoice is not open for payment. The page shows where it stands.")


class AttemptUnderWay(DomainError):
    message = _l("A payment of this invoice is under way. Ask the bank first; do not pay again.")


class CannotTakeAmount(DomainError):
    message = _l("This way of paying cannot take this amount. Choose another.")


def name_of(invoice: Invoice) -> str:
    """How the audit names an invoice."""
    return f"payments.invoice:{invoice.id}"


def open_invoice(
    *,
    subject: str,
    lines: Sequence[InvoiceLine],
    payer_person_id: UUID,
    agency: str,
    title: Mapping[str, str],
    now: datetime,
    by: Actor,
    payer_organisation_id: UUID | None = None,
    money_back: Mapping[str, str] | None = None,
    return_endpoint: str | None = None,
    return_values: Mapping[str, Any] | None = None,
) -> Invoice:
    """Ask the payer for the lines' fees, in the caller's transaction.

    ``subject`` names the case; a second invoice of the same subject is another invoice. When
    exemptions leave nothing due it is paid at once and ``InvoicePaid`` says so. ``money_back``
    tells before paying what is returned when. Errors: ValueError without a line.
    """
    if not lines:
        raise ValueError("an invoice needs a line")
    total = sum(line.gross_fils - line.exemption_fils for line in lines)
    invoice = Invoice(
        id=uuid4(),
        number=next_number("INV", now=now),
        subject=subject,
        agency=agency,
        title=dict(title),
        payer_person_id=payer_person_id,
        payer_organisation_id=payer_organisation_id,
        state=InvoiceState.OPEN if total else InvoiceState.PAID,
        total_fils=total,
        money_back=dict(money_back) if money_back else None,
        return_endpoint=return_endpoint,
        return_values={key: str(value) for key, value in (return_values or {}).items()},
        opened_at=now,
        paid_at=None if total else now,
        lines=[
            InvoiceItem(
                position=position,
                service_code=line.service_code,
                gl_code=line.gl_code,
                label=dict(line.label),
                gross_fils=line.gross_fils,
                exemption_fils=line.exemption_fils,
                exemption_reason=line.exemption_reason,
            )
            for position, line in enumerate(lines, 1)
        ],
    )
    db.session.add(invoice)
    db.session.flush()
    audit.record(
        "payments.invoice.opened", on=name_of(invoice), by=by, now=now, about=payer_person_id,
        data={"number": invoice.number, "subject": subject, "fils": total},
    )  # fmt: skip
    if items := _items(invoice):
        ledger.post_invoice_opened(invoice.id, items, by=by, now=now)
    if not total:
        publish(InvoicePaid(invoice.id, subject, 0))
    return invoice


def _items(invoice: Invoice) -> list[tuple[str, int, int]]:
    """What the ledger needs of the lines; a line of nothing is no posting."""
    return [
        (line.gl_code, line.gross_fils, line.exemption_fils)
        for line in invoice.lines
        if line.gross_fils
    ]


def _locked_invoice(invoice_id: UUID) -> Invoice:
    return db.session.scalars(
        select(Invoice)
        .options(selectinload(Invoice.lines))
        .where(Invoice.id == invoice_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def live_attempt(invoice_id: UUID) -> Attempt | None:
    """The attempt that may still take money for the invoice."""
    return db.session.scalar(
        select(Attempt).where(Attempt.invoice_id == invoice_id, Attempt.state.in_(LIVE))
    )


def cancel_invoice(invoice: Invoice, *, reason: str, now: datetime, by: Actor) -> None:
    """Nobody is asked to pay any more; money already on its way becomes the payer's credit.

    Errors: NotOpen when it was paid; AttemptUnderWay while a bank may still take the money.
    """
    invoice = _locked_invoice(invoice.id)
    if invoice.state is InvoiceState.CANCELLED:
        return
    if invoice.state is not InvoiceState.OPEN:
        raise NotOpen
    if live_attempt(invoice.id) is not None:
        raise AttemptUnderWay
    invoice.state = InvoiceState.CANCELLED
    invoice.cancelled_at = now
    db.session.flush()
    ledger.post_invoice_cancelled(invoice.id, _items(invoice), by=by, now=now)
    audit.record(
        "payments.invoice.cancelled", on=name_of(invoice), by=by, now=now, reason=reason,
        about=invoice.payer_person_id,
    )  # fmt: skip
    publish(InvoiceCancelled(invoice.id, invoice.subject))


def begin_attempt(
    invoice_id: UUID, gateway: str, *, lang: str, now: datetime, by: Actor
) -> Attempt:
    """Reserve the one live attempt of an invoice, with its key, before any bank is called.

    The amount comes from the invoice, never from a form. Errors: NotOpen, AttemptUnderWay,
    CannotTakeAmount.
    """
    invoice = _locked_invoice(invoice_id)
    if invoice.state is not InvoiceState.OPEN:
        raise NotOpen
    if live_attempt(invoice_id) is not None:
        raise AttemptUnderWay
    if not registry.is_offered(gateway, invoice.total_fils):
        raise CannotTakeAmount
    attempt = Attempt(
        id=uuid4(),
        invoice_id=invoice.id,
        gateway=gateway,
        environment=registry.gateway(gateway).environment,
        reference=_free_reference(),
        amount_fils=invoice.total_fils,
        currency="KWD",
        lang=lang,
        state=AttemptState.SENT,
        idempotency_key=f"start:{uuid4()}",
        sent_at=now,
        expires_at=now + rules.LIFETIME,
        next_inquiry_at=rules.next_inquiry(0, now),
    )
    db.session.add(attempt)
    try:
        db.session.flush()
    except IntegrityError as error:  # the database keeps one live attempt, whatever we looked at
        raise AttemptUnderWay from error
    audit.record(
        "payments.attempt.sent", on=f"payments.attempt:{attempt.id}", by=by, now=now,
        data={"invoice": invoice.number, "gateway": gateway, "reference": attempt.reference},
    )  # fmt: skip
    return attempt


def _free_reference() -> str:
    while True:
        drawn = reference.new_reference()
        if not db.session.scalar(select(Attempt.id).where(Attempt.reference == drawn)):
            return drawn


def note_started(attempt_id: UUID, handle: str | None) -> None:
    """Keep the bank's name for its page."""
    attempt = db.session.get_one(Attempt, attempt_id)
    attempt.handle = attempt.handle or handle


def end_unstarted(attempt_id: UUID, *, now: datetime) -> None:
    """The bank refused to open its page: no money can move, the payer may choose another way."""
    attempt = _locked_attempt(attempt_id)
    if attempt.is_live:
        attempt.state = AttemptState.DECLINED
        attempt.asked_at = now


def _locked_attempt(attempt_id: UUID) -> Attempt:
    return db.session.scalars(
        select(Attempt)
        .where(Attempt.id == attempt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def keep_notice(
    *,
    gateway: str,
    source: NoticeSource,
    raw: bytes,
    now: datetime,
    attempt_id: UUID | None = None,
    event_id: str | None = None,
    verdict: str | None = None,
) -> bool:
    """Store a bank's word as it came, card numbers struck out; False when it is a repetition."""
    if event_id is not None and db.session.scalar(
        select(AttemptNotice.id).where(
            AttemptNotice.gateway == gateway, AttemptNotice.event_id == event_id
        )
    ):
        return False
    clean = rules.without_card_numbers(raw)
    notice = AttemptNotice(
        attempt_id=attempt_id,
        gateway=gateway,
        source=source,
        event_id=event_id,
        verdict=verdict,
        raw=clean,
        sha256=hashlib.sha256(clean).digest(),
        received_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(notice)
    except IntegrityError:  # its twin was stored at the same moment
        return False
    return True


def record_silence(attempt_id: UUID, *, now: datetime) -> None:
    """The bank did not answer: the attempt is unknown, blocks another try, and is asked again."""
    attempt = _locked_attempt(attempt_id)
    if attempt.is_live:
        attempt.state = AttemptState.UNKNOWN
        _ask_later(attempt, now)


def _ask_later(attempt: Attempt, now: datetime) -> None:
    attempt.asked_at = now
    attempt.inquiries += 1
    attempt.next_inquiry_at = rules.next_inquiry(attempt.inquiries, now)


def record_answer(attempt_id: UUID, answer: Answer, *, now: datetime, by: Actor) -> None:
    """Take what an inquiry told. Safe to repeat: money is recorded once, whoever asked.

    "Paid" counts only when amount, currency, reference and environment agree with the attempt.
    An attempt that had ended otherwise may still turn out paid; nothing unpays it.
    """
    attempt = _locked_attempt(attempt_id)
    if attempt.state is AttemptState.PAID:
        return
    attempt.handle = attempt.handle or answer.handle
    if answer.raw:
        keep_notice(
            gateway=attempt.gateway, source=NoticeSource.INQUIRY, raw=answer.raw, now=now,
            attempt_id=attempt.id, verdict=answer.verdict,
        )  # fmt: skip
    if answer.verdict == "paid":
        _take_paid(attempt, answer, now, by)
    elif attempt.is_live:
        _take_unpaid(attempt, answer, now, by)
    db.session.flush()


def _take_paid(attempt: Attempt, answer: Answer, now: datetime, by: Actor) -> None:
    wrong = rules.disagreement(
        answer,
        amount_fils=attempt.amount_fils,
        currency=attempt.currency,
        reference=attempt.reference,
        environment=attempt.environment,
    )
    if wrong is not None:
        if attempt.disagreement != wrong:
            audit.record(
                "payments.attempt.disagrees", on=f"payments.attempt:{attempt.id}", by=by, now=now,
                data={"fields": wrong, "told_fils": answer.amount_fils},
            )  # fmt: skip
        attempt.disagreement = wrong
        if attempt.is_live:
            attempt.state = AttemptState.UNKNOWN
            _ask_later(attempt, now)
        return
    attempt.state = AttemptState.PAID
    attempt.paid_at = now
    attempt.asked_at = now
    attempt.disagreement = None
    attempt.gateway_id = answer.gateway_id
    attempt.rrn = answer.rrn
    attempt.auth_code = answer.auth_code
    db.session.flush()
    invoice = _locked_invoice(attempt.invoice_id)
    if invoice.state is InvoiceState.OPEN:
        _settle(invoice, attempt, now, by)
    else:
        _credit_payer(invoice, attempt, now, by)


def _settle(invoice: Invoice, attempt: Attempt, now: datetime, by: Actor) -> None:
    invoice.state = InvoiceState.PAID
    invoice.paid_at = now
    receipt = Receipt(
        id=uuid4(),
        number=next_number("RCT", now=now),
        invoice_id=invoice.id,
        attempt_id=attempt.id,
        amount_fils=attempt.amount_fils,
        issued_at=now,
    )
    db.session.add(receipt)
    db.session.flush()
    ledger.post_attempt_paid(attempt.id, attempt.amount_fils, by=by, now=now)
    audit.record(
        "payments.invoice.settled", on=name_of(invoice), by=by, now=now,
        about=invoice.payer_person_id,
        data={"receipt": receipt.number, "reference": attempt.reference},
    )  # fmt: skip
    publish(InvoicePaid(invoice.id, invoice.subject, attempt.amount_fils))


def _credit_payer(invoice: Invoice, attempt: Attempt, now: datetime, by: Actor) -> None:
    """Other money for the same invoice, or for one cancelled: the payer's, never dropped."""
    credit = PayerCredit(
        id=uuid4(),
        attempt_id=attempt.id,
        payer_person_id=invoice.payer_person_id,
        payer_organisation_id=invoice.payer_organisation_id,
        amount_fils=attempt.amount_fils,
        given_at=now,
    )
    db.session.add(credit)
    db.session.flush()
    ledger.post_overpaid(attempt.id, attempt.amount_fils, by=by, now=now)
    audit.record(
        "payments.payer.credited", on=name_of(invoice), by=by, now=now,
        about=invoice.payer_person_id,
        data={"fils": credit.amount_fils, "reference": attempt.reference},
    )  # fmt: skip
    publish(PayerCredited(credit.id, invoice.id, invoice.subject, credit.amount_fils))


def _take_unpaid(attempt: Attempt, answer: Answer, now: datetime, by: Actor) -> None:
    ended = {"declined": AttemptState.DECLINED, "cancelled": AttemptState.CANCELLED}
    if attempt.disagreement is None and answer.verdict in ended:
        attempt.state = ended[answer.verdict]
        attempt.asked_at = now
    elif answer.verdict == "not_found" and _is_lost(attempt, now):
        attempt.state = AttemptState.EXPIRED
        attempt.asked_at = now
    else:
        if answer.verdict == "not_found":
            attempt.not_found_at = attempt.not_found_at or now
        else:
            attempt.not_found_at = None
        if answer.verdict == "unknown":
            attempt.state = AttemptState.UNKNOWN
        _ask_later(attempt, now)
        return
    audit.record(
        f"payments.attempt.{attempt.state.value}", on=f"payments.attempt:{attempt.id}",
        by=by, now=now,
    )  # fmt: skip


def _is_lost(attempt: Attempt, now: datetime) -> bool:
    """The bank knew nothing of it twice, ten minutes apart, and its page has expired."""
    return (
        attempt.not_found_at is not None
        and now - attempt.not_found_at >= rules.NOT_FOUND_APART
        and now >= attempt.expires_at
    )
