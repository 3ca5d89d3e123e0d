"""Pages and forms: the two things a view hands out."""

from __future__ import annotations

from functools import cache
from typing import Any

import flask
from flask_babel import gettext, ngettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from portal.i18n import current_lang

#: The button that sends a form to the same page in the other language.
SWITCH = "switch_language"


class _Translations:
    """WTForms' own few messages, through our catalogue."""

    def gettext(self, message: str) -> str:
        return str(gettext(message))

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return str(ngettext(singular, plural, number))


@cache
def _translations() -> _Translations:
    return _Translations()


class PortalForm(FlaskForm):
    """The base of every form: anti-forgery token, our messages, no browser validation needed."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, _form: Any) -> _Translations:
            return _translations()

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether it was sent and is right; a change of language only shows it anew."""
        if SWITCH in flask.request.form:
            return False
        return bool(super().validate_on_submit(extra_validators))

    @property
    def asks_something(self) -> bool:
        """Whether there is anything to type or choose, which a change of language may keep."""
        return any(field.type not in {"CSRFTokenField", "HiddenField"} for field in self)


def page(
    template: str, *, form: FlaskForm | None = None, status: int = 200, **context: Any
) -> Response:
    """Render a page; 422 with an error summary when the form was sent and has errors."""
    if form is not None and form.errors and status == 200:
        status = 422
    html = flask.render_template(template, form=form, **context)
    return flask.make_response(html, status)


def field_aria(field: Any, hint: Any = None) -> dict[str, str]:
    """What a field's control says of its hint and its error (used by ``ui/fields.html``)."""
    described = [f"{field.id}-h"] if hint or field.description else []
    if not field.errors:
        return {"aria-describedby": described[0]} if described else {}
    return {"aria-describedby": " ".join([*described, f"{field.id}-e"]), "aria-invalid": "true"}


def redirect_to(endpoint: str, **values: Any) -> Response:
    """See the other page (303), in the same language."""
    return flask.redirect(flask.url_for(endpoint, **values), 303)


__all__ = ["PortalForm", "current_lang", "page", "redirect_to"]
