"""Rajesh asks for a statement of status: apply, pay, sealed paper, verified, altered refused."""

from __future__ import annotations

import io
import re
from uuid import UUID

import pytest
from sqlalchemy import func, select

from payments.ledger.public import verify as verify_ledger
from portal import Portal, audit
from portal.db import db
from portal.events import deliver_all
from portal.identity import demo
from portal.operating import load_demo
from services.models import Application
from tests.conftest import sign_in
from tests.page_check import CheckingClient

CODE = "PAM-900"


@pytest.fixture
def town(any_app: Portal) -> Portal:
    with any_app.app_context():
        load_demo()
    any_app.test_client_class = CheckingClient
    return any_app


def _hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def _apply(client: CheckingClient, lang: str = "ar") -> str:
    assert client.get(f"/{lang}/services/{CODE}").status_code == 200
    first = client.get(f"/{lang}/services/{CODE}/apply", follow_redirects=True)
    assert first.status_code == 200
    assert first.request.path.endswith("/apply/purpose"), first.request.path
    empty = client.post(first.request.path, data={})
    assert empty.status_code == 422
    answered = client.post(
        first.request.path,
        data={"purpose": "bank", "addressed_to": "بنك الكويت", "in_english": "no"},
        follow_redirects=True,
    )
    assert answered.request.path.endswith("/check")
    html = answered.get_data(as_text=True)
    unsaid = client.post(answered.request.path, data={"shown": _hidden(html, "shown")})
    assert unsaid.status_code == 422
    done = client.post(
        answered.request.path, data={"shown": _hidden(html, "shown"), "declared": "yes"}
    )
    assert done.status_code == 303
    return done.location


def _pay(client: CheckingClient, ident: UUID, lang: str = "ar") -> None:
    from payments.public import invoice_for

    with client.application.app_context():
        invoice = invoice_for(f"services.application:{ident}")
        assert invoice is not None
        invoice_id = invoice.id
    assert client.get(f"/{lang}/payments/invoices/{invoice_id}").status_code == 200
    started = client.post(
        f"/{lang}/payments/invoices/{invoice_id}/pay", data={"gateway": "demo_bank"}
    )
    assert started.status_code == 303, started.get_data(as_text=True)
    assert client.get(started.location).status_code == 200
    back = client.post(started.location, data={"choice": "approve"}, follow_redirects=True)
    assert back.status_code == 200


def test_statement_from_first_answer_to_verified_paper(town: Portal) -> None:
    client = town.test_client()
    sign_in(client, demo.person_id("rajesh"), level=2)
    where = _apply(client)
    ident = UUID(where.rstrip("/").rsplit("/", 1)[1])
    with town.app_context():
        application = db.session.get_one(Application, ident)
        assert re.fullmatch(r"[A-Z]{3}-\d{4}-000001", application.number)
        assert application.state == "awaiting_payment"
    assert client.get(where).status_code == 200
    _pay(client, ident)
    with town.app_context():
        deliver_all()
        assert db.session.get_one(Application, ident).outcome == "granted"
    shown = client.get(where).get_data(as_text=True)
    pdf = client.get(f"{where}/paper.pdf")
    assert pdf.status_code == 200, shown
    assert pdf.data.startswith(b"%PDF")

    stranger = town.test_client()
    assert stranger.get(f"{where}/paper.pdf").status_code == 303
    genuine = stranger.post(
        "/en/verify/file",
        data={"file": (io.BytesIO(pdf.data), "p.pdf")},
        content_type="multipart/form-data",
    )
    assert "exactly the file that was issued" in genuine.get_data(as_text=True)
    altered = bytearray(pdf.data)
    altered[2000] ^= 1
    refused = stranger.post(
        "/en/verify/file",
        data={"file": (io.BytesIO(bytes(altered)), "p.pdf")},
        content_type="multipart/form-data",
    )
    assert "exactly the file that was issued" not in refused.get_data(as_text=True)

    with town.app_context():
        assert audit.verify()[1] is None
        assert verify_ledger().is_clean
        assert verify_ledger().entries == 2


def test_submitting_the_same_draft_again_is_one_application(town: Portal) -> None:
    client = town.test_client()
    sign_in(client, demo.person_id("rajesh"), level=2)
    _apply(client)
    with town.app_context():
        assert db.session.scalar(select(func.count()).select_from(Application)) == 1


def test_stranger_does_not_see_the_application(town: Portal) -> None:
    client = town.test_client()
    sign_in(client, demo.person_id("rajesh"), level=2)
    where = _apply(client)
    other = town.test_client()
    sign_in(other, demo.person_id("noura"), level=2)
    assert other.get(where).status_code == 404
