"""Fatima and Ali close the day: files in, one batch matched item by item, two signatures."""

from __future__ import annotations

import io
from uuid import UUID

import pytest

from payments.gateways import demo_bank_files
from payments.ledger.public import verify as verify_ledger
from portal import Portal
from portal.db import utc_now
from portal.events import deliver_all
from portal.i18n import kuwait_date
from portal.identity import demo
from portal.operating import load_demo
from tests.conftest import sign_in
from tests.journeys.test_statement import _apply, _pay
from tests.page_check import CheckingClient


@pytest.fixture
def paid(any_app: Portal) -> Portal:
    with any_app.app_context():
        load_demo()
    any_app.test_client_class = CheckingClient
    client = any_app.test_client()
    sign_in(client, demo.person_id("rajesh"), level=2)
    where = _apply(client)
    _pay(client, UUID(where.rstrip("/").rsplit("/", 1)[1]))
    with any_app.app_context():
        deliver_all()
    return any_app


def _desk(app: Portal, key: str) -> CheckingClient:
    client = app.test_client()
    sign_in(client, demo.person_id(key), level=3)
    return client


def _send(client: CheckingClient, raw: str):
    return client.post(
        "/ar/finance/import",
        data={"file": (io.BytesIO(raw.encode()), "bank.txt")},
        content_type="multipart/form-data",
    )


def _files(app: Portal) -> tuple[str, str]:
    with app.app_context():
        day = kuwait_date(utc_now())
        return demo_bank_files.settlement_file(day), demo_bank_files.statement_file(day)


def test_day_is_closed_by_two_after_the_bank_agrees(paid: Portal) -> None:
    fatima, ali = _desk(paid, "fatima"), _desk(paid, "ali")
    settlement, statement = _files(paid)
    assert _send(fatima, statement).status_code == 303
    page = fatima.get("/en/finance/").get_data(as_text=True)
    assert "1.990" in page
    assert fatima.post("/ar/finance/close/prepare").status_code == 409
    assert _send(fatima, settlement).status_code == 303
    page = fatima.get("/en/finance/").get_data(as_text=True)
    assert "Settlement file, item by item" in page
    assert fatima.post("/ar/finance/close/prepare").status_code == 303
    assert fatima.post("/ar/finance/close/approve").status_code == 403
    assert ali.post("/ar/finance/close/approve").status_code == 303
    assert "Closed" in ali.get("/en/finance/").get_data(as_text=True)
    with paid.app_context():
        assert verify_ledger().is_clean
        assert verify_ledger().entries == 3


def test_bad_files_are_told_plainly_and_import_nothing(paid: Portal) -> None:
    fatima = _desk(paid, "fatima")
    settlement, statement = _files(paid)
    assert _send(fatima, statement).status_code == 303
    for bad in (
        statement,
        statement.replace(":62F:C", ":62F:D"),
        statement.replace(":61:", ":61:x"),
        settlement.replace("total;1", "total;2"),
        settlement.replace("item;", "itm;"),
        "rubbish",
        "",
    ):
        assert _send(fatima, bad).status_code == 422
    assert _send(fatima, settlement).status_code == 303
    assert _send(fatima, settlement).status_code == 422


def test_one_fils_needs_two_people(paid: Portal) -> None:
    fatima, ali = _desk(paid, "fatima"), _desk(paid, "ali")
    settlement, _statement = _files(paid)
    with paid.app_context():
        day = kuwait_date(utc_now())
        extra = demo_bank_files.Movement("UNKNOWN SENDER", 1)
        statement = demo_bank_files.statement_file(day, more=[extra])
    assert _send(fatima, settlement).status_code == 303
    assert _send(fatima, statement).status_code == 303
    assert fatima.post("/ar/finance/close/prepare").status_code == 409
    import re

    html = fatima.get("/en/finance/").get_data(as_text=True)
    where = re.search(r"/en/finance/lines/[^\"]+/adjust", html)[0]
    assert fatima.post(where, data={"reason": "a fils too much"}).status_code == 303
    html = ali.get("/en/finance/").get_data(as_text=True)
    approve = re.search(r"/en/finance/adjustments/[^\"]+/approve", html)[0]
    assert fatima.post(approve).status_code == 403
    assert ali.post(approve).status_code == 303
    assert fatima.post("/ar/finance/close/prepare").status_code == 303


def test_finance_desk_is_closed_to_others(paid: Portal) -> None:
    assert _desk(paid, "yousef").get("/ar/finance/").status_code == 403
    assert _desk(paid, "auditor").get("/ar/finance/").status_code == 200
    assert _desk(paid, "auditor").post("/ar/finance/close/prepare").status_code == 403
