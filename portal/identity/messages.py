"""What identity writes to people, in their language, with no more personal data than it needs."""

from __future__ import annotations

from datetime import datetime

import flask
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.i18n import plain_datetime
from portal.identity.models import Person
from portal.notify.models import Channel
from portal.notify.operations import send


def _tell(
    person: Person, subject: str, body: str, now: datetime, *, mail: bool = True, sms: bool = True
) -> None:
    """By every known channel: a notice about safety must reach her whoever holds one of them."""
    lang = person.language
    ways = [
        (Channel.MAIL, person.email if mail else None),
        (Channel.SMS, person.mobile if sms else None),
    ]
    for channel, address in ways:
        if address:
            send(
                person_id=person.id, to=address, channel=channel, language=lang, now=now,
                subject={lang: subject}, body={lang: body},
            )  # fmt: skip


def _url(endpoint: str, language: str, token: str) -> str:
    path = flask.url_for(endpoint, lang=language, token=token)
    return f"{flask.current_app.config['PUBLIC_URL']}{path}"


def confirm_email(address: str, code: str, *, language: str, now: datetime) -> None:
    with force_locale(language):
        send(
            person_id=None, to=address, channel=Channel.MAIL, language=language, now=now,
            subject={language: _("Your code for Diwan")},
            body={language: _("Your code is %(code)s. It opens your account once, within 30 minutes. If you did not ask for it, do nothing.", code=code)},
        )  # fmt: skip


def account_exists(person: Person, *, now: datetime) -> None:
    with force_locale(person.language):
        _tell(
            person, _("Somebody asked for an account with your number"),
            _("You have an account already. If it was you, sign in, or ask for a new password. If not, nothing was changed."),
            now, sms=False,
        )  # fmt: skip


def factor_added(person: Person, *, now: datetime) -> None:
    with force_locale(person.language):
        _tell(
            person, _("A second factor was added to your account"),
            _("From now on signing in also asks for a code of your app. If this was not you, ask for a new password at once."),
            now,
        )  # fmt: skip


def recovery_code_used(person: Person, *, left: int, now: datetime) -> None:
    with force_locale(person.language):
        _tell(
            person, _("A recovery code was used"),
            _("Somebody signed in to your account with a recovery code; codes left: %(left)s. If this was not you, ask for a new password at once.", left=left),
            now,
        )  # fmt: skip


def registered_code(person: Person, mobile: str, code: str, *, now: datetime) -> None:
    with force_locale(person.language):
        send(
            person_id=person.id, to=mobile, channel=Channel.SMS, language=person.language, now=now,
            subject={person.language: _("Your code for Diwan")},
            body={person.language: _("Your code to prove who you are: %(code)s, within 10 minutes. Tell it to nobody.", code=code)},
        )  # fmt: skip


def password_link(person: Person, token: str, *, now: datetime) -> None:
    with force_locale(person.language):
        link = _url("identity.set_password", person.language, token=token)
        _tell(
            person, _("A new password for Diwan"),
            _("Open this page within 30 minutes to set a new password: %(link)s", link=link)
            + "\n"
            + _("If you did not ask for it, do nothing: your password stays."),
            now, sms=False,
        )  # fmt: skip


def password_changed(person: Person, *, now: datetime) -> None:
    with force_locale(person.language):
        _tell(
            person, _("Your password was changed"),
            _("Every browser was signed out. If this was not you, ask for a new password and call the service centre."),
            now,
        )  # fmt: skip


def factors_lost(person: Person, token: str, *, until: datetime, now: datetime) -> None:
    with force_locale(person.language):
        link = _url("identity.object_to_loss", person.language, token=token)
        _tell(
            person, _("Your second factor was reported lost"),
            _("Until %(time)s your account can only read and ask. If this was not you, stop it here: %(link)s", time=plain_datetime(until), link=link),
            now,
        )  # fmt: skip
