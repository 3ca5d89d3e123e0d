"""What payers and the collection department fill in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.validators import InputRequired

from portal.pages import PortalForm


class PayForm(PortalForm):
    """Only the way of paying: the amount is the invoice's."""

    gateway = RadioField(
        _l("How do you want to pay?"),
        choices=[],
        validate_choice=True,
        validators=[InputRequired(_l("Choose how you want to pay"))],
    )
