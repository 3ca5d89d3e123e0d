"""Stored answers as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from portal.i18n import both, current_lang, format_date, ltr, money, num
from services import definition as d
from services.answering import reference_list
from services.definition import AnyField, Definition
from services.rules import Assessment


@dataclass(frozen=True)
class Row:
    """One question with its answer, ready for a page."""

    section_id: str
    field_id: str
    label: str
    value: Any


def _plain(kind: str, value: Any) -> Any:
    match kind:
        case "money":
            return money(int(value))
        case "date":
            return format_date(date.fromisoformat(str(value)))
        case "yes_no":
            return _("Yes") if value else _("No")
        case "number" | "integer" | "decimal":
            return num(value)
        case _:
            return Markup("<bdi>{}</bdi>").format(value)


def shown(field: AnyField, value: Any) -> Any:
    """The answer in the reader's language, isolated from the text around it."""
    if value is None:
        return Markup('<span class="muted">{}</span>').format(_("no answer"))
    if isinstance(field, d.ChoiceField):
        keys = value if isinstance(value, list) else [value]
        return "، ".join(both(field.options[key]) for key in keys if key in field.options)
    if isinstance(field, d.ReferenceField):
        return reference_list(field.list).get(value, {}).get(current_lang(), value)
    if isinstance(field, d.ComputedField):
        return _plain(field.format, value)
    if field.type in {"civil_id", "phone_kw", "iban_kw", "email", "pattern"}:
        return ltr(value)
    return _plain(field.type, value)


def answer_rows(definition: Definition, assessed: Assessment) -> list[Row]:
    """Every visible question with its answer, page by page."""
    rows = []
    for section in definition.sections:
        if section.repeat:
            items = assessed.answers.get(section.repeat.of, [])
            for number, item in enumerate(items, 1):
                parts = [
                    Markup("{}: {}").format(both(f.label), shown(f, item[f.id]))
                    for f in section.fields
                    if f.id in item
                ]
                label = f"{both(section.repeat.item)} {number}"
                rows.append(Row(section.id, section.repeat.of, label, Markup("<br>").join(parts)))
            continue
        for field in section.fields:
            if field.id not in assessed.visible and field.type != "computed":
                continue
            value = assessed.answers.get(field.id, assessed.computed.get(field.id))
            rows.append(Row(section.id, field.id, both(field.label), shown(field, value)))
    return rows


def step_label(definition: Definition, action: str) -> str:
    """The words of a step, those of an upheld appeal included."""
    found = definition.action(action)
    return both(found.label) if found else _("Reopened after an appeal was upheld")
