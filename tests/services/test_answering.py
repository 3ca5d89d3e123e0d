"""Questions as forms: what is accepted, what is told, what is kept, whatever is typed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from portal import Portal
from services import loading
from services.answering import SectionForm, section_form
from services.definition import AnyField, Section

TODAY = date(2026, 1, 4)
TITLE = {"ar": "عنوان", "en": "Title"}
OPTIONS = {"red": {"ar": "أحمر", "en": "Red"}, "blue": {"ar": "أزرق", "en": "Blue"}}
BASE = {"id": "asked", "label": {"ar": "السؤال", "en": "The question"}}
FIELDS: TypeAdapter[AnyField] = TypeAdapter(AnyField)
DATE = ("asked-d", "asked-m", "asked-y")


def question(type_: str, **more: Any) -> AnyField:
    return FIELDS.validate_python({**BASE, "type": type_, **more})


def sent(
    app: Portal, field: AnyField, data: dict[str, Any], lang: str = "ar", **answers: Any
) -> SectionForm:
    section = Section.model_validate({"id": "page", "title": TITLE, "fields": [field]})
    with app.test_request_context(f"/{lang}/", method="POST", data=data):
        app.preprocess_request()
        form = section_form(section, answers, today=TODAY)
        form.validate_on_submit()
        form["asked"].errors = [str(message) for message in form["asked"].errors]
        return form


ACCEPTED = [
    ("text", {"script": "arabic"}, {"asked": " نورة\u202e العنزي "}, "نورة العنزي"),
    ("text", {"script": "latin"}, {"asked": "Ravi Kumar-Singh"}, "Ravi Kumar-Singh"),
    ("integer", {}, {"asked": "١٢"}, 12),
    ("decimal", {}, {"asked": "٣٫٢٥"}, "3.25"),
    ("money", {}, {"asked": "١٢٫٥"}, 12_500),
    ("money", {}, {"asked": "1,240.500"}, 1_240_500),
    ("date", {"before": "today"}, dict(zip(DATE, ("٣", "1", "٢٠٢٦"), strict=True)), "2026-01-03"),
    ("date", {}, dict(zip(DATE, ("29", "2", "2024"), strict=True)), "2024-02-29"),
    ("month", {}, {"asked-m": "2", "asked-y": "2026"}, "2026-02-01"),
    ("hijri_date", {}, dict(zip(DATE, ("1", "9", "1447"), strict=True)), "2026-02-18"),
    ("yes_no", {}, {"asked": "no"}, False),
    ("choice", {"options": OPTIONS}, {"asked": "blue"}, "blue"),
    ("choices", {"options": OPTIONS}, {"asked": ["red", "blue", "red"]}, ["red", "blue"]),
    ("reference", {"list": "banks"}, {"asked": "gulb"}, "gulb"),
    ("civil_id", {}, {"asked": "٢٨٥-٠١٠١٩٩٠١٩"}, "285010199019"),
    ("phone_kw", {}, {"asked": "٩٩١٢ ٣٤٥٦"}, "+96599123456"),
    ("email", {}, {"asked": "noura@example.com"}, "noura@example.com"),
    (
        "iban_kw",
        {},
        {"asked": "kw81 CBKU 0000 0000 0000 1234 5601 01"},
        "KW81CBKU0000000000001234560101",
    ),
    ("map_point", {}, {"asked": "29.3759، 47.9774"}, "29375900,47977400"),
    ("declaration", {"words": TITLE}, {"asked": "y"}, True),
]


@pytest.mark.parametrize(("type_", "more", "data", "stored"), ACCEPTED)
def test_what_is_sound_is_stored_clean(
    app: Portal, type_: str, more: dict[str, Any], data: dict[str, Any], stored: Any
) -> None:
    form = sent(app, question(type_, **more), data)
    assert form["asked"].errors == []
    assert form.stored()["asked"] == stored


REFUSED = [
    ("text", {"script": "arabic"}, {"asked": "Noura"}),
    ("text", {"script": "latin"}, {"asked": "راجيش"}),
    ("text", {"max": 10}, {"asked": "ا" * 10_000}),
    ("long_text", {"max": 100}, {"asked": "x" * 10_000}),
    ("pattern", {"pattern": "[A-Z]{3}", "message": TITLE}, {"asked": "A\nB"}),
    ("integer", {"max": 5}, {"asked": "6"}),
    ("integer", {}, {"asked": "1e9"}),
    ("integer", {}, {"asked": "²"}),
    ("decimal", {}, {"asked": "NaN"}),
    ("money", {}, {"asked": "1.2345"}),
    ("money", {}, {"asked": "-5"}),
    ("money", {"max_fils": 1000}, {"asked": "1.001"}),
    ("date", {}, dict(zip(DATE, ("29", "2", "2026"), strict=True))),
    ("date", {}, dict(zip(DATE, ("", "2", "2026"), strict=True))),
    ("date", {}, dict(zip(DATE, ("1", "1", "99999999999999999999"), strict=True))),
    ("date", {"before": "today"}, dict(zip(DATE, ("4", "1", "2026"), strict=True))),
    ("date", {"after": "2026-01-01"}, dict(zip(DATE, ("1", "1", "2026"), strict=True))),
    ("hijri_date", {}, dict(zip(DATE, ("31", "9", "1447"), strict=True))),
    ("hijri_date", {}, dict(zip(DATE, ("1", "9", "99"), strict=True))),
    ("yes_no", {}, {"asked": "perhaps"}),
    ("choice", {"options": OPTIONS}, {"asked": "green"}),
    ("choices", {"options": OPTIONS, "max": 1}, {"asked": ["red", "blue"]}),
    ("choices", {"options": OPTIONS}, {"asked": ["red", "green"]}),
    ("reference", {"list": "banks"}, {"asked": "../../etc/passwd"}),
    ("register", {"register": "labour.permit"}, {"asked": "PMT-2024-990001"}),
    ("civil_id", {}, {"asked": "280010100013"}),
    ("phone_kw", {}, {"asked": "12345"}),
    ("email", {}, {"asked": "noura@"}),
    ("iban_kw", {}, {"asked": "KW00CBKU0000000000001234560101"}),
    ("map_point", {}, {"asked": "48.8566, 02.3522"}),
    ("declaration", {"words": TITLE}, {}),
    ("address", {}, {"asked": "x"}),
    ("text", {}, {"asked": "   "}),
    ("text", {}, {}),
]


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(("type_", "more", "data"), REFUSED)
def test_what_is_not_is_told_and_kept(
    app: Portal, type_: str, more: dict[str, Any], data: dict[str, Any], lang: str
) -> None:
    form = sent(app, question(type_, **more), data, lang)
    (message,) = form["asked"].errors
    assert any("\u0621" <= char <= "\u064a" for char in message) is (lang == "ar"), message
    assert "nvalid" not in message
    if type_ in {"date", "hijri_date"}:
        assert form["asked"].typed == [data[name] for name in DATE]
    elif isinstance(data.get("asked"), str) and data["asked"].strip():
        assert form["asked"].data in {data["asked"], data["asked"].strip()}


def test_a_limit_may_be_another_answer(app: Portal) -> None:
    field = question("date", after="answers.began_on")
    data = dict(zip(DATE, ("1", "1", "2026"), strict=True))
    assert sent(app, field, data, began_on="2025-12-31").errors == {}
    assert sent(app, field, data, began_on="2026-01-01").errors != {}


def test_stored_answers_stand_in_their_inputs_again(app: Portal) -> None:
    cases = [
        (question("money"), 12_500, "12.500"),
        (question("yes_no"), False, "no"),
        (question("choices", options=OPTIONS), ["red"], ["red"]),
    ]
    for field, stored, shown in cases:
        section = Section.model_validate({"id": "page", "title": TITLE, "fields": [field]})
        with app.test_request_context("/ar/"):
            assert section_form(section, {"asked": stored}, today=TODAY)["asked"].data == shown
    moon = Section.model_validate(
        {"id": "page", "title": TITLE, "fields": [question("hijri_date")]}
    )
    with app.test_request_context("/ar/"):
        form = section_form(moon, {"asked": "2026-02-18"}, today=TODAY)
        assert form["asked"].typed == ["1", "9", "1447"]


PAGES = [(d, s) for d in loading.shipped().values() for s in d.sections]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_page_ever_breaks_whatever_is_sent(app: Portal, data: st.DataObject) -> None:
    _definition, section = data.draw(st.sampled_from(PAGES))
    names = [f.id for f in section.fields] + [f"{f.id}-{p}" for f in section.fields for p in "dmy"]
    typed = st.one_of(
        st.text(max_size=40),
        st.sampled_from(["٣", "-1", "0x1", "yes", "\u202e", "𝟗", "1" * 5000, "'; drop table x"]),
    )
    form_data = data.draw(st.dictionaries(st.sampled_from(names), typed, max_size=12))
    with app.test_request_context("/ar/", method="POST", data=form_data):
        form = section_form(section, {}, today=TODAY)
        form.validate_on_submit()
        assert set(form.stored()) <= {f.id for f in section.fields}
