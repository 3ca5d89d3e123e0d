"""One line of a list of people or things, as a person recognises it: a name, then a word or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.i18n import both, num
from services.definition import Section
from services.shown import shown


def item_line(section: Section, item: Mapping[str, Any], number: int) -> Markup:
    """The answers the definition names for the line; else what the thing is, and its number."""
    named = section.repeat.line if section.repeat else ()
    parts = [
        escape(shown(question, item[question.id]))
        for name in named
        for question in section.fields
        if question.id == name and item.get(name) is not None
    ]
    if not parts:
        what = both(section.repeat.item) if section.repeat else ""
        return Markup("{} {}").format(what, num(number))
    return Markup(" · ").join(parts)
