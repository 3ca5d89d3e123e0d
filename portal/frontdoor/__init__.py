"""The front door: home, search, and the pages every portal owes its public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
from werkzeug.wrappers import Response

from portal import access
from portal.pages import page

if TYPE_CHECKING:
    from portal import Portal

frontdoor = flask.Blueprint("frontdoor", __name__, template_folder="templates")


@frontdoor.get("/")
@access.public
def choose_language() -> Response:
    return flask.redirect(flask.url_for("frontdoor.home", lang="ar"), 302)


@frontdoor.get("/<lang:lang>/")
@access.public
def home() -> Response:
    return page("frontdoor/home.html")


def init_app(app: Portal) -> None:
    app.register_blueprint(frontdoor)
