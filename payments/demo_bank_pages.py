"""DEMO: the page of the simulated bank, outside the portal in all but its address.

It shows what banks do on good and bad days; absent in production.
"""

from __future__ import annotations

import flask
from werkzeug.wrappers import Response

from payments.gateways import demo_bank as bank
from portal import access
from portal.db import utc_now
from portal.errors import NotFound
from portal.pages import PortalForm, page

demo_bank = flask.Blueprint(
    "demo_bank", __name__, template_folder="templates", url_prefix="/<lang:lang>/demo-bank"
)


@demo_bank.get("/charges/<charge_id>")
@access.public
def show_charge(charge_id: str) -> Response:
    """The bank's page of one charge, with a button for each way it may end."""
    charge = bank.charge(charge_id)
    if charge is None:
        raise NotFound
    flask.g.csp = {"script-src": ["'none'"]}
    return page("payments/show_demo_charge.html", charge=charge)


@demo_bank.post("/charges/<charge_id>")
@access.public
def decide_charge(charge_id: str) -> Response:
    """Do what was pressed, then send the payer back; a broken line sends nobody back."""
    charge = bank.charge(charge_id)
    if charge is None:
        raise NotFound
    choice = flask.request.form.get("choice", "")
    if not PortalForm().validate_on_submit() or choice not in bank.CHOICES:
        return page("payments/show_demo_charge.html", charge=charge, status=422)
    bank.decide(charge_id, choice, now=utc_now())
    if choice == "break":
        return page("payments/show_broken_line.html", charge=charge)
    return flask.redirect(charge["return_path"], 303)
