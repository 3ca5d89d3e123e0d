"""The demo's outbox."""

from __future__ import annotations

import flask
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal import access
from portal.db import db
from portal.notify.models import Message
from portal.pages import page

notify = flask.Blueprint("notify", __name__, template_folder="templates", url_prefix="/<lang:lang>")


@notify.get("/demo/outbox")
@access.public
def list_messages() -> Response:
    """Each mail and SMS of the demo, newest first (absent in production)."""
    access.demand(flask.current_app.config["ENVIRONMENT"] != "production", hide=True)
    rows = db.session.scalars(select(Message).order_by(Message.created_at.desc()).limit(50)).all()
    return page("notify/list_messages.html", rows=rows)
