"""DEMO registers: invented records of the demo people, behind the same door as the real ones."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.db import db
from portal.identity import Organisation, Person, demo


def _person(person: Person) -> dict[str, Any]:
    return {
        "civil_id": person.civil_id,
        "alive": person.civil_id_sealed is not None,
        "mobile": person.mobile,
        "name_ar": person.name_ar,
        "name_en": person.name_en,
        "nationality": person.nationality,
        "born_on": person.born_on.isoformat() if person.born_on else None,
        "residence_until": None if person.nationality == "KW" else "2027-12-31",
        "governorate": "jahra" if person.id == demo.person_id("noura") else "hawalli",
    }


def _work(person: Person) -> dict[str, Any]:
    if person.id != demo.person_id("rajesh"):
        return {
            "employed": False,
            "status_ar": "لا يوجد إذن عمل ساري",
            "status_en": "No work permit is in force",
        }
    return {
        "employed": True,
        "status_ar": "على رأس العمل",
        "status_en": "Employed",
        "employer_ar": "شركة الأفق للمقاولات",
        "employer_en": "Al-Ofoq Contracting Company",
        "occupation": "civil_engineer",
        "since": "2019-03-01",
        "permit_no": "PMT-2024-990001",
    }


def _household(person: Person) -> list[dict[str, Any]]:
    if person.id != demo.person_id("noura"):
        return []
    return [
        {"full_name": "نورة العنزي", "relation": "self", "income": 120000},
        {"full_name": "سارة", "relation": "child", "income": 0},
        {"full_name": "فهد", "relation": "child", "income": 0},
    ]


def _permits(today: date) -> list[dict[str, Any]]:
    names = [("راجيش كومار", "Rajesh Kumar")] + [
        (f"عامل {letter}", f"Worker {number}") for number, letter in enumerate("أبتثجحخدذرز", 1)
    ]
    return [
        {
            "number": f"PMT-2024-99{number:04d}",
            "name_ar": ar,
            "name_en": en,
            "worker_name_ar": ar,
            "worker_name_en": en,
            "nationality": "IN",
            "occupation": "civil_engineer" if number == 1 else "steel_fixer",
            "wage_fils": 450000 if number == 1 else 120000,
            "valid_until": (today + timedelta(days=20 + number)).isoformat(),
            # The seventh worker's passport has run out: that one alone waits.
            "passport_expires_on": (
                today + timedelta(days=-12 if number == 7 else 900)
            ).isoformat(),
        }
        for number, (ar, en) in enumerate(names, 1)
    ]


class DemoRegisters:
    """Answers for the demo people only; everything else is not known."""

    is_demo = True

    def look_up(
        self, register: str, *, person_id: UUID, organisation_id: UUID | None, today: date
    ) -> Any:
        person = db.session.get_one(Person, person_id)
        organisation = (
            db.session.get(Organisation, organisation_id) if organisation_id is not None else None
        )
        match register:
            case "civil.person":
                return _person(person)
            case "labour.status":
                return _work(person)
            case "civil.household":
                return _household(person)
            case "commerce.licence" if organisation is not None:
                return {
                    "number": organisation.register_no,
                    "name_ar": organisation.name_ar,
                    "name_en": organisation.name_en,
                    "expires_on": "2027-06-30",
                    "file_open": True,
                }
            case "labour.need" if organisation is not None:
                return {"approved": 20, "remaining": 5}
            case "labour.permits" | "labour.permit" if organisation is not None:
                return _permits(today)
            case _:
                return None
