"""Write the ledger: one door, idempotent by source, chained, into the earliest open day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, select, update

from payments.ledger import chart
from payments.ledger.models import LedgerAccount, LedgerDay, LedgerEntry, LedgerPosting
from portal import audit
from portal.actor import Actor
from portal.db import db, lock
from portal.i18n import KUWAIT

GENESIS = bytes(32)
#: A line: account code and fils, positive = debit.
Line = tuple[str, int]


class NotBalanced(ValueError):
    """Debits and credits differ, or a line is empty."""


def digest(
    previous: bytes,
    seq: int,
    source: str,
    day: date,
    kind: str,
    reverses: int | None,
    lines: Iterable[tuple[int, int, int]],
) -> bytes:
    """SHA-256 over the chain; each field with its length, else "1|23" and "12|3" were one."""
    fields = [str(seq), source, day.isoformat(), kind, str(reverses or 0)]
    fields += [f"{line}:{account}:{fils}" for line, account, fils in lines]
    out = hashlib.sha256(previous)
    for field in fields:
        raw = field.encode()
        out.update(len(raw).to_bytes(8, "big"))
        out.update(raw)
    return out.digest()


def open_day(now: datetime) -> date:
    """The earliest open accounting day; made when there is none."""
    found = db.session.scalar(select(func.min(LedgerDay.day)).where(LedgerDay.state == "open"))
    if found is not None:
        return found
    last = db.session.scalar(select(func.max(LedgerDay.day)))
    today = now.astimezone(KUWAIT).date()
    day = max(today, last + timedelta(days=1)) if last else today
    db.session.execute(insert(LedgerDay).values(day=day, state="open"))
    return day


def post(
    source: str,
    kind: str,
    lines: Sequence[Line],
    *,
    by: Actor,
    now: datetime,
    reverses: int | None = None,
) -> int:
    """Record one fact; answers the number of its entry. The same source again changes nothing.

    Errors: NotBalanced; the database refuses whatever else must not be.
    """
    kept = [(code, fils) for code, fils in lines if fils]
    if len(kept) < 2 or sum(fils for _code, fils in kept) != 0:
        raise NotBalanced(source)
    lock("ledger")
    known = db.session.scalar(select(LedgerEntry.seq).where(LedgerEntry.source == source))
    if known is not None:
        return known
    chart.load()
    day = open_day(now)
    head = db.session.execute(
        select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)
    ).first()
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    rows = [(n, int(code), fils) for n, (code, fils) in enumerate(kept, 1)]
    db.session.execute(
        insert(LedgerEntry).values(
            seq=seq, source=source, day=day, kind=kind, event_at=now, reverses=reverses, sealed=0,
            made_by=str(by.person_id or by.system_name),
        )
    )  # fmt: skip
    db.session.execute(
        insert(LedgerPosting),
        [{"entry": seq, "line": n, "account": a, "fils": f} for n, a, f in rows],
    )
    db.session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.seq == seq)
        .values(
            sealed=1,
            prev_hash=previous,
            hash=digest(previous, seq, source, day, kind, reverses, rows),
        )
        .execution_options(synchronize_session=False)
    )
    return seq


def reverse(seq: int, *, by: Actor, now: datetime, reason: str) -> int:
    """Undo an entry by its opposite in an open day; each entry only once."""
    entry = db.session.get_one(LedgerEntry, seq)
    lines = db.session.execute(
        select(LedgerAccount.code, LedgerPosting.fils)
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account)
        .where(LedgerPosting.entry == seq)
        .order_by(LedgerPosting.line)
    )
    number = post(
        f"reversal:{seq}", "reversal", [(row.code, -row.fils) for row in lines],
        by=by, now=now, reverses=seq,
    )  # fmt: skip
    audit.record(
        "payments.ledger.reversed", on=f"payments.entry:{seq}", by=by, now=now, reason=reason,
        data={"by": number, "source": entry.source},
    )  # fmt: skip
    return number


@dataclass(frozen=True)
class Report:
    """The result of ``verify``."""

    entries: int
    broken_at: int | None
    debit_fils: int
    uncovered: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return self.broken_at is None and not self.uncovered


#: Each answers the sources that must stand in the ledger exactly once.
_coverage: list[Callable[[], Iterable[str]]] = []


def register_coverage(expected: Callable[[], Iterable[str]]) -> None:
    if expected not in _coverage:
        _coverage.append(expected)


def verify() -> Report:
    """Prove chain, balances, and that every fact of money stands in the ledger once."""
    previous, count, debit = GENESIS, 0, 0
    broken: int | None = None
    rows = db.session.execute(
        select(
            LedgerEntry.seq, LedgerEntry.source, LedgerEntry.day, LedgerEntry.kind,
            LedgerEntry.reverses, LedgerEntry.prev_hash, LedgerEntry.hash, LedgerEntry.sealed,
            LedgerPosting.line, LedgerPosting.account, LedgerPosting.fils,
        )
        .outerjoin(LedgerPosting, LedgerPosting.entry == LedgerEntry.seq)
        .order_by(LedgerEntry.seq, LedgerPosting.line)
        .execution_options(yield_per=5000)
    )  # fmt: skip
    current = None
    lines: list[tuple[int, int, int]] = []

    def close() -> None:
        nonlocal previous, count, broken, debit
        if current is None or broken is not None:
            return
        count += 1
        good = (
            current.seq == count
            and current.sealed == 1
            and current.prev_hash == previous
            and len(lines) >= 2
            and sum(line[2] for line in lines) == 0
            and digest(
                previous, current.seq, current.source, current.day, current.kind,
                current.reverses, lines,
            ) == current.hash
        )  # fmt: skip
        if not good:
            broken = current.seq
            return
        debit += sum(line[2] for line in lines if line[2] > 0)
        previous = current.hash

    for row in rows:
        if current is None or row.seq != current.seq:
            close()
            current, lines = row, []
        if row.line is not None:
            lines.append((row.line, row.account, row.fils))
    close()
    return Report(count, broken, debit, tuple(_uncovered()))


def _uncovered() -> list[str]:
    wanted = {source for expected in _coverage for source in expected()}
    if not wanted:
        return []
    there = set(db.session.scalars(select(LedgerEntry.source)))
    return sorted(wanted - there)


def close_day(day: date, *, prepared_by: str, approved_by: str, now: datetime) -> None:
    """Close the day under its head; the next day opens in the same transaction."""
    lock("ledger")
    head = db.session.execute(
        select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)
    ).first()
    db.session.execute(
        update(LedgerDay)
        .where(LedgerDay.day == day)
        .values(
            state="closed",
            head_seq=head.seq if head else 0,
            head_hash=head.hash if head else GENESIS,
            prepared_by=prepared_by,
            approved_by=approved_by,
            approved_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if db.session.scalar(select(LedgerDay.day).where(LedgerDay.state == "open")) is None:
        db.session.execute(insert(LedgerDay).values(day=day + timedelta(days=1), state="open"))


def balances(until: int | None = None) -> list[tuple[LedgerAccount, int]]:
    """Trial balance: each account with its sum in fils, up to an entry number."""
    query = (
        select(LedgerAccount, func.sum(LedgerPosting.fils))
        .join(LedgerPosting, LedgerPosting.account == LedgerAccount.id)
        .group_by(LedgerAccount.id)
        .order_by(LedgerAccount.code)
    )
    if until is not None:
        query = query.where(LedgerPosting.entry <= until)
    return [(row[0], int(row[1])) for row in db.session.execute(query)]
