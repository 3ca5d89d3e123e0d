"""Signing up and in: what fits opens, what does not is slow, said the same, and counted."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pyotp
import pytest
from sqlalchemy import func, select

from portal import Portal, audit
from portal.db import db, unit_of_work, utc_now
from portal.identity import signing_in
from portal.identity.credentials import SignUp
from portal.identity.models import Person, SessionRow
from portal.notify.models import Message
from portal.text import civil_id
from tests.page_check import CheckingClient

NUMBER = civil_id.sample(date(1991, 4, 9), 9950)
OTHER = civil_id.sample(date(1984, 1, 20), 9951)
PASSWORD = "نخلة طويلة قرب البحر"
FORM = {
    "civil_id": NUMBER,
    "name_ar": "سعاد بنت محمد العتيبي",
    "name_en": "Suad Al-Otaibi",
    "email": "suad@people.example",
    "mobile": "٥٠٠٠ ١٢٣٤",
    "password": PASSWORD,
}


@pytest.fixture
def visitor(any_app: Portal) -> CheckingClient:
    any_app.test_client_class = CheckingClient
    client = any_app.test_client()
    assert isinstance(client, CheckingClient)
    return client


def _last(client: CheckingClient) -> Message:
    found = db.session.scalar(select(Message).order_by(Message.created_at.desc()).limit(1))
    assert found is not None
    return found


def _code_mailed(client: CheckingClient) -> str:
    with client.application.app_context():
        found = re.search(r"\b\d{6}\b", _last(client).body)
        assert found
        return found[0]


def _sign_up(client: CheckingClient, lang: str = "ar", **changed: str) -> str:
    answer = client.post(f"/{lang}/sign-up", data=FORM | changed)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def _with_app(client: CheckingClient) -> tuple[pyotp.TOTP, list[str]]:
    client.post(_sign_up(client), data={"code": _code_mailed(client)})
    begun = client.post("/ar/account/authenticator", follow_redirects=True).get_data(as_text=True)
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", begun)
    assert key
    totp = pyotp.TOTP(key[1].replace(" ", ""))
    shown = client.post(
        "/ar/account/authenticator/new", data={"code": totp.at(utc_now() - timedelta(seconds=30))}
    ).get_data(as_text=True)
    return totp, re.findall(r"<code>([0-9a-f]{5}-[0-9a-f]{5})</code>", shown)


def _level(client: CheckingClient) -> int:
    with client.application.app_context():
        return (
            db.session.scalar(
                select(SessionRow.level)
                .where(SessionRow.revoked_at.is_(None))
                .order_by(SessionRow.created_at.desc())
            )
            or 0
        )


def test_from_sign_up_to_level_two(visitor: CheckingClient) -> None:
    where = _sign_up(visitor)
    assert visitor.post(where, data={"code": "000000"}).status_code == 422
    assert visitor.post(where, data={"code": _code_mailed(visitor)}).status_code == 303
    assert _level(visitor) == 1
    assert visitor.get("/ar/services/PAM-900/apply").status_code == 303  # needs level 2
    visitor.post("/ar/account/authenticator")
    assert visitor.post("/ar/account/prove", data={"send": "yes"}).status_code == 303
    assert (
        visitor.post("/ar/account/prove", data={"code": _code_mailed(visitor)}).status_code == 303
    )
    html = visitor.get("/ar/account/authenticator/new").get_data(as_text=True)
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", html)
    assert key
    totp = pyotp.TOTP(key[1].replace(" ", ""))
    shown = visitor.post("/ar/account/authenticator/new", data={"code": totp.now()})
    assert (
        len(re.findall(r"<code>[0-9a-f]{5}-[0-9a-f]{5}</code>", shown.get_data(as_text=True))) == 10
    )
    assert _level(visitor) == 2
    with visitor.application.app_context():
        assert audit.verify()[1] is None
        raw = db.session.scalar(select(SignUp.sealed))
        assert NUMBER.encode() not in (raw or b"")


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("civil_id", "12"),
        ("civil_id", NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)),
        ("name_ar", "Suad"),
        ("name_en", "سعاد"),
        ("email", "suad"),
        ("mobile", "12"),
        ("password", "short"),
        ("password", "password1234"),
        ("password", f"x{NUMBER}y"),
        ("name_ar", "س" * 10_000),
    ],
)
def test_a_mistake_is_told_at_its_field(
    app: Portal, browser: CheckingClient, lang: str, field: str, typed: str
) -> None:
    answer = browser.post(f"/{lang}/sign-up", data=FORM | {field: typed})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{field}"' in html
    if field != "email":
        assert "suad@people.example" in html
    assert PASSWORD not in html
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignUp)) == 0


def test_a_number_with_an_account_answers_alike_and_its_owner_is_told(
    visitor: CheckingClient,
) -> None:
    visitor.post(_sign_up(visitor), data={"code": _code_mailed(visitor)})
    stranger = visitor.application.test_client()
    where = stranger.post("/ar/sign-up", data=FORM | {"email": "other@people.example"})
    assert where.status_code == 303
    with visitor.application.app_context():
        assert _last(visitor).to == "suad@people.example"
        assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_a_code_is_tried_five_times(visitor: CheckingClient) -> None:
    where = _sign_up(visitor)
    right = _code_mailed(visitor)
    for _each in range(5):
        assert (
            visitor.post(where, data={"code": "999999" if right != "999999" else "0"}).status_code
            == 422
        )
    assert visitor.post(where, data={"code": right}).status_code == 422


def test_an_app_code_opens_once_and_a_recovery_code_once(visitor: CheckingClient) -> None:
    totp, codes = _with_app(visitor)
    with visitor.application.app_context(), unit_of_work() as session:
        session.scalars(select(Person)).one().proven_level = 2
    visitor.post("/ar/sign-out")
    inside = visitor.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert "/step-up" in inside.location
    assert _level(visitor) == 1
    code = totp.now()
    assert (
        visitor.post("/ar/step-up?next=/ar/account", data={"code": code}).location == "/ar/account"
    )
    assert _level(visitor) == 2
    visitor.post("/ar/sign-out")
    visitor.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert visitor.post("/ar/step-up", data={"code": code}).status_code == 422
    assert visitor.post("/ar/step-up", data={"code": codes[3]}).status_code == 303
    visitor.post("/ar/sign-out")
    visitor.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert visitor.post("/ar/step-up", data={"code": codes[3]}).status_code == 422


def test_wrong_password_and_unknown_number_are_told_alike(visitor: CheckingClient) -> None:
    visitor.post(_sign_up(visitor), data={"code": _code_mailed(visitor)})
    visitor.post("/ar/sign-out")
    said = [
        visitor.post("/ar/sign-in", data={"civil_id": number, "password": "wrong wrong wrong"})
        for number in (NUMBER, OTHER)
    ]
    assert [answer.status_code for answer in said] == [422, 422]
    drawn = r'\d{12}|name="csrf_token" value="[^"]*"'  # the number typed, and a token with the time
    pages = [re.sub(drawn, "", answer.get_data(as_text=True)) for answer in said]
    assert pages[0] == pages[1]


def test_an_attacker_is_slowed_and_the_victim_is_not_locked_out(visitor: CheckingClient) -> None:
    visitor.post(_sign_up(visitor), data={"code": _code_mailed(visitor)})
    visitor.post("/ar/sign-out")
    stranger = visitor.application.test_client()
    for _each in range(10):
        answer = stranger.post("/ar/sign-in", data={"civil_id": NUMBER, "password": "wrong"})
        assert answer.status_code == 422
    refused = stranger.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert refused.status_code == 429
    inside = visitor.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert inside.status_code == 303


def test_a_forgotten_password_is_set_by_a_link_that_opens_once(visitor: CheckingClient) -> None:
    visitor.post(_sign_up(visitor), data={"code": _code_mailed(visitor)})
    other = visitor.application.test_client()
    for number in (NUMBER, OTHER):
        assert other.post("/en/forgotten", data={"civil_id": number}).status_code == 200
    with visitor.application.app_context():
        link = re.search(r"http://[^/]+(/\S+)", _last(visitor).body)
    assert link
    assert other.post(link[1], data={"password": "short"}).status_code == 422
    assert other.post(link[1], data={"password": "a new and longer sentence"}).status_code == 303
    assert other.get(link[1]).status_code == 410
    assert visitor.get("/ar/account").status_code == 303  # every session has ended
    inside = other.post(
        "/ar/sign-in", data={"civil_id": NUMBER, "password": "a new and longer sentence"}
    )
    assert inside.status_code == 303


def test_lost_factors_lower_the_level_and_the_owner_can_stop_it(visitor: CheckingClient) -> None:
    _with_app(visitor)
    assert visitor.post("/ar/account/lost-factors").status_code == 200
    with visitor.application.app_context():
        told = db.session.scalars(
            select(Message).order_by(Message.created_at.desc()).limit(2)
        ).all()
        assert {row.channel.value for row in told} == {"mail", "sms"}
        person = db.session.scalars(select(Person)).one()
        person.proven_level = 2
        now = utc_now()
        assert signing_in.reach(person, 2, now) == 1
        assert signing_in.reach(person, 2, now + timedelta(hours=73)) == 2
        link = re.search(r"http://[^/]+(/\S+)", told[0].body)
        db.session.rollback()
    assert link
    assert visitor.post(link[1]).status_code == 200
    answer = visitor.post("/ar/sign-in", data={"civil_id": NUMBER, "password": PASSWORD})
    assert answer.status_code == 422


def test_an_address_of_another_site_is_not_followed(visitor: CheckingClient) -> None:
    visitor.post(_sign_up(visitor), data={"code": _code_mailed(visitor)})
    inside = visitor.post(
        "/ar/sign-in",
        data={"civil_id": NUMBER, "password": PASSWORD, "next": "//evil.example/"},
    )
    assert inside.location == "/ar/"
