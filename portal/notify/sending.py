"""The lines messages leave by: SMTP for mail, a JSON gateway for SMS, and the demo's own outbox."""

from __future__ import annotations

import json
import smtplib
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Protocol

from portal import settings


@dataclass(frozen=True)
class Envelope:
    """What is sent: plain text in one language."""

    message_id: str
    to: str
    subject: str
    body: str
    language: str


class Line(Protocol):
    """Takes a message out of the house. Errors: OSError when it could not, to be tried again."""

    is_demo: bool

    def send(self, envelope: Envelope) -> None: ...


class DemoLine:
    """DEMO: nothing leaves the house; the outbox page shows what would have."""

    is_demo = True

    def send(self, envelope: Envelope) -> None:
        """Kept in the table, where the outbox page reads it."""


class SmtpLine:
    """Mail by SMTP (RFC 5321), with STARTTLS and sign-in when they are set."""

    is_demo = False

    def __init__(self, config: dict[str, Any]) -> None:
        self.host, _, port = str(config["SMTP_HOST"]).partition(":")
        self.port = int(port or 25)
        self.starttls = bool(config["SMTP_STARTTLS"])
        self.user, self.password = config["SMTP_USER"], config["SMTP_PASSWORD"]
        self.sender = config["MAIL_FROM"]

    def send(self, envelope: Envelope) -> None:
        mail = EmailMessage()
        mail["Message-ID"] = envelope.message_id
        mail["From"], mail["To"] = self.sender, envelope.to
        mail["Subject"] = envelope.subject
        mail["Content-Language"] = envelope.language
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(envelope.body)
        with smtplib.SMTP(self.host, self.port, timeout=20) as server:
            if self.starttls:
                server.starttls()
            if self.user:
                server.login(self.user, self.password)
            server.send_message(mail)


class GatewaySms:
    """SMS through an HTTPS gateway that takes ``{id, to, text}`` and answers 2xx."""

    is_demo = False

    def __init__(self, config: dict[str, Any]) -> None:
        self.url, self.token = config["SMS_URL"], config["SMS_TOKEN"]

    def send(self, envelope: Envelope) -> None:
        body = json.dumps(
            {"id": envelope.message_id, "to": envelope.to, "text": envelope.body}
        ).encode()
        asked = urllib.request.Request(  # noqa: S310  # the address is the operator's setting
            self.url,
            data=body,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(asked, timeout=20):  # noqa: S310
            pass


def mail_line(config: dict[str, Any]) -> Line:
    return SmtpLine(config) if config["SMTP_HOST"] else DemoLine()


def sms_line(config: dict[str, Any]) -> Line:
    return GatewaySms(config) if config["SMS_URL"] else DemoLine()


@settings.register_check
def _lines(config: dict[str, Any]) -> Iterable[str]:
    if not config["SMTP_HOST"]:
        yield "SMTP_HOST is not set: mail would stay in the house"
    if not config["SMS_URL"]:
        yield "SMS_URL is not set: SMS would stay in the house"
    elif not str(config["SMS_URL"]).startswith("https://"):
        yield "SMS_URL is not https"
