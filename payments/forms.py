"""What payers and the collection department fill in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.money import NotAnAmount, parse_fils
from portal.pages import PortalForm
from portal.text import clean_typed


class PayForm(PortalForm):
    """Only the way of paying: the amount is the invoice's."""

    gateway = RadioField(
        _l("How do you want to pay?"),
        choices=[],
        validate_choice=True,
        validators=[InputRequired(_l("Choose how you want to pay"))],
    )


def _clean(text: str | None) -> str:
    return clean_typed(text or "")


class AskRefundForm(PortalForm):
    """How much goes back, and why."""

    amount = StringField(
        _l("Amount in dinars"),
        filters=[_clean],
        validators=[InputRequired(_l("Enter the amount to return"))],
    )
    reason = TextAreaField(
        _l("Reason"),
        filters=[_clean],
        validators=[
            InputRequired(_l("Say why the money goes back")),
            Length(max=500, message=_l("Write at most 500 characters")),
        ],
    )
    amount_fils = 0

    def validate_amount(self, field: StringField) -> None:
        try:
            self.amount_fils = parse_fils(field.data)
        except NotAnAmount as error:
            raise ValidationError(_l("Enter an amount such as 12.500")) from error
        if self.amount_fils <= 0:
            raise ValidationError(_l("Enter an amount such as 12.500"))


class DecideRefundForm(PortalForm):
    """Approve or not; a refusal needs its reason."""

    decision = RadioField(
        _l("Decision"),
        choices=[("approve", _l("Approve the return")), ("reject", _l("Do not return"))],
        validators=[InputRequired(_l("Choose a decision"))],
    )
    reason = TextAreaField(
        _l("Reason for not returning"),
        filters=[_clean],
        validators=[Length(max=500, message=_l("Write at most 500 characters"))],
    )

    def validate_reason(self, field: TextAreaField) -> None:
        if self.decision.data == "reject" and not field.data:
            raise ValidationError(_l("Say why the money is not returned"))
