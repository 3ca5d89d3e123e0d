"""Papers: asked for by rule, judged by content, offered again, seen by who decides."""

from __future__ import annotations

import io
from uuid import UUID

from sqlalchemy import select

from portal import Portal
from portal.audit import AuditRow
from portal.db import db, unit_of_work, utc_now
from portal.files.models import StoredFile
from portal.files.operations import type_of
from portal.identity import demo
from portal.operating import load_demo
from services import applying
from services.loading import shipped
from services.models import Draft
from tests.conftest import sign_in
from tests.factories import services as make
from tests.page_check import CheckingClient

WHERE = f"/ar/services/{make.ASSISTANCE}/papers"


def browser_of(portal: Portal, key: str, level: int = 2) -> CheckingClient:
    portal.test_client_class = CheckingClient
    client = portal.test_client()
    assert isinstance(client, CheckingClient)
    sign_in(client, demo.person_id(key), level=level)
    return client


def drafted(portal: Portal) -> list[str]:
    """Noura's draft with all answers and no paper; the keys of the papers asked for."""
    with portal.test_request_context("/ar/"):
        load_demo()
        by, now = make.actor("noura"), utc_now()
        with unit_of_work():
            draft = applying.begin_draft(shipped()[make.ASSISTANCE], by=by, now=now)
            draft.answers = make.answers_of(make.ASSISTANCE)
            draft.sections_done = [section.id for section in shipped()[make.ASSISTANCE].sections]
            assessed, _source = applying.assess_draft(draft, by=by, now=now)
            return [paper.key for paper in assessed.papers if paper.required]


def sent(content: bytes, key: str, name: str = "paper.pdf") -> dict[str, object]:
    return {"paper": key, "file": (io.BytesIO(content), name)}


def test_a_file_is_judged_by_its_content() -> None:
    assert type_of(make.PDF) == "pdf"
    assert type_of(b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82") == "png"
    assert type_of(b"\xff\xd8\xff....\xff\xd9") == "jpeg"
    assert type_of(b"<svg onload=alert(1)>") is None
    assert type_of(b"MZ%PDF-1.7 %%EOF") is None


def test_required_papers_are_given_before_submission(any_app: Portal) -> None:
    keys = drafted(any_app)
    assert keys
    client = browser_of(any_app, "noura")
    begun = client.get(f"/ar/services/{make.ASSISTANCE}/apply")
    assert begun.status_code == 303
    assert begun.location.endswith("/papers")
    assert client.get(WHERE).status_code == 200
    wrong = client.post(WHERE, data=sent(b"<html>", keys[0], "x.pdf"))
    assert wrong.status_code == 422
    assert client.post(WHERE, data=sent(b"", keys[0])).status_code == 422
    assert client.post(WHERE, data=sent(make.PDF, "no_such_paper")).status_code == 404
    for number, key in enumerate(keys):
        content = make.PDF + b"%%EOF %d" % number
        assert client.post(WHERE, data=sent(content, key)).status_code == 303
    assert client.get(f"/en/services/{make.ASSISTANCE}/papers").status_code == 200
    checked = client.get(f"/ar/services/{make.ASSISTANCE}/check").get_data(as_text=True)
    assert "paper.pdf" in checked
    client.post(WHERE, data={"paper": keys[0], "intent": "remove"})
    with any_app.app_context():
        draft = db.session.scalars(select(Draft)).one()
        assert keys[0] not in draft.documents
        first = db.session.scalars(select(StoredFile).order_by(StoredFile.stored_at)).first()
        assert first is not None
        file_id = first.id
    offered = client.get(WHERE).get_data(as_text=True)
    assert str(file_id) in offered
    again = {"paper": keys[0], "intent": "again", "file_id": str(file_id)}
    assert client.post(WHERE, data=again).status_code == 303


def test_nobody_gives_another_persons_paper(any_app: Portal) -> None:
    keys = drafted(any_app)
    with any_app.test_request_context("/ar/"):
        make.submitted(make.ASSISTANCE, make.actor("umm_khalid"))
        others = db.session.scalars(select(StoredFile.id)).all()
    client = browser_of(any_app, "noura")
    for file_id in others:
        again = {"paper": keys[0], "intent": "again", "file_id": str(file_id)}
        assert client.post(WHERE, data=again).status_code == 404


def test_who_decides_sees_the_papers_and_the_look_is_kept(any_app: Portal) -> None:
    with any_app.test_request_context("/ar/"):
        load_demo()
        file = make.submitted(make.ASSISTANCE, make.actor("noura"))
        document = next(iter(db.session.scalars(select(StoredFile.id))))
    where = f"/ar/desk/applications/{file}/papers/{document}"
    officer = browser_of(any_app, "huda", level=3)
    assert where in officer.get(f"/ar/desk/applications/{file}").get_data(as_text=True)
    answer = officer.get(where)
    assert answer.status_code == 200
    assert answer.data == make.PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert browser_of(any_app, "yousef", level=3).get(where).status_code == 404
    missing = f"/ar/desk/applications/{file}/papers/{UUID(int=1)}"
    assert officer.get(missing).status_code == 404
    with any_app.app_context():
        looks = db.session.scalars(
            select(AuditRow).where(AuditRow.act == "services.paper.looked_at")
        ).all()
        assert [look.about_id for look in looks] == [demo.person_id("noura")]
