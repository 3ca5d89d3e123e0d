"""Sealed receipts: drawn and sealed by the worker after the money was recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from certification import public as certification
from payments import agencies
from payments.models import Invoice, Receipt
from portal.actor import Actor
from portal.db import db
from portal.i18n import plain_money
from portal.identity import Organisation, Person

WAYS = {
    "demo_bank": {"ar": "البنك التجريبي", "en": "Demo bank"},
    "stripe": {"ar": "بطاقة مصرفية", "en": "Bank card"},
}


def subject_of(receipt_id: UUID) -> str:
    """How certification knows the receipt's paper."""
    return f"payments.receipt:{receipt_id}"


def seal_receipt(invoice_id: UUID, *, by: Actor, now: datetime) -> None:
    """Draw and seal the receipt of a paid invoice; repeating answers the paper there is."""
    receipt = db.session.scalar(
        select(Receipt)
        .options(
            joinedload(Receipt.attempt), joinedload(Receipt.invoice).selectinload(Invoice.lines)
        )
        .where(Receipt.invoice_id == invoice_id)
    )
    if receipt is None:  # nothing was due, so nothing was received
        db.session.rollback()
        return
    invoice, attempt = receipt.invoice, receipt.attempt
    person = db.session.get_one(Person, invoice.payer_person_id)
    payer = person.name
    if invoice.payer_organisation_id is not None:
        payer = db.session.get_one(Organisation, invoice.payer_organisation_id).name
    rows = [
        ({"ar": "وصلنا من", "en": "Received from"}, payer),
        ({"ar": "عن", "en": "For"}, invoice.title),
        ({"ar": "رقم الفاتورة", "en": "Invoice number"}, invoice.number),
        *((line.label, _amount(line.net_fils)) for line in invoice.lines),
        ({"ar": "المجموع", "en": "Total"}, _amount(receipt.amount_fils)),
        ({"ar": "وسيلة الدفع", "en": "Paid by"}, WAYS.get(attempt.gateway, attempt.gateway)),
        ({"ar": "مرجع الدفع", "en": "Payment reference"}, attempt.reference),
    ]
    draw = certification.draw_paper(
        title={"ar": "إيصال قبض", "en": "Receipt"},
        agency=agencies.name_of(invoice.agency),
        rows=rows,
        lang=person.language,
        digits=person.digits.value,
    )
    given: dict[str, Any] = {
        "register": "RCT",
        "number": receipt.number,
        "kind": "payments.receipt",
        "agency": invoice.agency,
        "subject": subject_of(receipt.id),
        "facts": {
            "invoice": invoice.number,
            "fils": receipt.amount_fils,
            "reference": attempt.reference,
        },
        "valid_until": None,
    }
    db.session.rollback()
    certification.seal_document(draw, by=by, now=now, **given)


def _amount(fils: int) -> dict[str, str]:
    return {lang: plain_money(fils, lang) for lang in ("ar", "en")}
