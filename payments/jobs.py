"""What the worker does for payments by the clock."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from flask import current_app

from payments import collecting, refunds
from payments.gateways import demo_bank, registry
from portal.db import utc_now
from portal.jobs import job


@job(every=timedelta(seconds=10))
def ask_banks_about_open_attempts() -> None:
    """Attempts without an answer, each when its turn on the ladder has come."""
    collecting.ask_due(utc_now())


@job(every=timedelta(seconds=30))
def send_refunds_without_answer() -> None:
    """Approved refunds the bank has not answered for."""
    refunds.send_due(utc_now())


@job(every=timedelta(seconds=1))
def let_the_demo_bank_call_back() -> None:
    """DEMO: the simulated bank sends its notices to our public address, as a bank would."""
    if not registry.is_named("demo_bank"):
        return
    address = current_app.config["PUBLIC_URL"] + "/payments/notices/demo-bank"

    def post(fields: dict[str, str]) -> None:
        data = urlencode(fields).encode()
        request = Request(address, data=data)  # noqa: S310  (our own public address)
        with urlopen(request, timeout=3):  # noqa: S310
            pass

    demo_bank.send_due_notices(post, now=utc_now())


def register() -> None:
    """Importing this module registered its jobs."""
