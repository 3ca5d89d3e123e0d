"""A section of a definition as a form: what is asked, what was typed, what is stored.

Every message tells what to enter. What was typed is kept as typed; what is stored is clean:
Western digits, ISO dates, whole fils, ids and codes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import re2
from flask_babel import gettext as _
from hijridate import Gregorian, Hijri
from wtforms import (
    BooleanField,
    Field,
    Form,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import StopValidation

from portal.i18n import both, current_lang, plain_date
from portal.money import NotAnAmount, dinars, parse_fils
from portal.pages import PortalForm
from portal.text import civil_id, clean_typed, iban_kw, telephone_kw, to_western_digits
from services import definition as d
from services.definition import AnyField, Section

#: Types that are never typed.
SILENT = {"computed"}


@cache
def reference_list(name: str) -> dict[str, dict[str, str]]:
    """code -> {ar, en} of a named list."""
    path = Path(__file__).parent / "reference_data" / f"{name}.csv"
    with path.open(encoding="utf-8") as rows:
        return {row["code"]: {"ar": row["ar"], "en": row["en"]} for row in csv.DictReader(rows)}


#: A validator of WTForms, which ships no types: the second argument is the field.
Check = Callable[[Form, Any], None]


class DatePartsField(Field):
    """Day, month and year in three inputs; stored as an ISO date."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.typed = ["", "", ""]

    @property
    def first_id(self) -> str:
        return f"{self.id}-d"

    def process_data(self, value: Any) -> None:
        self.data = value
        if value:
            year, month, day = str(value).split("-")
            self.typed = [str(int(day)), str(int(month)), year]

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:  # noqa: ARG002  # WTForms passes it
        self.errors: Any = []
        self.process_data(data if data is not None else self.default)
        names = [f"{self.name}-{part}" for part in "dmy"]
        if formdata is not None and any(name in formdata for name in names):
            self.typed = [clean_typed(formdata.get(name, "")) for name in names]
            self.raw_data = [value for value in self.typed if value]
            self.data = None

    def parts(self) -> list[tuple[str, str, str]]:
        labels = (_("Day"), _("Month"), _("Year"))
        return list(zip("dmy", labels, self.typed, strict=True))


