"""Pages of sign-in."""

from __future__ import annotations

from uuid import UUID

import flask
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal import access, audit
from portal.actor import Actor
from portal.db import db, utc_now
from portal.errors import NotFound
from portal.identity import sessions
from portal.identity.models import Person
from portal.pages import PortalForm, page

identity = flask.Blueprint(
    "identity", __name__, template_folder="templates", url_prefix="/<lang:lang>"
)


def _safe_next() -> str:
    """Where to go after sign-in: a path of this portal only."""
    target = flask.request.values.get("next", "")
    if target.startswith("/") and not target.startswith(("//", "/\\")):
        return target
    return flask.url_for("frontdoor.home")


@identity.get("/sign-in")
@access.public
def sign_in() -> Response:
    return flask.redirect(flask.url_for("identity.demo_sign_in", next=_safe_next()), 303)


@identity.get("/step-up")
@access.public
def step_up() -> Response:
    return flask.redirect(flask.url_for("identity.demo_sign_in", next=_safe_next()), 303)


@identity.get("/demo/sign-in")
@access.public
def demo_sign_in() -> Response:
    """The demo people, one click each (absent in production)."""
    if flask.current_app.config["ENVIRONMENT"] == "production":
        raise NotFound
    people = db.session.scalars(select(Person).where(Person.is_demo).order_by(Person.name_en))
    return page(
        "identity/demo_sign_in.html", form=PortalForm(), people=list(people), next=_safe_next()
    )


@identity.post("/demo/sign-in/<uuid:person_id>")
@access.public
def enter_as_demo_person(person_id: UUID) -> Response:
    if flask.current_app.config["ENVIRONMENT"] == "production":
        raise NotFound
    person = db.session.get(Person, person_id)
    if person is None or not person.is_demo:
        raise NotFound
    now = utc_now()
    sessions.sign_in(person.id, level=person.proven_level, factor="demo", now=now)
    audit.record(
        "portal.identity.demo_sign_in",
        on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=person.proven_level),
        now=now,
        about=person.id,
    )
    return flask.redirect(_safe_next(), 303)


@identity.post("/sign-out")
@access.public
def sign_out() -> Response:
    sessions.sign_out(utc_now())
    return flask.redirect(flask.url_for("frontdoor.home"), 303)
