"""What follows a submission: corrections, letters, money given back, appeals."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select

from payments.public import invoice_for
from portal import Portal
from portal.db import db, unit_of_work, utc_now
from portal.identity import demo
from portal.operating import load_demo
from services import correcting, queries, sources, workflow
from services.loading import shipped
from services.models import Submission
from services.versions import definition_of
from tests.conftest import sign_in
from tests.factories import services as make
from tests.page_check import CheckingClient


@pytest.fixture
def town(any_app: Portal) -> Iterator[Portal]:
    with any_app.test_request_context("/ar/"):
        load_demo()
        yield any_app
        db.session.remove()


def ground(application_id: UUID) -> dict[str, str]:
    reason = definition_of(make.stored(application_id).version_id).reasons[0].id
    return {"reason_code": reason, "law": reason}


def sent_back() -> UUID:
    file = make.submitted(make.ASSISTANCE, make.actor("noura"))
    make.step(
        file, "ask_correction", make.actor("huda"), reason="مبلغ الإيجار غير مطابق", fields=["rent"]
    )
    return file


def test_a_correction_changes_only_what_was_named(town: Portal) -> None:
    file = sent_back()
    before = workflow.last_submission(make.stored(file))
    governorate = before.answers["governorate"]
    assert make.stored(file).due_at is None
    with unit_of_work():
        correcting.resubmit(
            queries.application_or_404(file, lock=True), {"rent": 150000, "governorate": "jahra"},
            by=make.actor("noura"), now=utc_now(),
        )  # fmt: skip
    application = make.stored(file)
    assert application.state == "study"
    assert application.due_at is not None
    rows = db.session.scalars(select(Submission).order_by(Submission.n)).all()
    assert [row.n for row in rows] == [1, 2]
    assert rows[1].answers["rent"] == 150000
    assert rows[1].answers["governorate"] == governorate
    changes = correcting.changes_of(definition_of(application.version_id), list(rows))
    assert ("rent", 220000, 150000) in [(name, old, new) for _label, name, old, new in changes]


def refused() -> UUID:
    file = make.submitted(make.ASSISTANCE, make.actor("noura"))
    make.step(file, "recommend", make.actor("huda"), opinion="رأي")
    for member in ("jasem", "latifa"):
        make.vote(file, "refuse", make.actor(member), **ground(file))
    return file


def test_an_appeal_is_heard_by_others_and_reopens(town: Portal) -> None:
    file = refused()
    service = "mosa.decision.appeal"
    number = make.stored(file).number
    records = sources.records(
        shipped()[service], shipped()[service].sections[0].fields, make.actor("noura"),
        today=utc_now().date(),
    )["services.decision"]  # fmt: skip
    assert [record["number"] for record in records] == [number]
    appeal = make.submitted(service, make.actor("noura"), application_no=number)
    assert make.stored(appeal).appeal_of == file
    with pytest.raises(workflow.SamePerson):  # she voted on the first one
        make.step(appeal, "uphold", make.actor("latifa"), opinion="رأي")
    with unit_of_work():
        found = queries.application_or_404(appeal, lock=True)
        hearer = make.Actor(
            person_id=demo.person_id("salem"), level=3, roles=(("officer", "MOSA", None),)
        )
        workflow.perform(found, "uphold", by=hearer, now=utc_now(), data={"opinion": "رأي"})
    first = make.stored(file)
    assert first.state == "study"
    assert first.closed_at is None
    assert first.outcome is None
    make.step(file, "recommend", make.actor("huda"), opinion="رأي جديد")
    for member in ("jasem", "latifa"):
        make.vote(file, "grant", make.actor(member))
    assert make.stored(file).outcome == "granted"


def browser_of(portal: Portal, key: str, level: int = 2) -> CheckingClient:
    portal.test_client_class = CheckingClient
    client = portal.test_client()
    assert isinstance(client, CheckingClient)
    sign_in(client, demo.person_id(key), level=level)
    return client


def test_the_applicant_sees_why_and_may_appeal(any_app: Portal) -> None:
    with any_app.test_request_context("/ar/"):
        load_demo()
        file = refused()
        number = make.stored(file).number
    client = browser_of(any_app, "noura")
    for lang in ("ar", "en"):
        html = client.get(f"/{lang}/my/applications/{file}").get_data(as_text=True)
        assert "mosa.decision.appeal/apply" in html
    asked = client.get("/ar/services/mosa.decision.appeal/apply", follow_redirects=True)
    assert number in asked.get_data(as_text=True)


def test_the_correction_page_keeps_what_is_wrong(any_app: Portal) -> None:
    with any_app.test_request_context("/ar/"):
        load_demo()
        file = sent_back()
    client = browser_of(any_app, "noura")
    where = f"/ar/my/applications/{file}"
    assert f"{where}/correct" in client.get(where).get_data(as_text=True)
    assert client.get(f"{where}/correct").status_code == 200
    bad = client.post(f"{where}/correct", data={"rent": "كثير"})
    assert bad.status_code == 422
    assert "كثير" in bad.get_data(as_text=True)
    assert client.post(f"{where}/correct", data={"rent": "150.000"}).status_code == 303
    officer = browser_of(any_app, "huda", level=3)
    html = officer.get(f"/ar/desk/applications/{file}").get_data(as_text=True)
    assert "150.000" in html
    assert "220.000" in html
    stranger = browser_of(any_app, "rajesh")
    assert stranger.get(f"{where}/correct").status_code == 404


def test_a_refused_permit_returns_what_was_promised(town: Portal) -> None:
    from payments.models import Refund
    from tests.factories import payments as paying
    from tests.payments.test_paying import ask, at_the_bank, begin

    file = make.submitted(make.PERMIT, make.actor("mona", acting=True))
    invoice = invoice_for(f"services.application:{file}")
    assert invoice is not None
    invoice_id, total = invoice.id, invoice.total_fils
    db.session.rollback()
    attempt = begin(invoice_id, demo.person_id("mona"))
    at_the_bank(attempt, "approve")
    ask(attempt, demo.person_id("mona"))
    assert paying.stored(invoice_id).is_paid
    db.session.rollback()
    from portal.events import deliver_all

    deliver_all()
    assert make.stored(file).state == "review"
    make.step(file, "withdraw", make.actor("mona", acting=True))
    refund = db.session.scalars(select(Refund)).one()
    assert 0 < refund.amount_fils < total
