"""The front door: home, search, and the pages every portal owes its public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask

from portal.frontdoor import public, views

if TYPE_CHECKING:
    from portal import Portal


def _is_public_page() -> bool:
    """Whether this answer is the same for everybody, so that it may be cached."""
    return bool(flask.g.get("public_page"))


def _language_switch(lang: str) -> str:
    """This very page in the other language, with its query."""
    path = flask.request.full_path.rstrip("?")
    if path[:4] in {"/ar/", "/en/"}:
        return f"/{lang}{path[3:]}"
    return flask.url_for("frontdoor.home", lang=lang)


def _duty_menu() -> list[public.MenuEntry]:
    """The desks this person holds a role for."""
    from portal.identity import current_actor

    held = {role for role, _agency, _unit in current_actor().roles}
    return [
        entry
        for roles, entry in public.duty_entries
        if roles & held and entry.endpoint in flask.current_app.view_functions
    ]


def init_app(app: Portal) -> None:
    app.register_blueprint(views.frontdoor)
    app.jinja_env.globals.update(
        menu=lambda: [e for e in public.menu_entries if e.endpoint in app.view_functions],
        duty_menu=_duty_menu,
        is_public_page=_is_public_page,
        language_switch=_language_switch,
    )
