"""Sessions: a signed cookie for visitors, a row in a table for who has signed in.

The row can be listed and revoked; it holds the level of assurance. A public page never looks at
either, so it can be cached.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy import select, update
from werkzeug.datastructures import CallbackDict

from portal.db import db, unit_of_work, utc_now
from portal.identity.models import SessionRow

#: A session ends this long after it began, whatever happens.
LONGEST = timedelta(hours=12)
#: "Seen" is written at most this often.
SEEN_EVERY = timedelta(minutes=1)


class SignedInSession(CallbackDict[str, Any], SessionMixin):
    """The data of one session row, with what the door keeper needs."""

    def __init__(self, row: SessionRow, token: str) -> None:
        super().__init__(dict(row.data), on_update=self._touch)
        self.modified = False
        self.row_id: UUID = row.id
        self.token = token
        self.person_id: UUID = row.person_id
        self.level = row.level
        self.factor = row.factor
        self.acting_for: UUID | None = row.acting_for
        self.authenticated_at = row.authenticated_at
        self.seen_at = row.seen_at
        self.ends_at = row.ends_at

    def __bool__(self) -> bool:
        """Somebody is signed in, whether or not the session holds data."""
        return True

    @staticmethod
    def _touch(self: SignedInSession) -> None:
        self.modified = True


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def begin(
    person_id: UUID, *, level: int, factor: str, now: datetime, acting_for: UUID | None = None
) -> str:
    """Open a session in the current transaction; answers the token for the cookie."""
    token = "s." + secrets.token_urlsafe(32)
    request = flask.request if flask.has_request_context() else None
    db.session.add(
        SessionRow(
            token_hash=token_hash(token),
            person_id=person_id,
            level=level,
            factor=factor,
            acting_for=acting_for,
            data={},
            agent=(request.user_agent.string[:200] if request else ""),
            network=((request.remote_addr or "")[:60] if request else ""),
            created_at=now,
            authenticated_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
        )
    )
    db.session.flush()
    return token


def sign_in(
    person_id: UUID, *, level: int, factor: str, now: datetime, acting_for: UUID | None = None
) -> None:
    """Begin a session and give this browser its cookie (a new one: no fixation)."""
    old = flask.session
    if isinstance(old, SignedInSession):
        end(old.row_id, now=now)
    flask.g.new_session_token = begin(
        person_id, level=level, factor=factor, now=now, acting_for=acting_for
    )


def end(session_id: UUID, *, now: datetime) -> None:
    db.session.execute(
        update(SessionRow)
        .where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def sign_out(now: datetime) -> None:
    if isinstance(flask.session, SignedInSession):
        end(flask.session.row_id, now=now)
        flask.g.session_ended = True


class Sessions(SecureCookieSessionInterface):
    """Visitors keep Flask's signed cookie; a token beginning with ``s.`` names a row."""

    def open_session(  # type: ignore[override]  # a row of ours instead of a cookie's content
        self, app: flask.Flask, request: flask.Request
    ) -> SignedInSession | SecureCookieSession | None:
        token = request.cookies.get(app.config["SESSION_COOKIE_NAME"], "")
        if request.path.startswith("/static/"):
            return SecureCookieSession()  # files are the same for all: nobody is looked up
        if not token.startswith("s."):
            return super().open_session(app, request)
        now = utc_now()
        row = db.session.scalar(
            select(SessionRow).where(
                SessionRow.token_hash == token_hash(token),
                SessionRow.revoked_at.is_(None),
                SessionRow.ends_at > now,
            )
        )
        idle = timedelta(seconds=app.config["SESSION_IDLE_SECONDS"])
        if row is None or row.seen_at + idle < now:
            return SecureCookieSession()
        return SignedInSession(row, token)

    def save_session(
        self, app: flask.Flask, session: SessionMixin, response: flask.Response
    ) -> None:
        token = flask.g.pop("new_session_token", None)
        name = self.get_cookie_name(app)
        secure = self.get_cookie_secure(app)
        if token or flask.g.get("session_ended"):
            if token:
                response.set_cookie(
                    name, token, httponly=True, secure=secure, samesite="Lax", path="/"
                )
            else:
                response.delete_cookie(name, path="/")
                response.headers["Clear-Site-Data"] = '"cache", "storage"'
            return
        if not isinstance(session, SignedInSession):
            super().save_session(app, session, response)
            return
        response.headers.setdefault("Cache-Control", "no-store")
        now = utc_now()
        if session.modified or session.seen_at + SEEN_EVERY < now:
            with unit_of_work() as own:
                row = own.get(SessionRow, session.row_id)
                if row is not None and row.revoked_at is None:
                    row.data = dict(session)
                    row.seen_at = now
