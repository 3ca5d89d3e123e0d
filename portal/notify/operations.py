"""Write a message; send what is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import flask
from sqlalchemy import select

from portal import vault
from portal.db import db, unit_of_work, utc_now
from portal.jobs import job
from portal.notify.models import Channel, Message, MessageState
from portal.notify.sending import Envelope, Line

log = logging.getLogger("diwan.notify")
#: Minutes until the next try, after each failure; then the message is given up.
BACK_OFF = (1, 5, 15, 60, 240, 720)


def send(
    *,
    person_id: UUID | None,
    to: str,
    channel: Channel,
    subject: Mapping[str, str],
    body: Mapping[str, str],
    language: str,
    now: datetime,
) -> Message:
    """Put a message into the outbox, in this transaction; the worker sends it after the commit.

    ``subject`` and ``body`` are ``{ar, en}``; the reader's language is sent.
    """
    ident = uuid4()

    def seal(part: str, text: str) -> bytes:
        return vault.seal(text, f"messages.{part}:{ident}")

    message = Message(
        id=ident,
        person_id=person_id,
        channel=channel,
        language=language,
        sealed_to=seal("to", to),
        sealed_subject=seal("subject", subject[language]),
        sealed_body=seal("body", body[language]),
        message_id=f"<{ident}@{flask.current_app.config['MAIL_DOMAIN']}>",
        created_at=now,
        next_try_at=now,
    )
    db.session.add(message)
    db.session.flush()
    return message


def deliver(message_id: UUID, *, now: datetime) -> bool:
    """Try one message, outside any transaction; whether it has gone.

    Killed between sending and recording, it goes again with the same Message-ID.
    """
    message = db.session.get(Message, message_id)
    if message is None or message.state is not MessageState.QUEUED:
        return False
    envelope = Envelope(
        message.message_id, message.to, message.subject, message.body, message.language
    )
    line: Line = flask.current_app.extensions[message.channel.value]
    tries = message.tries
    db.session.rollback()
    gone = True
    try:
        line.send(envelope)
    except OSError as error:
        log.warning("portal.notify.failed message=%s why=%s", message_id, type(error).__name__)
        gone = False
    with unit_of_work() as session:
        row = session.get_one(Message, message_id)
        row.tries = tries + 1
        if gone:
            row.state, row.sent_at = MessageState.SENT, now
        elif tries >= len(BACK_OFF):
            row.state = MessageState.FAILED
        else:
            row.next_try_at = now + timedelta(minutes=BACK_OFF[tries])
    return gone


@job(every=timedelta(seconds=5))
def send_due_messages() -> None:
    """Send up to a hundred messages whose time has come."""
    now = utc_now()
    due = db.session.scalars(
        select(Message.id)
        .where(Message.state == MessageState.QUEUED, Message.next_try_at <= now)
        .order_by(Message.next_try_at)
        .limit(100)
    ).all()
    db.session.rollback()
    for message_id in due:
        deliver(message_id, now=now)
