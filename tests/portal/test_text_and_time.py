"""Digits, money, Civil ID, working time, search: the pure rules."""

from __future__ import annotations

import csv
import doctest
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import money, text, worktime
from portal.i18n import KUWAIT
from portal.text import civil_id, keys
from portal.text.search import Document, SearchIndex

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("typed", "fils"),
    [("12.5", 12500), ("١٢٫٥٠٠", 12500), ("1,240.500", 1240500), ("0.250", 250),
     ("999999.990", 999999990), ("12.500 د.ك", 12500), ("18.6", 18600)],
)  # fmt: skip
def test_amounts_are_read(typed: str, fils: int) -> None:
    assert money.parse_fils(typed) == fils


@pytest.mark.parametrize(
    "typed", ["", "12.5000", "-3", "1e5", "12..5", "1,24", "abc", "9" * 40, "1" * 5000]
)
def test_wrong_amounts_are_refused(typed: str) -> None:
    with pytest.raises(money.NotAnAmount):
        money.parse_fils(typed)


@given(st.integers(0, money.LARGEST_FILS))
def test_amount_written_is_amount_read(fils: int) -> None:
    assert money.parse_fils(money.dinars(fils)) == fils


def test_bidi_controls_are_dropped() -> None:
    assert text.clean_typed("  \u202eexe.pdf\u2069\x00 ") == "exe.pdf"


@pytest.mark.parametrize("number", ["280010100012", "285061501249", "299123104554", "306111102466"])
def test_sound_civil_ids(number: str) -> None:
    assert civil_id.normalise(number) == number


@pytest.mark.parametrize(
    "number", ["280010100013", "380010100012", "301022900789", "28001010001", ""]
)
def test_unsound_civil_ids(number: str) -> None:
    assert civil_id.normalise(number) is None


@given(st.dates(date(1930, 1, 1), date(2026, 1, 1)))
def test_sample_civil_ids_are_sound(birth: date) -> None:
    number = civil_id.sample(birth)
    assert civil_id.normalise(number) == number
    assert civil_id.born_on(number) == birth


def test_iban_and_telephone() -> None:
    assert text.iban_kw("KW81 CBKU 0000 0000 0000 1234 5601 01") == "KW81CBKU0000000000001234560101"
    assert text.iban_kw("KW82CBKU0000000000001234560101") is None
    assert text.telephone_kw("٠٠٩٦٥ ٩٩١٢ ٣٤٥٦") == "+96599123456"
    assert text.telephone_kw("1234") is None


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=KUWAIT)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [("2026-01-04 08:00", 420, "2026-01-05 08:00"), ("2026-01-04 06:00", 2100, "2026-01-08 14:30"),
     ("2026-01-08 14:00", 60, "2026-01-11 08:00"), ("2026-01-08 14:30", 1, "2026-01-11 07:31"),
     ("2026-01-09 10:00", 30, "2026-01-11 08:00"), ("2026-02-24 13:00", 60, "2026-03-01 09:30")],
)  # fmt: skip
def test_working_minutes(start: str, minutes: int, due: str) -> None:
    assert worktime.kuwait().add(_at(start), minutes) == _at(due)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001
    st.integers(1, 5000),
)
def test_minutes_added_are_minutes_between(start: datetime, minutes: int) -> None:
    begin = start.replace(second=0, microsecond=0, tzinfo=KUWAIT)
    calendar = worktime.kuwait()
    assert calendar.between(begin, calendar.add(begin, minutes)) == minutes


def test_deadline_in_days_falls_at_closing_time() -> None:
    calendar = worktime.kuwait()
    assert calendar.deadline(_at("2026-01-07 10:00"), "3d_working") == _at("2026-01-12 14:30")
    assert calendar.deadline(_at("2026-01-07 10:00"), "2d_calendar") == _at("2026-01-11 14:30")


def test_calendar_without_working_days_is_a_named_error() -> None:
    with pytest.raises(worktime.NoWorkingTime):
        worktime.Calendar({}, frozenset()).add(_at("2026-01-04 08:00"), 1)


def test_clock_stops_while_the_applicant_is_asked() -> None:
    calendar = worktime.kuwait()
    clock = worktime.Clock("3d_working", 0, _at("2026-01-04 08:00"))
    stopped = clock.stop(calendar, _at("2026-01-05 08:00"))
    assert (stopped.used_minutes, stopped.due(calendar)) == (420, None)
    again = stopped.start(_at("2026-01-11 07:30"))
    assert again.due(calendar) == _at("2026-01-12 14:30")


def test_keys_doctests() -> None:
    assert doctest.testmod(keys).failed == 0


@pytest.fixture(scope="module")
def catalogue() -> SearchIndex:
    with (ROOT / "services/data/services.csv").open(encoding="utf-8") as rows:
        return SearchIndex(
            Document(row["service_code"], row["name_ar"], row["name_en"], row["summary_ar"])
            for row in csv.DictReader(rows)
        )


@pytest.mark.parametrize(
    ("query", "word"),
    [("تجديد الاقامه", "إقامة"), ("رخصه القياده", "رخصة القيادة"), ("مساعده للارامل", "مساعدة"),
     ("اذن عمل", "إذن عمل"), ("driving licence", "رخصة"), ("تجدييد اقامة", "إقامة")],
)  # fmt: skip
def test_what_people_type_finds_the_service(catalogue: SearchIndex, query: str, word: str) -> None:
    found = [catalogue.documents[code].title for code in catalogue.search(query)]
    assert any(word in title for title in found[:3]), found


def test_marks_stay_on_whole_words(catalogue: SearchIndex) -> None:
    marked = str(catalogue.marked("تجديد الإِقامات <b>", "اقامه"))
    assert marked == "تجديد <mark>الإِقامات</mark> &lt;b&gt;"
