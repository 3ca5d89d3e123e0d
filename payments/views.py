"""Pages of the payer, and the doors banks knock at."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import flask
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from certification import public as certification
from payments import access as rights
from payments import agencies, collecting, operations, queries, receipts
from payments.events import NoticeReceived
from payments.forms import PayForm
from payments.gateways import registry, stripe_checkout
from payments.models import AttemptState, Invoice, InvoiceState, NoticeSource
from portal import access, limits
from portal.db import end_request_transaction, unit_of_work, utc_now
from portal.errors import NotFound
from portal.events import publish
from portal.i18n import both
from portal.identity import current_actor
from portal.pages import PortalForm, current_lang, page, redirect_to

payments = flask.Blueprint(
    "payments", __name__, template_folder="templates", url_prefix="/<lang:lang>/payments"
)
#: Where banks send their notices: no language, no session, no anti-forgery token.
notices = flask.Blueprint("payment_notices", __name__, url_prefix="/payments/notices")

#: A notice larger than this is no notice.
LARGEST_NOTICE = 256 * 1024


def _guard_page(invoice: Invoice | None = None) -> None:
    """No script on a page of money; a form may lead to the banks offered here and nowhere else."""
    hosts = [host for way in registry.offered(invoice.total_fils) for host in way.hosts] if (
        invoice
    ) else []  # fmt: skip
    flask.g.csp = {"script-src": ["'none'"], "form-action": ["'self'", *hosts]}


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _visible(invoice_id: UUID) -> Invoice:
    invoice = queries.invoice_or_404(invoice_id)
    access.demand(rights.can_see(current_actor(), invoice), hide=True)
    return invoice


@payments.get("/")
@access.signed_in(level=1)
def list_invoices() -> Response:
    """What I was asked to pay, and what I paid."""
    after = flask.request.args.get("after", "")[:24] or None
    rows = queries.invoices_of(current_actor(), after=after, limit=21)
    _guard_page()
    return _private(
        page(
            "payments/list_invoices.html",
            invoices=rows[:20],
            more=rows[19].number if len(rows) > 20 else None,
            is_first=after is None,
            InvoiceState=InvoiceState,
        )
    )


@payments.get("/invoices/<uuid:invoice_id>")
@access.signed_in(level=1)
def show_invoice(invoice_id: UUID) -> Response:
    """One invoice: its lines, where it stands, each try and each return."""
    invoice = _visible(invoice_id)
    attempts = queries.attempts_of(invoice.id)
    _guard_page()
    return _private(
        page(
            "payments/show_invoice.html",
            invoice=invoice,
            attempts=attempts,
            live=next((attempt for attempt in attempts if attempt.is_live), None),
            receipt=queries.receipt_of(invoice.id),
            refunds=queries.refunds_of(invoice.id),
            credits=queries.credits_of_invoice(invoice.id),
            may_pay=rights.can_pay(current_actor(), invoice),
            back=_back_to_case(invoice),
            InvoiceState=InvoiceState,
        )
    )


def _back_to_case(invoice: Invoice) -> str | None:
    """The page of the case, from the invoice's own record: never from the address bar."""
    known = flask.current_app.view_functions
    if not invoice.return_endpoint or invoice.return_endpoint not in known:
        return None
    return flask.url_for(invoice.return_endpoint, **invoice.return_values)


@payments.route("/invoices/<uuid:invoice_id>/pay", methods=["GET", "POST"])
@access.signed_in(level=1)
def pay_invoice(invoice_id: UUID) -> Response:
    """What for, to whom, how much, and the ways to pay."""
    invoice = _visible(invoice_id)
    actor = current_actor()
    access.demand(rights.can_pay(actor, invoice))
    live = operations.live_attempt(invoice.id)
    if invoice.state is not InvoiceState.OPEN:
        return redirect_to(".show_invoice", invoice_id=invoice_id)
    if live is not None:
        return redirect_to(".show_attempt", attempt_id=live.id)
    ways = registry.offered(invoice.total_fils)
    form = PayForm()
    form.gateway.choices = [(way.name, way.name) for way in ways if way.fits]
    if len(form.gateway.choices) == 1 and not form.is_submitted():
        form.gateway.data = form.gateway.choices[0][0]
    _guard_page(invoice)
    if form.validate_on_submit():
        end_request_transaction()
        address = collecting.begin(invoice_id, form.gateway.data, lang=current_lang(), by=actor)
        if address is None:
            return redirect_to(".pay_invoice", invoice_id=invoice_id)
        return flask.redirect(address, 303)
    return _private(page("payments/pay_invoice.html", form=form, invoice=invoice, ways=ways))


@payments.get("/attempts/<uuid:attempt_id>/return")
@access.public
def return_from_bank(attempt_id: UUID) -> Response:
    """Where a bank sends the payer back: no proof of anything, only a reason to ask."""
    limits.limit(
        "payments.return", limits.network_of(flask.request.remote_addr),
        times=240, per=timedelta(minutes=10),
    )  # fmt: skip
    actor = current_actor()
    collecting.ask(attempt_id, by=actor, at_most_every=True)
    return _private(redirect_to(".show_attempt", attempt_id=attempt_id))


