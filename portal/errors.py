"""Broken promises, told in the reader's language.

Expected answers are return values or form errors; a ``DomainError`` is for what should not have
happened: a stale page, a second decision, a forbidden door.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

import flask
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from portal import Portal

log = logging.getLogger("diwan.errors")


class DomainError(Exception):
    """Something the person must be told; ``status`` is the HTTP status of the answer."""

    status = 409
    message: Any = _l("This cannot be done now. The page shows what has changed since.")

    def __init__(self, message: Any = None, status: int | None = None) -> None:
        super().__init__(str(type(self).__name__))
        if message is not None:
            self.message = message
        if status is not None:
            self.status = status


class NotFound(DomainError):
    status = 404
    message = _l("This page does not exist, or is not yours to see.")


class Forbidden(DomainError):
    status = 403
    message = _l("You are signed in, but this page is not open to you.")


class TooMany(DomainError):
    status = 429
    message = _l("Too many tries in a short time. Wait a little, then try again.")


def reference() -> str:
    """The number of this request, shown on error pages and written in each log line."""
    if not flask.has_request_context():
        return "-"
    if "reference" not in flask.g:
        flask.g.reference = "R-" + secrets.token_hex(5).upper()
    return str(flask.g.reference)


_TEMPLATES = {403: "errors/403.html", 404: "errors/404.html", 429: "errors/429.html"}


def _answer(status: int, message: Any) -> flask.Response:
    if flask.request.path.startswith("/api/"):
        body = {"title": str(message), "status": status, "reference": reference()}
        answer = flask.jsonify(body)
        answer.mimetype = "application/problem+json"
    else:
        template = _TEMPLATES.get(status, "errors/500.html" if status >= 500 else "errors/4xx.html")
        answer = flask.make_response(
            flask.render_template(template, message=message, status=status, reference=reference())
        )
    answer.status_code = status
    return answer


def _domain_error(error: DomainError) -> flask.Response:
    log.info(
        "portal.request.refused reference=%s status=%s error=%s",
        reference(),
        error.status,
        type(error).__name__,
    )
    return _answer(error.status, error.message)


def _http_error(error: HTTPException) -> flask.Response | HTTPException:
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    messages = {
        403: Forbidden.message,
        404: NotFound.message,
        405: NotFound.message,
        413: _l("What was sent is too large. Files may have up to 10 MB each."),
        429: TooMany.message,
    }
    return _answer(code, messages.get(code, DomainError.message))


def _csrf_error(_error: CSRFError) -> flask.Response:
    return _answer(
        400,
        _l("This page was open for too long or was sent twice. Open it again and send once more."),
    )


def _crash(error: Exception) -> flask.Response:
    log.error(
        "portal.request.failed reference=%s error=%s",
        reference(),
        type(error).__name__,
        exc_info=error,
    )
    return _answer(500, _l("Something failed on our side. Nothing you sent was half-recorded."))


def init_app(app: Portal) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    if not app.config.get("PROPAGATE_CRASHES"):
        app.register_error_handler(Exception, _crash)