class MonthPartsField(DatePartsField):
    """Month and year; stored as the first day of the month."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.type = "DatePartsField"

    @property
    def first_id(self) -> str:
        return f"{self.id}-m"

    def parts(self) -> list[tuple[str, str, str]]:
        return super().parts()[1:]


def _required(message: Any) -> Check:
    def check(_form: Form, field: Any) -> None:
        if not field.raw_data or not str(field.raw_data[0]).strip():
            field.errors[:] = []
            raise StopValidation(message)

    check.field_flags = {"required": True}  # type: ignore[attr-defined]
    return check


def _optional(_form: Form, field: Field) -> None:
    if not field.raw_data or not str(field.raw_data[0]).strip():
        field.data = None
        raise StopValidation


def _label(field: AnyField) -> str:
    return both(field.label)


def _empty_message(field: AnyField) -> str:
    if field.type in {"choice", "reference", "yes_no", "choices", "register"}:
        return _("Choose an answer: %(question)s", question=_label(field))
    return _("Enter: %(question)s", question=_label(field))


def _text_check(field: Any) -> Check:
    arabic = re2.compile(r"[\p{Arabic}\s\p{P}\d]+")
    latin = re2.compile(r"[\p{Latin}\s\p{P}\d]+")

    def check(_form: Form, entry: Any) -> None:
        value = clean_typed(entry.data or "")
        if len(value) > field.max:
            raise StopValidation(_("Use at most %(max)s characters.", max=field.max))
        if field.script == "arabic" and not arabic.fullmatch(value):
            raise StopValidation(_("Use Arabic letters."))
        if field.script == "latin" and not latin.fullmatch(value):
            raise StopValidation(_("Use Latin letters, as in the passport."))
        entry.stored = value

    return check


def _pattern_check(field: d.PatternField) -> Check:
    compiled = re2.compile(field.pattern)

    def check(_form: Form, entry: Any) -> None:
        value = to_western_digits(clean_typed(entry.data or ""))
        value = value.upper() if field.upper else value
        if len(value) > field.max or not compiled.fullmatch(value):
            raise StopValidation(both(field.message))
        entry.stored = value

    return check


def _number_check(field: d.NumberField) -> Check:
    figures = r"-?\d{1,12}(\.\d{1,6})?" if field.type == "decimal" else r"-?\d{1,12}"

    def check(_form: Form, entry: Any) -> None:
        text = to_western_digits(clean_typed(entry.data or "")).replace("٫", ".")
        if not re2.fullmatch(figures, text):
            raise StopValidation(
                _("Enter a number, in figures.")
                if field.type == "decimal"
                else _("Enter a whole number, in figures.")
            )
        value = Decimal(text)
        if field.min is not None and value < field.min:
            raise StopValidation(_("Enter %(min)s or more.", min=field.min))
        if field.max is not None and value > field.max:
            raise StopValidation(_("Enter %(max)s or less.", max=field.max))
        entry.stored = str(value) if field.type == "decimal" else int(value)

    return check


def _money_check(field: d.MoneyField) -> Check:
    def check(_form: Form, entry: Any) -> None:
        try:
            value = parse_fils(clean_typed(entry.data or ""))
        except NotAnAmount:
            raise StopValidation(
                _("Enter an amount in dinars, with up to three decimals, for example 350.000.")
            ) from None
        if value < field.min_fils:
            raise StopValidation(
                _("Enter at least %(amount)s dinars.", amount=dinars(field.min_fils))
            )
        if field.max_fils is not None and value > field.max_fils:
            raise StopValidation(
                _("Enter at most %(amount)s dinars.", amount=dinars(field.max_fils))
            )
        entry.stored = value

    return check


def _bound(said: str | None, form: Form, answers: Mapping[str, Any], today: date) -> date | None:
    """The day a limit names: today, a fixed day, or another answer of this page or before."""
    if said is None:
        return None
    if said == "today":
        return today
    name = said.removeprefix("answers.")
    found = getattr(form[name], "stored", None) if name in form else answers.get(name, said)
    try:
        return date.fromisoformat(str(found))
    except ValueError:
        return None


def _gregorian(day: int, month: int, year: int) -> date:
    return date(year, month, day)


def _from_hijri(day: int, month: int, year: int) -> date:
    made = Hijri(year, month, day).to_gregorian()
    return date(made.year, made.month, made.day)


def _date_check(field: AnyField, answers: Mapping[str, Any], today: date) -> Check:
    moon = field.type == "hijri_date"

    def check(form: Form, entry: Any) -> None:
        figures = [to_western_digits(part) for part in entry.typed]
        if field.type == "month":
            figures[0] = "1"
        try:
            day, month, year = (int(part) for part in figures)
            value = (_from_hijri if moon else _gregorian)(day, month, year)
        except (ValueError, OverflowError):
            raise StopValidation(
                _("Enter a real Hijri date: day, month and year, for example 8 10 1447.")
                if moon
                else _("Enter a real date: day, month and year, for example 27 3 2026.")
            ) from None
        if not 1900 <= value.year <= 2100:
            raise StopValidation(_("Enter the year in four figures."))
        before = _bound(getattr(field, "before", None), form, answers, today)
        after = _bound(getattr(field, "after", None), form, answers, today)
        if before and value >= before:
            raise StopValidation(
                _("Enter a date before today.")
                if before == today
                else _("Enter a date before %(day)s.", day=plain_date(before))
            )
        if after and value <= after:
            raise StopValidation(
                _("Enter a date after today.")
                if after == today
                else _("Enter a date after %(day)s.", day=plain_date(after))
            )
        entry.stored = value.isoformat()

    return check


def _civil_check(_form: Form, entry: Any) -> None:
    number = civil_id.normalise(entry.data or "")
    if number is None:
        raise StopValidation(_("Enter the 12 digits of the Civil ID, as on the front of the card."))
    entry.stored = number


def _phone_check(_form: Form, entry: Any) -> None:
    number = telephone_kw(entry.data or "")
    if number is None:
        raise StopValidation(_("Enter a Kuwaiti phone number of 8 digits."))
    entry.stored = number


def _iban_check(_form: Form, entry: Any) -> None:
    number = iban_kw(entry.data or "")
    if number is None:
        raise StopValidation(
            _("Enter the IBAN: KW and 28 more characters, as on the bank's letter.")
        )
    entry.stored = number


def _email_check(_form: Form, entry: Any) -> None:
    value = clean_typed(entry.data or "")
    if not re2.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s]{2,20}", value):
        raise StopValidation(_("Enter an e-mail address, for example name@example.com."))
    entry.stored = value


def _choice_check(_form: Form, entry: Any) -> None:
    known = {str(value) for value, *_rest in entry.choices}
    if entry.data not in known:
        raise StopValidation(_("Choose one of the answers shown."))
    entry.stored = entry.data


def _choices_check(field: d.ChoiceField) -> Check:
    def check(_form: Form, entry: Any) -> None:
        chosen = list(dict.fromkeys(entry.data or []))
        if not set(chosen) <= set(field.options):
            raise StopValidation(_("Choose one of the answers shown."))
        if field.min is not None and len(chosen) < field.min:
            raise StopValidation(_("Choose at least %(min)s.", min=field.min))
        if field.max is not None and len(chosen) > field.max:
            raise StopValidation(_("Choose at most %(max)s.", max=field.max))
        entry.stored = chosen

    return check


def _declared_check(_form: Form, entry: Any) -> None:
    if not entry.data:
        raise StopValidation(_("Confirm the declaration to go on."))
    entry.stored = True


#: Latitude and longitude that hold Kuwait, in millionths of a degree.
KUWAIT_E6 = ((28_500_000, 30_200_000), (46_500_000, 49_000_000))


def _point_check(_form: Form, entry: Any) -> None:
    text = to_western_digits(clean_typed(entry.data or "")).replace("،", ",")
    found = re2.fullmatch(r"(\d{2})\.(\d{1,6})\s*,\s*(\d{2})\.(\d{1,6})", text)
    if found is None:
        raise StopValidation(_("Enter the place as two numbers, for example 29.375900, 47.977400."))
    whole_n, part_n, whole_e, part_e = found.groups()
    point = (int(whole_n + part_n.ljust(6, "0")), int(whole_e + part_e.ljust(6, "0")))
    if not all(low <= at <= high for at, (low, high) in zip(point, KUWAIT_E6, strict=True)):
        raise StopValidation(_("Enter a place inside Kuwait."))
    entry.stored = f"{point[0]},{point[1]}"


def _yes_no_check(_form: Form, entry: Any) -> None:
    if entry.data not in {"yes", "no"}:
        raise StopValidation(_("Choose yes or no."))
    entry.stored = entry.data == "yes"


def _address_check(_form: Form, entry: Any) -> None:
    value = clean_typed(entry.data or "")
    if not 5 <= len(value) <= 300:
        raise StopValidation(
            _("Enter the address in 5 to 300 characters: area, block, street, building.")
        )
    entry.stored = value


def _choices_of(field: AnyField, registers: Mapping[str, Any]) -> list[tuple[str, str]]:
    lang = current_lang()
    if isinstance(field, d.ChoiceField):
        return [(key, both(text)) for key, text in field.options.items()]
    if isinstance(field, d.RegisterField):
        records = registers.get(field.register_name, [])
        return [(str(r["number"]), str(r.get(f"name_{lang}") or r["number"])) for r in records]
    if isinstance(field, d.ReferenceField):
        rows = [(code, text[lang]) for code, text in reference_list(field.list).items()]
        return sorted(rows, key=lambda row: row[1])
    return []


def _entry(
    field: AnyField,
    today: date,
    registers: Mapping[str, Any],
    answers: Mapping[str, Any],
    *,
    required: bool,
) -> Field:
    checks: list[Any] = [_required(_empty_message(field)) if required else _optional]
    common: dict[str, Any] = {"description": both(field.hint) if field.hint else ""}
    label = _label(field)
    if isinstance(field, d.DateField) or field.type == "hijri_date":
        kind = MonthPartsField if field.type == "month" else DatePartsField
        return kind(label, [*checks, _date_check(field, answers, today)], **common)
    if isinstance(field, d.DeclarationField):
        return BooleanField(both(field.words), [*checks, _declared_check], **common)
    if isinstance(field, d.ChoiceField) and field.type == "choices":
        return SelectMultipleField(
            label, [*checks, _choices_check(field)], choices=_choices_of(field, registers),
            validate_choice=False, **common,
        )  # fmt: skip
    if isinstance(field, d.ChoiceField):
        entry = RadioField if len(field.options) <= 7 else SelectField
        return entry(
            label, [*checks, _choice_check], choices=_choices_of(field, registers),
            validate_choice=False, **common,
        )  # fmt: skip
    if isinstance(field, d.ReferenceField | d.RegisterField):
        choices = [("", _("Choose")), *_choices_of(field, registers)]
        return SelectField(
            label, [*checks, _choice_check], choices=choices, validate_choice=False, **common
        )
    if field.type == "yes_no":
        return RadioField(
            label, [*checks, _yes_no_check], choices=[("yes", _("Yes")), ("no", _("No"))],
            validate_choice=False, **common,
        )  # fmt: skip
    plain: dict[str, Check] = {
        "civil_id": _civil_check,
        "phone_kw": _phone_check,
        "iban_kw": _iban_check,
        "email": _email_check,
        "address": _address_check,
        "party": _civil_check,
        "map_point": _point_check,
    }
    if isinstance(field, d.TextField):
        box = TextAreaField if field.type == "long_text" else StringField
        return box(label, [*checks, _text_check(field)], **common)
    if isinstance(field, d.PatternField):
        return StringField(label, [*checks, _pattern_check(field)], **common)
    if isinstance(field, d.NumberField):
        return StringField(label, [*checks, _number_check(field)], **common)
    if isinstance(field, d.MoneyField):
        return StringField(label, [*checks, _money_check(field)], **common)
    return StringField(label, [*checks, plain.get(field.type, _address_check)], **common)


def _typed(field: AnyField, value: Any) -> Any:
    """A stored answer as it stands in its input."""
    if value is None:
        return None
    if field.type == "yes_no":
        return "yes" if value else "no"
    if field.type == "money":
        return dinars(value)
    if field.type == "hijri_date":
        year, month, day = (int(part) for part in str(value).split("-"))
        return Gregorian(year, month, day).to_hijri().isoformat()
    return value if field.type in {"date", "month", "choices", "declaration"} else str(value)


KINDS = {
    "civil_id": "digits", "integer": "digits", "decimal": "digits", "money": "money",
    "phone_kw": "phone", "iban_kw": "ltr", "email": "ltr", "pattern": "ltr",
}  # fmt: skip


class SectionForm(PortalForm):
    """The questions of one page; ``stored()`` after validation."""

    section: Section

    def stored(self) -> dict[str, Any]:
        """Clean answers by field id; None where an optional question was left empty."""
        return {
            field.id: getattr(self[field.id], "stored", None)
            for field in self.section.fields
            if field.id in self
        }

    def kind_of(self, field_id: str) -> str | None:
        field = next(f for f in self.section.fields if f.id == field_id)
        return KINDS.get(field.type)


def section_form(
    section: Section,
    answers: Mapping[str, Any],
    *,
    today: date,
    required: frozenset[str] | None = None,
    registers: Mapping[str, Any] | None = None,
) -> SectionForm:
    """The form of one section (or of one item of a repeating one), filled with what is stored.

    ``required``: ids that must be answered; None: as each field says. A question that depends on
    an answer of the same page is shown always and demanded only when it is visible.
    """
    entries: dict[str, Any] = {"section": section}
    for field in section.fields:
        if field.type in SILENT:
            continue
        conditional = field.visible_if is not None or field.required_if is not None
        must = field.id in required if required is not None else field.required
        entries[field.id] = _entry(
            field,
            today,
            registers or {},
            answers,
            required=must and (required is not None or not conditional),
        )
    kind = type("OneSection", (SectionForm,), entries)
    data = {field.id: _typed(field, answers.get(field.id)) for field in section.fields}
    form: SectionForm = kind(data={key: value for key, value in data.items() if value is not None})
    for field in section.fields:
        if field.id in form and field.required and field.visible_if is not None:
            asked = form[field.id]
            asked.flags.required = True  # not "optional": asked only when it applies
            asked.description = asked.description or _("Only if it applies to you")
    return form
