"""The desk for money that goes back: asked here, decided by somebody else."""

from __future__ import annotations

from uuid import UUID

import flask
from werkzeug.wrappers import Response

from payments import access as rights
from payments import queries, refunds
from payments.forms import AskRefundForm, DecideRefundForm
from payments.models import Attempt, AttemptState, Invoice, RefundState
from portal import access
from portal.db import db, utc_now
from portal.errors import NotFound
from portal.identity import Person, current_actor
from portal.money import dinars
from portal.pages import page, redirect_to

refund_desk = flask.Blueprint(
    "payments_refunds",
    __name__,
    template_folder="templates",
    url_prefix="/<lang:lang>/payments/refunds",
)


@refund_desk.get("/")
@access.role("finance", "auditor")
def list_refunds() -> Response:
    """Returns that wait for approval, credits nobody asked about, payments without an answer."""
    return page(
        "payments/list_refunds.html",
        rows=queries.refund_desk(),
        kept=queries.credits_kept(),
        silent=queries.attempts_to_look_at(),
        may_ask=current_actor().has_role("finance"),
        RefundState=RefundState,
    )


@refund_desk.route("/ask/<uuid:attempt_id>", methods=["GET", "POST"])
@access.role("finance", "officer", "unit_head")
def ask_refund(attempt_id: UUID) -> Response:
    """Ask that the money of one payment goes back to where it came from."""
    attempt = queries.attempt_or_404(attempt_id)
    actor = current_actor()
    access.demand(rights.can_ask_refund(actor, attempt.invoice), hide=True)
    if attempt.state is not AttemptState.PAID:
        raise NotFound
    invoice: Invoice = queries.invoice_or_404(attempt.invoice_id)
    form = AskRefundForm()
    if not form.is_submitted():
        form.amount.data = dinars(_left(attempt))
    if form.validate_on_submit():
        refund = refunds.ask_refund(
            invoice, attempt=attempt, amount_fils=form.amount_fils, reason=form.reason.data,
            now=utc_now(), by=actor,
        )  # fmt: skip
        return redirect_to(".show_refund", refund_id=refund.id)
    return page(
        "payments/ask_refund.html",
        form=form,
        attempt=attempt,
        invoice=invoice,
        left=_left(attempt),
    )


def _left(attempt: Attempt) -> int:
    gone = {RefundState.FAILED, RefundState.REJECTED}
    promised = sum(
        refund.amount_fils
        for refund in queries.refunds_of(attempt.invoice_id)
        if refund.attempt_id == attempt.id and refund.state not in gone
    )
    return attempt.amount_fils - promised


@refund_desk.route("/<uuid:refund_id>", methods=["GET", "POST"])
@access.role("finance", "officer", "unit_head", "auditor")
def show_refund(refund_id: UUID) -> Response:
    """One return; whoever did not ask for it may decide."""
    refund, attempt, invoice = queries.refund_or_404(refund_id)
    actor = current_actor()
    access.demand(rights.can_ask_refund(actor, invoice) or actor.has_role("auditor"), hide=True)
    may_decide = (
        refund.state is RefundState.ASKED
        and actor.has_role("finance")
        and actor.person_id != refund.asked_by
    )
    form = DecideRefundForm()
    if flask.request.method == "POST":
        access.demand(actor.has_role("finance"))
        if form.validate_on_submit():
            if form.decision.data == "approve":
                refunds.approve_refund(refund_id, now=utc_now(), by=actor)
            else:
                refunds.reject_refund(refund_id, reason=form.reason.data, now=utc_now(), by=actor)
            return redirect_to(".show_refund", refund_id=refund_id)
    return page(
        "payments/show_refund.html",
        form=form,
        refund=refund,
        attempt=attempt,
        invoice=invoice,
        asked_by=db.session.get_one(Person, refund.asked_by),
        decided_by=db.session.get(Person, refund.approved_by) if refund.approved_by else None,
        may_decide=may_decide,
        RefundState=RefundState,
    )