@payments.get("/attempts/<uuid:attempt_id>")
@access.signed_in(level=1)
def show_attempt(attempt_id: UUID) -> Response:
    """How this try to pay ended; while it has not: we are asking, do not pay again."""
    attempt = queries.attempt_or_404(attempt_id)
    invoice = _visible(attempt.invoice_id)
    _guard_page()
    return _private(
        page(
            "payments/show_attempt.html",
            attempt=attempt,
            invoice=invoice,
            receipt=queries.receipt_of(invoice.id),
            back=_back_to_case(invoice),
            AttemptState=AttemptState,
            InvoiceState=InvoiceState,
        )
    )


@payments.get("/receipts/<uuid:receipt_id>")
@access.signed_in(level=1)
def show_receipt(receipt_id: UUID) -> Response:
    """The receipt, and its sealed paper once the worker made it."""
    receipt = queries.receipt_or_404(receipt_id)
    invoice = _visible(receipt.invoice_id)
    _guard_page()
    return _private(
        page(
            "payments/show_receipt.html",
            receipt=receipt,
            invoice=invoice,
            paper=certification.document_for(receipts.subject_of(receipt.id)),
            back=_back_to_case(invoice),
        )
    )


@payments.get("/receipts/<uuid:receipt_id>/paper")
@access.signed_in(level=1)
def download_receipt(receipt_id: UUID) -> Response:
    """The sealed PDF, byte for byte as it was registered."""
    receipt = queries.receipt_or_404(receipt_id)
    _visible(receipt.invoice_id)
    paper = certification.document_for(receipts.subject_of(receipt.id))
    whole = certification.pdf_of(paper.id) if paper is not None else None
    if whole is None:
        raise NotFound
    answer = flask.make_response(whole.pdf)
    answer.mimetype = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{receipt.number}.pdf"'
    return _private(answer)


@payments.post("/attempts/<uuid:attempt_id>/ask")
@access.signed_in(level=1)
def ask_bank(attempt_id: UUID) -> Response:
    """Ask the bank now."""
    attempt = queries.attempt_or_404(attempt_id)
    _visible(attempt.invoice_id)
    actor = current_actor()
    if PortalForm().validate_on_submit():
        end_request_transaction()
        collecting.ask(attempt_id, by=actor, at_most_every=True)
    return redirect_to(".show_attempt", attempt_id=attempt_id)


def _take_notice(
    gateway: str,
    source: NoticeSource,
    *,
    raw: bytes,
    event_id: str,
    reference: str | None,
    gateway_id: str | None,
) -> None:
    """Keep a notice in a transaction of its own, with one reason to ask; twins change nothing."""
    end_request_transaction()
    with unit_of_work():
        attempt_id = queries.attempt_by(gateway, reference=reference, gateway_id=gateway_id)
        is_new = operations.keep_notice(
            gateway=gateway, source=source, raw=raw, now=utc_now(), attempt_id=attempt_id,
            event_id=event_id,
        )  # fmt: skip
        if is_new and attempt_id is not None:
            publish(NoticeReceived(attempt_id))


def _body() -> bytes:
    if (flask.request.content_length or 0) > LARGEST_NOTICE:
        raise NotFound
    return flask.request.get_data(cache=True)


@notices.post("/demo-bank")
@access.public
def take_demo_notice() -> tuple[str, int]:
    """DEMO: the simulated bank says that something happened to a payment."""
    if not registry.is_named("demo_bank"):
        raise NotFound
    raw = _body()
    event = flask.request.form.get("event", "")[:200]
    if event:
        _take_notice(
            "demo_bank", NoticeSource.CALLBACK, raw=raw, event_id=event,
            reference=flask.request.form.get("reference", "")[:14] or None, gateway_id=None,
        )  # fmt: skip
    return "", 204


@notices.post("/stripe")
@access.public
def take_stripe_webhook() -> tuple[str, int]:
    """A signed word of the card gateway; its content is not believed, only its cause to ask."""
    secret = flask.current_app.config["STRIPE_WEBHOOK_SECRET"]
    if not secret or not registry.is_named("stripe"):
        raise NotFound
    raw = _body()
    try:
        event = stripe_checkout.read_webhook(
            raw, flask.request.headers.get("Stripe-Signature", ""), secret, now=time.time()
        )
    except stripe_checkout.SignatureRefused:
        return "", 400
    reference, gateway_id = stripe_checkout.hint(event)
    _take_notice(
        "stripe", NoticeSource.WEBHOOK, raw=raw, event_id=event["id"][:255],
        reference=reference, gateway_id=gateway_id,
    )  # fmt: skip
    return "", 204


def agency_name(code: str) -> str:
    """Who is paid, in the reader's language."""
    return both(agencies.name_of(code))


def way_name(name: str) -> str:
    """How a way of paying is called."""
    return {"demo_bank": _("Demo bank"), "stripe": _("Bank card")}.get(name, name)


def disagreement_words(fields: str) -> str:
    """Which parts of a bank's answer did not fit."""
    names = {
        "amount": _("Amount"),
        "currency": _("Currency"),
        "reference": _("Payment reference"),
        "environment": _("Test or real"),
        "gateway_id": _("The bank's own number"),
    }
    joint = "، " if current_lang() == "ar" else ", "
    return joint.join(names.get(field, field) for field in fields.split(", "))


@payments.app_context_processor
def _names() -> dict[str, object]:
    return {
        "way_name": way_name,
        "agency_name": agency_name,
        "disagreement_words": disagreement_words,
    }
