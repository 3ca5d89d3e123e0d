"""The person behind this request, and the keeper of the doors."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import flask
from sqlalchemy import or_, select
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from portal.access import Rule
from portal.actor import Actor
from portal.db import db, utc_now
from portal.errors import Forbidden
from portal.i18n import kuwait_date
from portal.identity.models import Mandate, Organisation, Person, RoleGrant
from portal.identity.sessions import SignedInSession


def signed_in_session() -> SignedInSession | None:
    """This browser's session, when somebody signed in with it."""
    found = flask.session
    proxied = found._get_current_object() if isinstance(found, LocalProxy) else found
    return proxied if isinstance(proxied, SignedInSession) else None


def _load_person() -> Person | None:
    if "person" not in flask.g:
        session = signed_in_session()
        flask.g.person = db.session.get(Person, session.person_id) if session else None
        if flask.g.person is not None:
            flask.g.digits = flask.g.person.digits.value
    return cast("Person | None", flask.g.person)


current_person: Person = cast("Person", LocalProxy(_load_person))


def roles_of(person_id: UUID) -> tuple[tuple[str, str, UUID | None], ...]:
    """What the person was granted and still holds today: (role, agency, unit)."""
    today = kuwait_date(utc_now())
    rows = db.session.execute(
        select(RoleGrant.role, RoleGrant.agency, RoleGrant.unit_id).where(
            RoleGrant.person_id == person_id,
            RoleGrant.revoked_at.is_(None),
            or_(RoleGrant.ends_on >= today),
        )
    )
    return tuple((row.role, row.agency, row.unit_id) for row in rows)


def mandate_holds(person_id: UUID, organisation_id: UUID) -> bool:
    """Whether the person may act for the organisation today."""
    today = kuwait_date(utc_now())
    return (
        db.session.scalar(
            select(Mandate.id).where(
                Mandate.person_id == person_id,
                Mandate.organisation_id == organisation_id,
                Mandate.revoked_at.is_(None),
                Mandate.starts_on <= today,
                Mandate.ends_on >= today,
            )
        )
        is not None
    )


def current_actor() -> Actor:
    """Who acts in this request, for whom, at which level, with which roles."""
    if "actor" not in flask.g:
        session = signed_in_session()
        if session is None or _load_person() is None:
            flask.g.actor = Actor(person_id=None)
        else:
            acting_for = session.acting_for
            if acting_for and not mandate_holds(session.person_id, acting_for):
                acting_for = None
            flask.g.actor = Actor(
                person_id=session.person_id,
                level=session.level,
                on_behalf_of=acting_for,
                roles=roles_of(session.person_id),
            )
    return cast("Actor", flask.g.actor)


def acting_for() -> Organisation | None:
    """The organisation this request acts for, for the band on each page."""
    actor = current_actor()
    if actor.on_behalf_of is None:
        return None
    return db.session.get(Organisation, actor.on_behalf_of)


def sign_in_response(rule: Rule) -> Response | None:
    """None when the session satisfies the rule; else the way to sign in, or a refusal."""
    actor = current_actor()
    if actor.person_id is None:
        return flask.redirect(
            flask.url_for("identity.sign_in", next=flask.request.full_path.rstrip("?")), 303
        )
    if rule.kind == "role" and not any(actor.has_role(role) for role in rule.roles):
        raise Forbidden
    if actor.level < rule.level:
        return flask.redirect(
            flask.url_for(
                "identity.step_up", next=flask.request.full_path.rstrip("?"), level=rule.level
            ),
            303,
        )
    return None
