"""Who is there: people, sign-in, levels of assurance, roles, acting for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.actor import Actor
from portal.identity.current import (
    acting_for,
    current_actor,
    current_person,
    sign_in_response,
    signed_in_session,
)
from portal.identity.models import Mandate, Organisation, Person, RoleGrant, Unit
from portal.identity.sessions import Sessions

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    from portal.identity import (
        sign_in_views,  # noqa: F401  # its pages stand on the blueprint of views
        views,
    )

    app.session_interface = Sessions()
    app.register_blueprint(views.identity)
    app.jinja_env.globals.update(
        current_person=current_person,
        current_actor=current_actor,
        acting_for=acting_for,
        signed_in_session=signed_in_session,
    )


__all__ = [
    "Actor",
    "Mandate",
    "Organisation",
    "Person",
    "RoleGrant",
    "Unit",
    "acting_for",
    "current_actor",
    "current_person",
    "init_app",
    "sign_in_response",
    "signed_in_session",
]
