"""Mail and SMS to people: written in the transaction that gives cause, sent by the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    """Choose the line each message goes by, and show the demo's outbox."""
    from portal.notify import sending, views

    app.extensions.setdefault("mail", sending.mail_line(app.config))
    app.extensions.setdefault("sms", sending.sms_line(app.config))
    app.register_blueprint(views.notify)
