"""What is asked of who verifies a paper."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from portal.pages import PortalForm
from portal.text import clean_typed, to_western_digits


def _typed(value: str | None) -> str:
    return to_western_digits(clean_typed(value or "")).upper()


class NumberForm(PortalForm):
    """Number and code as printed."""

    number = StringField(
        _l("Number of the paper"),
        filters=[_typed],
        validators=[
            InputRequired(_l("Enter the number printed on the paper, for example STA-2026-000001")),
            Length(max=40, message=_l("A number has at most 40 characters")),
        ],
    )
    code = StringField(
        _l("Printed code"),
        filters=[_typed],
        validators=[
            InputRequired(_l("Enter the code of 16 characters printed beside the square code")),
            Length(max=40, message=_l("A code has 16 characters")),
        ],
    )


class UploadForm(PortalForm):
    """The file itself."""

    file = FileField(
        _l("The PDF file"), validators=[FileRequired(_l("Choose the PDF file you were given"))]
    )
