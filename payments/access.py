"""Who may see, pay and give back."""

from __future__ import annotations

from payments.models import Invoice
from portal.actor import Actor


def can_pay(actor: Actor, invoice: Invoice) -> bool:
    """The person who was asked, or who acts for the employer that was asked."""
    if actor.person_id is None:
        return False
    return actor.person_id == invoice.payer_person_id or (
        invoice.payer_organisation_id is not None
        and actor.on_behalf_of == invoice.payer_organisation_id
    )


def can_see(actor: Actor, invoice: Invoice) -> bool:
    """The payer, the collection department, the auditor, and officers of the agency."""
    return (
        can_pay(actor, invoice)
        or actor.has_role("finance")
        or actor.has_role("auditor")
        or actor.has_role("officer", invoice.agency)
        or actor.has_role("unit_head", invoice.agency)
    )


def can_ask_refund(actor: Actor, invoice: Invoice) -> bool:
    return (
        actor.has_role("finance")
        or actor.has_role("officer", invoice.agency)
        or actor.has_role("unit_head", invoice.agency)
    )
