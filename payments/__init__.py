"""E-payment and collection: invoices, gateways, receipts, the ledger, reconciliation, the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from payments import ledger
from portal.frontdoor.public import register_duty, register_menu

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    from payments import cli, coverage, demo_bank_pages, jobs, refund_views, subscribers, views
    from payments.finance import views as finance_views
    from payments.ledger.public import register_coverage
    from portal import csrf

    ledger.init_app(app)
    register_coverage(coverage.expected_sources)
    app.register_blueprint(finance_views.finance)
    app.register_blueprint(views.payments)
    app.register_blueprint(views.notices)
    app.register_blueprint(refund_views.refund_desk)
    csrf.exempt(views.notices)  # banks hold no token of ours; what they say is only a hint
    if app.config["ENVIRONMENT"] != "production":
        app.register_blueprint(demo_bank_pages.demo_bank)
        app.cli.add_command(cli.bank_cli)
    subscribers.register()
    jobs.register()
    register_duty(
        "finance.show_day", _l("The day's money"), 20, roles=frozenset({"finance", "auditor"})
    )
    register_duty(
        "payments_refunds.list_refunds", _l("Returns and credits"), 30, roles=frozenset({"finance"})
    )
    register_menu("payments.list_invoices", _l("Payments"), 30)
