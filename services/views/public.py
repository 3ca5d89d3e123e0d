"""Pages for everybody: find a service, read about it, ask whether one is entitled."""

from __future__ import annotations

from typing import Any

import flask
from werkzeug.wrappers import Response

from portal import access
from portal.db import utc_now
from portal.errors import NotFound
from portal.frontdoor.cached import public_page
from portal.i18n import current_lang, kuwait_date
from portal.pages import PortalForm, page
from portal.text import clean_typed
from portal.text.agencies import agency_name, all_agencies
from services import catalogue, entitlement, rules
from services.answering import section_form
from services.views.citizen import applicant


@applicant.get("/services/")
@access.public
@public_page
def list_services() -> Response:
    """Words first; else by life event and by agency."""
    query = clean_typed(flask.request.args.get("q", ""))[:200]
    found = catalogue.search(query) if query else []
    return page(
        "services/list_services.html",
        query=query,
        found=[(s, catalogue.marked(s, current_lang(), query)) for s in found],
        events=[
            (event, words, catalogue.counts_by_event()[event])
            for event, words in catalogue.LIFE_EVENTS.items()
            if catalogue.counts_by_event()[event]
        ],
        agencies=[
            (code, names, catalogue.counts_by_agency()[code])
            for code, names in all_agencies().items()
            if catalogue.counts_by_agency()[code]
        ],
    )


@applicant.get("/services/by/<any(event, agency):kind>/<name>")
@access.public
@public_page
def list_group(kind: str, name: str) -> Response:
    found = catalogue.of_event(name) if kind == "event" else catalogue.of_agency(name)
    if not found:
        raise NotFound
    title = catalogue.LIFE_EVENTS.get(name, {}) if kind == "event" else agency_name(name)
    return page("services/list_group.html", services=found, group=title)


@applicant.get("/services/<code>")
@access.public
@public_page
def show_service(code: str) -> Response:
    """Fee, time, papers, law, steps, and where to begin."""
    service = catalogue.listed().get(code)
    if service is None:
        raise NotFound
    template = "show_service" if service.definition else "show_listed"
    return page(
        f"services/{template}.html",
        service=service,
        definition=service.definition,
        agency=agency_name(service.agency),
        documents=catalogue.document_names(),
    )


@applicant.route("/services/<code>/entitled", methods=["GET", "POST"])
@access.public
def ask_entitlement(code: str) -> Response:
    """Met, not met or not known yet, rule by rule; nothing is stored."""
    service = catalogue.listed().get(code)
    if service is None or service.definition is None:
        raise NotFound
    definition = service.definition
    today = kuwait_date(utc_now())
    asked = entitlement.questions(definition)
    form: Any = PortalForm()
    if asked:
        form = section_form(asked, {}, today=today, required=frozenset())
    for name in [question.id for question in asked.fields] if asked else ():
        form[name].flags.required = True
    assessed = None
    if form.validate_on_submit() or asked is None:
        answers, source = entitlement.split(form.stored() if asked else {})
        assessed = rules.evaluate(definition, answers, today=today, source=source)
    return page(
        "services/ask_entitlement.html",
        form=form,
        service=service,
        definition=definition,
        asked=asked,
        assessed=assessed,
        missing=[entitlement.missing(definition, c) for c in assessed.conditions]
        if assessed
        else [],
    )
