"""The catalogue: 480 services of 44 agencies, found by words, agency or life event.

Services with a definition can be applied for here; the others say honestly that they are not yet.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portal.text.search import Document, SearchIndex
from services.definition import Definition
from services.loading import shipped

DATA = Path(__file__).parent / "data"

LIFE_EVENTS = {
    "birth_and_family": {"ar": "الميلاد والأسرة", "en": "Birth and family"},
    "family_assistance": {"ar": "المساعدات الاجتماعية", "en": "Family assistance"},
    "work": {"ar": "العمل والعمال", "en": "Work"},
    "residence": {"ar": "الإقامة", "en": "Residence"},
    "business": {"ar": "الأعمال والتجارة", "en": "Business"},
    "education": {"ar": "التعليم", "en": "Education"},
    "housing": {"ar": "السكن", "en": "Housing"},
    "property": {"ar": "العقار", "en": "Property"},
    "health": {"ar": "الصحة", "en": "Health"},
    "disability": {"ar": "ذوو الإعاقة", "en": "Disability"},
    "driving": {"ar": "القيادة والمركبات", "en": "Driving and vehicles"},
    "travel": {"ar": "السفر", "en": "Travel"},
    "identity_and_government": {"ar": "الهوية والوثائق", "en": "Identity and papers"},
    "justice": {"ar": "القضاء والتوثيق", "en": "Justice and notary"},
    "utilities": {"ar": "الكهرباء والماء والاتصالات", "en": "Electricity, water and telecoms"},
    "neighbourhood": {"ar": "الحي والمرافق العامة", "en": "Neighbourhood"},
    "environment": {"ar": "البيئة", "en": "Environment"},
    "agriculture": {"ar": "الزراعة والثروة الحيوانية", "en": "Agriculture and livestock"},
    "religion_and_charity": {"ar": "الشؤون الدينية والعمل الخيري", "en": "Religion and charity"},
    "associations_and_cooperatives": {
        "ar": "الجمعيات والتعاونيات",
        "en": "Associations and cooperatives",
    },
    "culture_and_sport": {"ar": "الثقافة والرياضة", "en": "Culture and sport"},
    "retirement": {"ar": "التقاعد", "en": "Retirement"},
    "death_and_inheritance": {"ar": "الوفاة والميراث", "en": "Death and inheritance"},
    "safety": {"ar": "السلامة والطوارئ", "en": "Safety"},
}


@dataclass(frozen=True)
class Listed:
    """One line of the catalogue. ``fee_fils`` None: as due on the account."""

    code: str
    agency: str
    title: dict[str, str]
    summary: dict[str, str]
    life_event: str
    audience: tuple[str, ...]
    fee_fils: int | None
    fee_basis: str
    documents: tuple[str, ...]
    working_days: int | None
    definition: Definition | None = None


def _row(row: dict[str, str]) -> Listed:
    return Listed(
        code=row["service_code"],
        agency=row["agency_code"],
        title={"ar": row["name_ar"], "en": row["name_en"]},
        summary={"ar": row["summary_ar"], "en": row["summary_en"]},
        life_event=row["life_event"],
        audience=tuple(row["audience"].split(";")),
        fee_fils=int(row["fee_fils"]) if row["fee_fils"].isdigit() else None,
        fee_basis=row["fee_basis"],
        documents=tuple(d for d in row["documents"].split(";") if d),
        working_days=int(row["working_days"]) if row["working_days"].isdigit() else None,
    )


def _defined(definition: Definition) -> Listed:
    return Listed(
        code=definition.code,
        agency=definition.agency,
        title=definition.title.model_dump(),
        summary=definition.summary.model_dump(),
        life_event=definition.life_events[0] if definition.life_events else "other",
        audience=tuple(definition.audience),
        fee_fils=None,
        fee_basis="",
        documents=(),
        working_days=None,
        definition=definition,
    )


@cache
def listed() -> dict[str, Listed]:
    """Every service by code."""
    with (DATA / "services.csv").open(encoding="utf-8") as rows:
        found = {row["service_code"]: _row(row) for row in csv.DictReader(rows)}
    for definition in shipped().values():
        found[definition.code] = _defined(definition)
    return found


@cache
def _index() -> SearchIndex:
    return SearchIndex(
        Document(
            service.code,
            service.title["ar"],
            f"{service.title['en']} {_keywords(service)}",
            service.summary["ar"],
        )
        for service in listed().values()
    )


def _keywords(service: Listed) -> str:
    if service.definition is None:
        return ""
    return " ".join([*service.definition.keywords.ar, *service.definition.keywords.en])


def search(query: str, limit: int = 20) -> list[Listed]:
    """Services that answer the words, best first; those open here before their equals."""
    codes = _index().search(query, limit=limit)
    return [listed()[code] for code in codes]


def marked(service: Listed, lang: str, query: str) -> object:
    return _index().marked(service.title[lang], query)


def of_event(event: str) -> Sequence[Listed]:
    found = [service for service in listed().values() if service.life_event == event]
    return sorted(found, key=lambda s: (s.definition is None, s.title["ar"]))


def of_agency(agency: str) -> Sequence[Listed]:
    found = [service for service in listed().values() if service.agency == agency]
    return sorted(found, key=lambda s: (s.definition is None, s.title["ar"]))


@cache
def counts_by_event() -> Counter[str]:
    return Counter(service.life_event for service in listed().values())


@cache
def counts_by_agency() -> Counter[str]:
    return Counter(service.agency for service in listed().values())


@cache
def document_names() -> dict[str, dict[str, str]]:
    with (DATA / "document_types.csv").open(encoding="utf-8") as rows:
        return {r["code"]: {"ar": r["name_ar"], "en": r["name_en"]} for r in csv.DictReader(rows)}
