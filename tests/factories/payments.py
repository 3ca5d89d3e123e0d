"""People and invoices for the tests of payments."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from payments.public import Invoice, InvoiceLine, open_invoice
from portal.actor import Actor
from portal.db import db, unit_of_work, utc_now
from portal.identity.models import Person, RoleGrant


def person(name: str = "سعاد المطوع", english: str = "Suad Al-Mutawa") -> UUID:
    """A payer; call it outside a transaction."""
    identity = uuid4()
    with unit_of_work():
        db.session.add(
            Person(id=identity, name_ar=name, name_en=english, created_at=utc_now(), proven_level=3)
        )
    return identity


def finance_person(role: str = "finance", agency: str = "MOF") -> UUID:
    identity = person("فهد الصالح", "Fahad Al-Saleh")
    with unit_of_work():
        db.session.add(
            RoleGrant(
                person_id=identity, role=role, agency=agency, reason="test",
                granted_at=utc_now(), ends_on=date(2099, 1, 1),
            )
        )  # fmt: skip
    return identity


FEE = InvoiceLine("PAM-010", "4201", {"ar": "رسم إذن العمل", "en": "Work permit fee"}, 10_000)


def actor(person_id: UUID, *roles: tuple[str, str, None]) -> Actor:
    return Actor(person_id=person_id, level=3, roles=roles)


def invoice(payer: UUID, *, lines: list[InvoiceLine] | None = None, **more: Any) -> UUID:
    """An open invoice of 10.000 dinars; call it outside a transaction."""
    given: dict[str, Any] = {
        "subject": f"services.application:{uuid4()}",
        "lines": lines or [FEE],
        "payer_person_id": payer,
        "agency": "PAM",
        "title": {"ar": "إصدار إذن عمل", "en": "Issue a work permit"},
        "now": utc_now(),
        "by": actor(payer),
    }
    with unit_of_work():
        return open_invoice(**{**given, **more}).id


def stored(invoice_id: UUID) -> Invoice:
    return db.session.get_one(Invoice, invoice_id)
