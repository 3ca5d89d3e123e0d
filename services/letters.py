"""The letter of a decision, in both languages, from the definition's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from certification.public import document_for
from portal.i18n import current_lang, format_date, kuwait_date, ltr
from portal.text.agencies import agency_name
from services import checks, workflow
from services.definition import Definition
from services.models import Application


def letter_of(application: Application, definition: Definition) -> str | None:
    """The letter in the reader's language; None before the decision or while a value is missing."""
    state = definition.workflow.states[application.state]
    if not state.final or state.letter is None:
        return None
    lang = current_lang()
    decision: dict[str, Any] = application.decision
    paper = document_for(workflow.subject_of(application))
    until = decision.get("appeal_until")
    case: dict[str, Any] = {
        "number": ltr(application.number),
        "submitted_on": format_date(kuwait_date(application.submitted_at)),
        "decided_on": format_date(kuwait_date(application.closed_at or application.submitted_at)),
        "agency": agency_name(application.agency)[lang],
    }
    if paper is not None:
        case["paper_number"] = ltr(paper.number)
    values = {
        "case": case,
        "answers": workflow.last_submission(application).answers,
        "decision": {
            "reason": (decision.get("reason") or {}).get(lang, ""),
            "law": (decision.get("law") or {}).get(lang, ""),
            "remedy": (decision.get("remedy") or {}).get(lang, ""),
            "note": decision.get("words", ""),
            "appeal_until": format_date(kuwait_date(datetime.fromisoformat(until)))
            if until
            else "",
        },
    }
    try:
        return Markup(checks.letter(definition.letters[state.letter].get(lang), values))  # noqa: S704
    except checks.LetterFailed:
        return None
