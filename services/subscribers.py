"""Reactions to facts: a paid fee moves the application on, a decision brings its paper."""

from __future__ import annotations

from uuid import UUID

from payments.public import InvoicePaid
from portal.actor import Actor
from portal.db import utc_now
from portal.events import on
from services import papers, queries, workflow
from services.events import PaperDue
from services.versions import definition_of


@on(InvoicePaid)
def move_on_after_payment(event: InvoicePaid) -> None:
    """The step that waits for the money; nothing when the application moved on already."""
    kind, _sep, ident = event.subject.partition(":")
    if kind != "services.application":
        return
    application = queries.application_or_404(UUID(ident), lock=True)
    for action in definition_of(application.version_id).workflow.actions:
        if action.by == "event:invoice.settled" and application.state in action.from_:
            workflow.perform(application, action.id, by=Actor.system("payments"), now=utc_now())
            return


@on(PaperDue, outside=True)
def issue_paper(event: PaperDue) -> None:
    """Draw and seal, outside any transaction; safe to repeat."""
    papers.issue(event.application_id)
