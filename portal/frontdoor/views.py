"""Pages of the front door."""

from __future__ import annotations

import flask
from werkzeug.wrappers import Response

from portal import access
from portal.frontdoor import public
from portal.frontdoor.cached import public_page
from portal.pages import page

frontdoor = flask.Blueprint("frontdoor", __name__, template_folder="templates")

PAGES = ("about", "privacy", "accessibility", "terms", "contact")


@frontdoor.get("/")
@access.public
def choose_language() -> Response:
    return flask.redirect(flask.url_for("frontdoor.home", lang="ar"), 302)


@frontdoor.get("/<lang:lang>/")
@access.public
@public_page
def home() -> Response:
    """What do you need today? Search, subjects, most used services, this week's figures."""
    known = flask.current_app.view_functions
    return page(
        "frontdoor/home.html",
        cards=[card for card in public.home_cards if card.endpoint in known],
        subjects=[subject for source in public.subject_sources for subject in source()],
        figures=[figure for source in public.figure_sources for figure in source()],
        lead=next((source() for source in public.lead_sources), ""),
        search_endpoint=public.search_endpoint[0] if public.search_endpoint else None,
    )


@frontdoor.get("/<lang:lang>/pages/<any(about, privacy, accessibility, terms, contact):name>")
@access.public
@public_page
def show_page(name: str) -> Response:
    return page(f"frontdoor/pages/{name}.html")


@frontdoor.get("/<lang:lang>/ui")
@access.public
@public_page
def show_components() -> Response:
    """Each component of the design system."""
    return page("frontdoor/ui.html")
