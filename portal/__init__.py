"""Diwan: one portal of sub-portals, with tools that all of them share."""

from __future__ import annotations

import importlib
import logging
import time
from pathlib import Path
from typing import Any

import flask
import jinja2
from flask_wtf.csrf import CSRFProtect, generate_csrf
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from config import Config
from portal import access, assets, audit, errors, i18n, numbering, settings
from portal.db import (
    SAFE_METHODS,
    db,
    prepare_engine,
    run_kept_writes,
    session_in_transaction,
)
from portal.jobs import worker_command
from portal.pages import field_aria

log = logging.getLogger("diwan.requests")
csrf = CSRFProtect()
__all__ = ["Portal", "create_app", "numbering"]


class LanguageConverter(BaseConverter):
    """The first part of each path: ``ar`` or ``en``."""

    regex = "ar|en"


class Portal(flask.Flask):
    """One POST, one transaction: commit when the answer is good, else roll back."""

    root_dir = Path(__file__).parent.parent
    jinja_options = {
        "undefined": jinja2.StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }

    def dispatch_request(self) -> flask.Response:
        response = self.make_response(super().dispatch_request())
        if flask.request.method not in SAFE_METHODS and response.status_code < 400:
            db.session.commit()
        else:
            db.session.rollback()
        return response

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> flask.Response:
        """After every answer, refusals and crashes included: nothing half-done stays open."""
        response = self.make_response(rv)
        if session_in_transaction():
            db.session.rollback()
        run_kept_writes()
        return super().finalize_request(response, from_error_handler)


def _database_url(config: flask.Config) -> str:
    url = str(config["DATABASE_URL"])
    if not url:
        return f"sqlite:///{config['VAR_DIR']}/diwan.sqlite"
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


#: Everything is refused that a page does not need; banks are added by ``payments``.
CSP = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "script-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "manifest-src": ["'self'"],
    "worker-src": ["'self'"],
}


def _headers(response: flask.Response) -> flask.Response:
    policy = {key: list(values) for key, values in CSP.items()}
    for key, values in flask.current_app.config.get("CSP_EXTRA", {}).items():
        policy[key] = policy.get(key, []) + list(values)
    for key, values in flask.g.get("csp", {}).items():  # a view may narrow or widen its own
        policy[key] = list(values)
    response.headers.setdefault(
        "Content-Security-Policy",
        "; ".join(f"{key} {' '.join(values)}" for key, values in policy.items()),
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault(
        "Permissions-Policy", "geolocation=(), microphone=(), camera=(self)"
    )
    if flask.current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=63072000")
    return response


def _log_request(response: flask.Response) -> flask.Response:
    log.info(
        "portal.request.answered reference=%s method=%s endpoint=%s status=%s ms=%.0f",
        errors.reference(),
        flask.request.method,
        flask.request.endpoint or "-",
        response.status_code,
        (time.perf_counter() - flask.g.get("began", time.perf_counter())) * 1000,
    )
    return response


def _begin() -> None:
    flask.g.began = time.perf_counter()


def create_app(config: type[Config] = Config, **overrides: Any) -> Portal:
    """Build the portal from its settings; a production portal with unsafe ones does not start."""
    app = Portal(__name__, static_folder=None)
    app.config.from_object(config)
    app.config.update(overrides)
    app.config["SQLALCHEMY_DATABASE_URI"] = _database_url(app.config)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = app.config.get("ENGINE_OPTIONS", {})
    Path(app.config["VAR_DIR"]).mkdir(parents=True, exist_ok=True)
    app.url_map.converters["lang"] = LanguageConverter
    if app.config["ENVIRONMENT"] == "production":
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            prepare_engine(engine)
    csrf.init_app(app)
    i18n.init_app(app)
    errors.init_app(app)
    app.jinja_env.globals.update(
        csrf_token=generate_csrf, _aria=field_aria, demo=app.config["ENVIRONMENT"] != "production"
    )
    assets.init_app(app)
    app.before_request(_begin)
    app.before_request(access.enforce)
    app.after_request(_headers)
    app.after_request(_log_request)
    app.cli.add_command(worker_command)
    app.cli.add_command(audit.cli)
    for name in app.config["SUBPORTALS"]:
        importlib.import_module(name).init_app(app)
    from portal import operating

    operating.init_app(app)
    settings.refuse_unsafe_production(app.config)
    return app


def database_answers() -> bool:
    return bool(db.session.execute(text("select 1")).scalar() == 1)
