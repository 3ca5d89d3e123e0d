"""What a visitor finds before signing in: services by words, agency and event, and an answer."""

from __future__ import annotations

from typing import Any

import pytest

from services import catalogue, entitlement, loading
from services.definition import Definition

LANGUAGES = ("ar", "en")

#: Words as people type them -> a service that must be among the first ten.
ASKED = {
    "تجديد اذن عمل": "PAM-005",
    "اذن العمل": "PAM-001",
    "استقدام عامل": "PAM-001",
    "تصريح عمل جديد": "PAM-001",
    "مساعده للارامل": "MOSA-001",
    "معونة": "MOSA-001",
    "راتب الشؤون": "MOSA-001",
    "شهاده لمن يهمه الامر": "PAM-900",
    "رفضوا طلبي": "PAM-901",
    "renew work permit": "PAM-005",
    "widow": "MOSA-001",
    "to whom it may concern": "PAM-900",
    "ليسن": "MOI-001",
    "رخصه القياده": "MOI-001",
    "تجديد جواز": "MOI-024",
    "باسبور": "MOI-024",
    "حسن سيرة وسلوك": "MOI-027",
    "مخالفات المرور": "MOI-009",
    "شكوى عماليه": "PAM-018",
    "تجديد البطاقه المدنيه": "PACI-002",
    "بدل فاقد بطاقة": "PACI-004",
    "تغيير العنوان": "PACI-005",
}


def test_the_catalogue_is_whole() -> None:
    listed = catalogue.listed()
    assert len(listed) == 483
    assert {service.life_event for service in listed.values()} <= set(catalogue.LIFE_EVENTS)
    assert sum(catalogue.counts_by_event().values()) == len(listed)
    assert len(catalogue.counts_by_agency()) == 44
    assert sum(1 for service in listed.values() if service.definition) == 6


def test_people_find_what_they_mean() -> None:
    ranks = {}
    for words, code in ASKED.items():
        found = [service.code for service in catalogue.search(words, limit=10)]
        ranks[words] = found.index(code) + 1 if code in found else 0
    recall = sum(1 for rank in ranks.values() if rank) / len(ranks)
    reciprocal = sum(1 / rank for rank in ranks.values() if rank) / len(ranks)
    assert recall >= 0.9, ranks
    assert reciprocal >= 0.7, ranks


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "services/",
        "services/?q=مساعده",
        "services/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "services/?q=qqqqqqq",
        "services/by/agency/PAM",
        "services/by/event/work",
        "services/MOI-001",
        *(f"services/{d.code}" for d in loading.shipped().values()),
        *(f"services/{d.code}/entitled" for d in loading.shipped().values()),
    ],
)
def test_every_public_page_is_sound(browser: Any, lang: str, path: str) -> None:
    assert browser.get(f"/{lang}/{path}").status_code == 200


def test_unknown_services_are_not_found(browser: Any) -> None:
    assert browser.get("/ar/services/XXX-999").status_code == 404
    assert browser.get("/ar/services/MOI-001/entitled").status_code == 404
    assert browser.get("/ar/services/by/event/nonsense").status_code == 404


def test_a_public_page_is_not_sent_twice(client: Any) -> None:
    first = client.get("/ar/services/PAM-001")
    again = client.get("/ar/services/PAM-001", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert "Set-Cookie" not in first.headers


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_visitor_is_told_which_condition_fails_and_why(browser: Any, lang: str) -> None:
    answer = browser.post(
        f"/{lang}/services/MOSA-001/entitled",
        data={"person__nationality": "IN", "lives_in_kuwait": "yes"},
    )
    family = loading.shipped()["mosa.family_assistance.apply"]
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert family.eligibility[0].unmet.get(lang) in text
    assert family.eligibility[2].law.get(lang) in text
    assert 'class="unmet"' in text
    assert 'class="met"' in text
    assert 'class="unknown"' in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_arabic_digits_and_bad_dates_in_the_questions(browser: Any, lang: str) -> None:
    path = f"/{lang}/services/PAM-001/entitled"
    date = {"licence__expires_on-d": "٣١", "licence__expires_on-m": "١٢"}
    good = browser.post(path, data={**date, "licence__expires_on-y": "٢٠٩٠"})
    assert good.status_code == 200
    assert 'class="met"' in good.get_data(as_text=True)
    bad = browser.post(path, data={**date, "licence__expires_on-y": "nil", "need__remaining": "x"})
    assert bad.status_code == 422
    assert "nil" in bad.get_data(as_text=True)


@pytest.mark.parametrize("definition", loading.shipped().values(), ids=lambda d: d.service)
def test_only_what_the_conditions_need_is_asked(definition: Definition) -> None:
    section = entitlement.questions(definition)
    assert section is not None
    assert len(section.fields) <= 7
    answers, source = entitlement.split({f.id: 1 for f in section.fields})
    assert set(source) <= set(definition.prefill)
    assert all(definition.field(name) for name in answers)
