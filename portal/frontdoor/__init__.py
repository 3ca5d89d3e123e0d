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


def init_app(app: Portal) -> None:
    app.register_blueprint(views.frontdoor)
    app.jinja_env.globals.update(
        menu=lambda: [e for e in public.menu_entries if e.endpoint in app.view_functions],
        is_public_page=_is_public_page,
        language_switch=_language_switch,
    )
