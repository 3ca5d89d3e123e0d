"""Pages of sign-in."""

from __future__ import annotations

from uuid import UUID

import flask
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal import access
from portal.db import db, utc_now
from portal.errors import NotFound
from portal.i18n import LANGUAGES
from portal.identity import demo, operations, queries, sessions
from portal.identity.current import current_actor, current_person, signed_in_session
from portal.identity.models import Digits, Person
from portal.pages import page, redirect_to

identity = flask.Blueprint(
    "identity", __name__, template_folder="templates", url_prefix="/<lang:lang>"
)


def is_demo() -> bool:
    return bool(flask.current_app.config["ENVIRONMENT"] != "production")


def safe_next() -> str:
    """Where to go after sign-in: a path of this portal only."""
    target = flask.request.values.get("next", "")
    if target.startswith("/") and not target.startswith(("//", "/\\")):
        return target
    return flask.url_for("frontdoor.home")


@identity.get("/demo/sign-in")
@access.public
def demo_sign_in() -> Response:
    """The demo people, one click each (absent in production)."""
    access.demand(is_demo(), hide=True)
    people = db.session.scalars(select(Person).where(Person.is_demo).order_by(Person.created_at))
    by_id = {person.id: person for person in people}
    ordered = [by_id[key] for key in demo.KEYS_BY_ID if key in by_id]
    return page(
        "identity/demo_sign_in.html",
        people=ordered,
        comes_for={key: demo.COMES_FOR.get(name, {}) for key, name in demo.KEYS_BY_ID.items()},
        next=safe_next(),
    )


@identity.post("/demo/sign-in/<uuid:person_id>")
@access.public
def enter_as_demo_person(person_id: UUID) -> Response:
    access.demand(is_demo(), hide=True)
    person = db.session.get(Person, person_id)
    if person is None or not person.is_demo:
        raise NotFound
    operations.enter(person, level=person.proven_level, factor="demo", now=utc_now())
    return flask.redirect(safe_next(), 303)


@identity.post("/sign-out")
@access.public
def sign_out() -> Response:
    sessions.sign_out(utc_now())
    return redirect_to("frontdoor.home")


@identity.get("/account")
@access.signed_in(level=1)
def show_account() -> Response:
    """What the State knows of her, where she is signed in, for whom she may act."""
    person_id = current_person.id
    now = utc_now()
    return page(
        "identity/show_account.html",
        person=current_person,
        sessions=queries.open_sessions(person_id, now),
        mandates=queries.mandates_of(person_id, now),
        here=signed_in_session(),
    )


@identity.post("/account/preferences")
@access.signed_in(level=1)
def change_preferences() -> Response:
    digits = flask.request.form.get("digits", "western")
    language = flask.request.form.get("language", "ar")
    if digits in set(Digits) and language in LANGUAGES:
        operations.change_preferences(
            current_person.id,
            digits=Digits(digits),
            language=language,
            by=current_actor(),
            now=utc_now(),
        )
    return redirect_to("identity.show_account")


@identity.post("/account/sessions/<uuid:session_id>/end")
@access.signed_in(level=1)
def end_session(session_id: UUID) -> Response:
    operations.end_session(session_id, by=current_actor(), now=utc_now())
    return redirect_to("identity.show_account")


@identity.get("/account/looks")
@access.signed_in(level=1)
def list_looks() -> Response:
    """Who looked at my data, when and why."""
    before = flask.request.args.get("before", type=int)
    rows = queries.looks_at(current_person.id, before)
    return page("identity/list_looks.html", rows=rows, more=len(rows) == 50)


@identity.get("/account/acting-for")
@access.signed_in(level=2)
def choose_principal() -> Response:
    return page(
        "identity/choose_principal.html",
        mandates=queries.mandates_of(current_person.id, utc_now()),
        next=safe_next(),
    )


@identity.post("/account/acting-for")
@access.signed_in(level=2)
def act_for() -> Response:
    chosen = flask.request.form.get("organisation", "")
    try:
        organisation_id = UUID(chosen) if chosen else None
    except ValueError:
        raise NotFound from None
    session = signed_in_session()
    if session is None:
        raise NotFound
    operations.act_for(session.row_id, organisation_id, by=current_actor(), now=utc_now())
    return flask.redirect(safe_next(), 303)
