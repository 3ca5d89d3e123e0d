"""What people type to sign up and sign in. Pasting is welcome everywhere."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from portal.identity import passwords
from portal.pages import PortalForm
from portal.text import civil_id as civil
from portal.text import clean_typed, digits_only, telephone_kw


def _clean(text: str | None) -> str:
    return clean_typed(text or "")


def _figures(text: str | None) -> str:
    return digits_only(clean_typed(text or ""))


class _CivilIdForm(PortalForm):
    civil_id = StringField(
        _l("Civil ID number"),
        filters=[_clean],
        validators=[InputRequired(_l("Enter your Civil ID number"))],
        render_kw={"autocomplete": "username"},
    )
    number = ""

    def validate_civil_id(self, field: Any) -> None:
        found = civil.normalise(field.data)
        if found is None:
            raise ValidationError(
                _l("Enter the 12 digits of the Civil ID, as on the front of the card.")
            )
        self.number = found


class SignInForm(_CivilIdForm):
    """Number and password."""

    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Enter your password")), Length(max=passwords.LONGEST)],
        render_kw={"autocomplete": "current-password"},
    )


class SignUpForm(_CivilIdForm):
    """Who she is, how to reach her, and a password."""

    name_ar = StringField(
        _l("Full name in Arabic"),
        filters=[_clean],
        validators=[
            InputRequired(_l("Enter your name in Arabic, as on the card")),
            Regexp(
                r"[\u0621-\u064a\u0670\u0671\u067e\u0686\u06a4\u06af\s.-]{2,120}\Z",
                message=_l("Use Arabic letters, up to 120."),
            ),
        ],
    )
    name_en = StringField(
        _l("Full name in English"),
        filters=[_clean],
        validators=[
            InputRequired(_l("Enter your name in English, as on the card")),
            Regexp(r"[A-Za-z\s.'-]{2,120}\Z", message=_l("Use Latin letters, up to 120.")),
        ],
    )
    email = EmailField(
        _l("E-mail"),
        filters=[_clean],
        validators=[
            InputRequired(_l("Enter your e-mail address")),
            Regexp(
                r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,20}\Z",
                message=_l("Enter an e-mail address, for example name@example.com."),
            ),
        ],
        render_kw={"autocomplete": "email", "dir": "ltr"},
    )
    mobile = StringField(
        _l("Mobile"),
        filters=[_clean],
        validators=[InputRequired(_l("Enter your mobile number"))],
        render_kw={"autocomplete": "tel"},
    )
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Choose a password"))],
        render_kw={"autocomplete": "new-password"},
    )
    telephone = ""

    def validate_mobile(self, field: Any) -> None:
        found = telephone_kw(field.data)
        if found is None:
            raise ValidationError(_l("Enter a Kuwaiti phone number of 8 digits."))
        self.telephone = found

    def validate_password(self, field: Any) -> None:
        words = re.split(r"\s+", f"{self.name_ar.data} {self.name_en.data}")
        known = [
            *words,
            self.number,
            _figures(self.mobile.data)[-8:],
            self.email.data.split("@")[0],
        ]
        if told := passwords.complaint(field.data, about=known):
            raise ValidationError(told)


class NewPasswordForm(PortalForm):
    """A new password, by the mailed link."""

    password = PasswordField(
        _l("New password"),
        validators=[InputRequired(_l("Choose a password"))],
        render_kw={"autocomplete": "new-password"},
    )
    about: list[str] = []

    def validate_password(self, field: Any) -> None:
        if told := passwords.complaint(field.data, about=self.about):
            raise ValidationError(told)


class CodeForm(PortalForm):
    """A code: six digits of the app, the mail or the SMS, or one of the recovery codes."""

    code = StringField(
        _l("Code"),
        filters=[_clean],
        validators=[
            InputRequired(_l("Enter the code")),
            Length(max=20, message=_l("Enter the code")),
        ],
        render_kw={"autocomplete": "one-time-code"},
    )

    @property
    def typed(self) -> str:
        """Western digits, without the spaces people put between them."""
        from portal.text import to_western_digits

        return to_western_digits(self.code.data).replace(" ", "")


class ForgottenForm(_CivilIdForm):
    """Whose password is forgotten."""
