"""Every setting of Diwan, in one class.

A setting is read from the environment variable ``DIWAN_<NAME>`` when present, else from here.
``ENVIRONMENT=production`` refuses to start with a demo value: see ``portal.settings``.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parent


def _env(name: str, default: str) -> str:
    return os.environ.get(f"DIWAN_{name}", default)


class Config:
    """Settings of the demo, overridden by the environment."""

    #: "demo", "test" or "production".
    ENVIRONMENT = _env("ENVIRONMENT", "demo")
    #: Where the portal keeps what it writes: database, files, keys, logs.
    VAR_DIR = Path(_env("VAR_DIR", str(ROOT / "var")))
    #: Signs cookies and links. The demo value is refused in production.
    SECRET_KEY = _env("SECRET_KEY", "demo-secret-key-never-for-production")
    #: SQLAlchemy address of the database; empty means SQLite in VAR_DIR.
    DATABASE_URL = _env("DATABASE_URL", "")
    #: Public address of the portal, without a trailing slash (printed on papers, sent in mail).
    PUBLIC_URL = _env("PUBLIC_URL", "http://127.0.0.1:8000")
    #: Sub-portals in order; each is imported and its ``init_app(app)`` called.
    SUBPORTALS = [
        "portal.identity",
        "portal.notify",
        "portal.files",
        "portal.registers",
        "portal.frontdoor",
        "certification",
        "payments",
        "services",
        "participation",
        "sectors.labour",
        "sectors.family",
    ]
    #: Seconds a signed-in session lives without a request (citizens; officers half of it).
    SESSION_IDLE_SECONDS = int(_env("SESSION_IDLE_SECONDS", "1800"))
    #: Cookies travel over https only. Production demands it.
    SESSION_COOKIE_SECURE = _env("COOKIE_SECURE", "0") == "1"
    SESSION_COOKIE_NAME = "diwan"
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_HTTPONLY = True
    #: Largest request body in bytes (uploads included).
    MAX_CONTENT_LENGTH = 12 * 1024 * 1024
    #: Largest sum of form fields in memory, in bytes.
    MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024
    #: Flask-WTF reads its catalogue on every request; ours is cached per language.
    WTF_I18N_ENABLED = False
    #: Seconds a form's anti-forgery token lives; none: as long as the session.
    WTF_CSRF_TIME_LIMIT = None
    #: Debugger and reloader; refused in production.
    DEBUG = _env("DEBUG", "0") == "1"

    #: Mail server as host:port; empty: the demo's outbox. Production demands it.
    SMTP_HOST = _env("SMTP_HOST", "")
    #: Encrypt the line to the mail server.
    SMTP_STARTTLS = _env("SMTP_STARTTLS", "1") == "1"
    #: Sign-in at the mail server; empty: none.
    SMTP_USER = _env("SMTP_USER", "")
    SMTP_PASSWORD = _env("SMTP_PASSWORD", "")
    #: Sender of mails, and the domain in their Message-ID.
    MAIL_FROM = _env("MAIL_FROM", "diwan@portal.example")
    MAIL_DOMAIN = _env("MAIL_DOMAIN", "portal.example")
    #: Gateway that takes SMS as JSON over https; empty: the demo's outbox. Production demands it.
    SMS_URL = _env("SMS_URL", "")
    SMS_TOKEN = _env("SMS_TOKEN", "")

    #: Ways of paying, comma separated: demo_bank, stripe. Production refuses demo_bank.
    GATEWAYS = _env("GATEWAYS", "demo_bank")
    #: Secret key of the card gateway's account.
    STRIPE_SECRET_KEY = _env("STRIPE_SECRET_KEY", "")
    #: Secret that signs the card gateway's webhooks.
    STRIPE_WEBHOOK_SECRET = _env("STRIPE_WEBHOOK_SECRET", "")
    #: Another address of the card gateway's API (tests); empty: the real one.
    STRIPE_API_BASE = _env("STRIPE_API_BASE", "")
