"""Messages leave by real lines, once recorded, and again after a broken line."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from portal import Portal
from portal.db import db, unit_of_work, utc_now
from portal.notify import operations, sending
from portal.notify.models import Channel, Message, MessageState


class Inbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            return "451 try later"
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@pytest.fixture
def post_office() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


def _write(channel: Channel, to: str) -> Any:
    with unit_of_work():
        return operations.send(
            person_id=None, to=to, channel=channel, subject={"ar": "رمزك"},
            body={"ar": "الرمز 123456\nلا تخبر به أحدًا"}, language="ar", now=utc_now(),
        ).id  # fmt: skip


def test_mail_goes_by_smtp_and_again_after_a_refusal(
    any_app: Portal, post_office: tuple[Inbox, int]
) -> None:
    inbox, port = post_office
    config = dict(any_app.config) | {"SMTP_HOST": f"127.0.0.1:{port}", "SMTP_STARTTLS": False}
    any_app.extensions["mail"] = sending.mail_line(config)
    with any_app.app_context():
        ident = _write(Channel.MAIL, "suad@people.example")
        inbox.refuse = True
        assert not operations.deliver(ident, now=utc_now())
        row = db.session.get_one(Message, ident)
        assert (row.state, row.tries) == (MessageState.QUEUED, 1)
        assert row.next_try_at > utc_now() + timedelta(seconds=30)
        db.session.rollback()
        inbox.refuse = False
        assert operations.deliver(ident, now=utc_now())
        assert not operations.deliver(ident, now=utc_now())
        row = db.session.get_one(Message, ident)
        assert row.state is MessageState.SENT
        mail = inbox.mails[0]
        assert mail["Message-ID"] == row.message_id
        assert mail["Subject"] == "رمزك"
        assert "123456" in mail.get_content()
        assert len(inbox.mails) == 1
        db.session.remove()


def test_a_message_is_given_up_after_the_last_try(app: Portal) -> None:
    app.extensions["mail"] = sending.SmtpLine(
        dict(app.config) | {"SMTP_HOST": "127.0.0.1:1", "SMTP_STARTTLS": False}
    )
    with app.app_context():
        ident = _write(Channel.MAIL, "suad@people.example")
        for _each in range(len(operations.BACK_OFF) + 1):
            assert not operations.deliver(ident, now=utc_now())
        assert db.session.get_one(Message, ident).state is MessageState.FAILED
        db.session.remove()


def test_sms_goes_to_the_gateway_as_json(app: Portal) -> None:
    came: list[Any] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_said: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app.extensions["sms"] = sending.sms_line(
        dict(app.config) | {"SMS_URL": f"http://127.0.0.1:{server.server_port}/", "SMS_TOKEN": "t"}
    )
    with app.app_context():
        ident = _write(Channel.SMS, "+96550001234")
        operations.send_due_messages()
        assert db.session.get_one(Message, ident).state is MessageState.SENT
        db.session.remove()
    server.shutdown()
    assert came[0][0] == "Bearer t"
    assert came[0][1]["to"] == "+96550001234"


def test_nothing_readable_lies_in_the_table(app: Portal) -> None:
    with app.app_context():
        _write(Channel.MAIL, "suad@people.example")
        row = db.session.execute(select(Message.__table__)).one()
        assert "suad" not in repr(tuple(row))
        db.session.remove()
