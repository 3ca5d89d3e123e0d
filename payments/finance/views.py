"""Pages of the finance desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from sqlalchemy import select
from werkzeug.wrappers import Response

from payments.finance import operations
from payments.ledger import operations as ledger
from payments.ledger.models import LedgerDay
from payments.reconciliation import operations as reconciliation
from payments.reconciliation.models import Adjustment, BankLine, BankMatch
from payments.reconciliation.reading import BadFile
from portal import access
from portal.db import db, utc_now
from portal.identity import current_actor
from portal.pages import PortalForm, page, redirect_to

finance = flask.Blueprint(
    "finance", __name__, template_folder="templates", url_prefix="/<lang:lang>/finance"
)


class FileForm(PortalForm):
    """A file of the bank."""

    file = FileField(
        _l("Statement (MT940) or settlement file"),
        validators=[FileRequired(_l("Choose a file of the bank"))],
    )


def _show(form: FileForm, status: int = 200) -> Response:
    now = utc_now()
    return page(
        "finance/show_day.html",
        form=form,
        overview=operations.overview(now),
        balances=ledger.balances(),
        adjustments={a.line_id: a for a in db.session.scalars(select(Adjustment))},
        matches=db.session.execute(
            select(BankMatch, BankLine)
            .join(BankLine, BankLine.id == BankMatch.line_id)
            .order_by(BankMatch.made_at.desc())
            .limit(20)
        ).all(),
        days=db.session.scalars(select(LedgerDay).order_by(LedgerDay.day.desc()).limit(14)).all(),
        now=now,
        me=str(current_actor().person_id),
        status=status,
    )


@finance.get("/")
@access.role("finance", "auditor")
def show_day() -> Response:
    """Money by account, the bank's word beside ours, what stands in the way of the close."""
    return _show(FileForm())


@finance.post("/import")
@access.role("finance")
def import_file() -> Response:
    """A statement or a settlement file, whole or not at all."""
    form = FileForm()
    if form.validate_on_submit():
        raw = form.file.data.read()
        taking: Any = (
            reconciliation.import_settlement
            if raw.startswith(b"DEMO-SETTLEMENT")
            else reconciliation.import_statement
        )
        try:
            taking(raw, by=current_actor(), now=utc_now())
        except BadFile as error:
            db.session.rollback()
            form.file.errors = (error.message,)
        else:
            flask.flash(_("Imported. What is proven was matched."))
            return redirect_to("finance.show_day")
    return _show(form)


@finance.post("/lines/<uuid:line_id>/adjust")
@access.role("finance")
def ask_adjustment(line_id: UUID) -> Response:
    reason = flask.request.form.get("reason", "").strip()
    if reason:
        reconciliation.ask_adjustment(line_id, reason=reason, by=current_actor(), now=utc_now())
    return redirect_to("finance.show_day")


@finance.post("/adjustments/<uuid:adjustment_id>/approve")
@access.role("finance")
def approve_adjustment(adjustment_id: UUID) -> Response:
    reconciliation.approve_adjustment(adjustment_id, by=current_actor(), now=utc_now())
    return redirect_to("finance.show_day")


@finance.post("/close/prepare")
@access.role("finance")
def prepare_close() -> Response:
    operations.prepare(by=current_actor(), now=utc_now())
    return redirect_to("finance.show_day")


@finance.post("/close/approve")
@access.role("finance")
def approve_close() -> Response:
    operations.approve(by=current_actor(), now=utc_now())
    flask.flash(_("The day is closed. The next one is open."))
    return redirect_to("finance.show_day")
