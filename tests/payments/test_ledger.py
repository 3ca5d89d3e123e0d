"""The ledger refuses what may never be, by raw SQL too."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from payments.ledger import operations, postings
from payments.ledger.models import LedgerDay
from portal import Portal
from portal.actor import Actor
from portal.db import db, is_postgres, unit_of_work

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
BY = Actor.system("test")


def _post(source: str, fils: int = 1000) -> int:
    with unit_of_work():
        return operations.post(source, "test", postings.attempt_paid(fils), by=BY, now=NOW)


@pytest.fixture
def ledger(any_app: Portal):
    with any_app.app_context():
        for number in range(3):
            _post(f"fact:{number}")
        yield


CHEATS = {
    "altered posting": "update ledger_postings set fils = 9 where entry = 1 and line = 1",
    "deleted posting": "delete from ledger_postings where entry = 1",
    "altered entry": "update ledger_entries set kind = 'x' where seq = 2",
    "deleted entry": "delete from ledger_entries where seq = 3",
    "balanced lines added to an old entry": (
        "insert into ledger_postings (entry, line, account, fils) values (1, 3, 1110, 5)"
    ),
    "gap in numbers": (
        "insert into ledger_entries (seq, source, day, kind, event_at, made_by, sealed)"
        " values (9, 'x', '2026-11-24', 'x', '2026-11-24 08:00:00', 'x', 0)"
    ),
    "entry born sealed": (
        "insert into ledger_entries (seq, source, day, kind, event_at, made_by, sealed)"
        " values (4, 'x', '2026-11-24', 'x', '2026-11-24 08:00:00', 'x', 1)"
    ),
    "same source twice": (
        "insert into ledger_entries (seq, source, day, kind, event_at, made_by, sealed)"
        " values (4, 'fact:1', '2026-11-24', 'x', '2026-11-24 08:00:00', 'x', 0)"
    ),
    "unknown day": (
        "insert into ledger_entries (seq, source, day, kind, event_at, made_by, sealed)"
        " values (4, 'x', '2020-01-01', 'x', '2026-11-24 08:00:00', 'x', 0)"
    ),
    "renamed account": "update ledger_accounts set code = '9999' where id = 1110",
    "deleted account": "delete from ledger_accounts where id = 4201",
    "closed by one person": (
        "update ledger_days set state='closed', prepared_by='a', approved_by='a',"
        " head_seq=1, head_hash=(select hash from ledger_entries where seq=1)"
    ),
    "closed without head": "update ledger_days set state='closed', prepared_by='a', approved_by='b'",
    "deleted day": "delete from ledger_days",
}


@pytest.mark.parametrize("name", CHEATS)
def test_database_refuses(ledger: None, name: str) -> None:
    with pytest.raises(DatabaseError), unit_of_work():
        db.session.execute(text(CHEATS[name]))
    assert operations.verify().is_clean


def test_unbalanced_entry_is_refused_by_the_database(ledger: None) -> None:
    with pytest.raises(DatabaseError), unit_of_work():
        db.session.execute(
            text(
                "insert into ledger_entries (seq, source, day, kind, event_at, made_by, sealed)"
                " values (4, 'x', '2026-11-24', 'x', '2026-11-24 08:00:00', 'x', 0)"
            )
        )
        db.session.execute(
            text("insert into ledger_postings (entry, line, account, fils) values (4,1,1110,5)")
        )
        db.session.execute(
            text("update ledger_entries set sealed = 1, prev_hash=(select hash from ledger_entries"
                 " where seq=3), hash=(select hash from ledger_entries where seq=3) where seq = 4")
        )  # fmt: skip


def test_same_fact_twice_is_one_entry(ledger: None) -> None:
    assert _post("fact:1") == 2
    assert operations.verify().entries == 3


def _close(day: date) -> None:
    with unit_of_work():
        operations.close_day(day, prepared_by="fatima", approved_by="ali", now=NOW)


def test_closed_day_takes_no_entry_and_the_next_is_open(ledger: None) -> None:
    _close(date(2026, 11, 24))
    _post("fact:later")
    days = db.session.execute(select(LedgerDay.day, LedgerDay.state).order_by(LedgerDay.day)).all()
    assert [(d.isoformat(), s) for d, s in days] == [
        ("2026-11-24", "closed"), ("2026-11-25", "open"),
    ]  # fmt: skip
    for cheat in (
        "update ledger_days set state='open' where day='2026-11-24'",
        "insert into ledger_days (day, state) values ('2026-11-23', 'open')",
    ):
        with pytest.raises(DatabaseError), unit_of_work():
            db.session.execute(text(cheat))


def test_replace_does_not_open_a_closed_day(app: Portal) -> None:
    with app.app_context():
        _post("fact:1")
        _close(date(2026, 11, 24))
        for cheat in (
            "insert or replace into ledger_days (day, state) values ('2026-11-24', 'open')",
            "insert or replace into ledger_accounts (id, code, kind, name_ar, name_en)"
            " values (1110, '1110', 'revenue', 'x', 'x')",
        ):
            with pytest.raises(DatabaseError), unit_of_work():
                db.session.execute(text(cheat))


def test_reversal_only_once(ledger: None) -> None:
    with unit_of_work():
        first = operations.reverse(1, by=BY, now=NOW, reason="mistake")
    with unit_of_work():
        assert operations.reverse(1, by=BY, now=NOW, reason="again") == first
    assert {code.code: fils for code, fils in operations.balances()}["1110"] == 2000


def test_tampering_is_found(ledger: None) -> None:
    with unit_of_work():
        db.session.execute(
            text("alter table ledger_postings disable trigger all" if is_postgres()
                 else "drop trigger posting_never_changed")
        )  # fmt: skip
        db.session.execute(text("update ledger_postings set fils = fils * 2 where entry = 2"))
    assert operations.verify().broken_at == 2


@given(
    st.lists(
        st.tuples(st.sampled_from(["4201", "4203"]), st.integers(1, 10**9)).flatmap(
            lambda item: st.tuples(st.just(item[0]), st.just(item[1]), st.integers(0, item[1]))
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 10**9),
)
def test_every_posting_rule_balances(items: list, fils: int) -> None:
    for lines in (
        postings.invoice_opened(items), postings.invoice_cancelled(items),
        postings.attempt_paid(fils), postings.overpaid(fils),
        postings.settlement(fils, fils // 200), postings.refund("4201", fils),
        postings.adjustment(fils), postings.adjustment(-fils), postings.assistance_granted(fils),
    ):  # fmt: skip
        assert sum(amount for _account, amount in lines) == 0
