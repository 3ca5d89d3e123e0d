"""Import files, match what is proven, leave the rest to people."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from payments import reference
from payments.ledger import operations as ledger
from payments.ledger import postings
from payments.models import Attempt, AttemptState
from payments.reconciliation import reading
from payments.reconciliation.models import (
    Adjustment,
    BankLine,
    BankMatch,
    BankStatement,
    SettlementBatch,
    SettlementItem,
)
from payments.reconciliation.reading import BadFile
from portal import audit
from portal.actor import Actor
from portal.db import db, lock
from portal.errors import DomainError, NotFound

_BATCH = re.compile(r"BATCH\s*(\S+)\s+TERM\s*(\S+)")
#: How many days after the payment a bank may book it.
LATEST = timedelta(days=10)


class SamePerson(DomainError):
    status = 403
    message = _l("The second person must be another one.")


class Difference(DomainError):
    message = _l("The day cannot be closed over a difference. The page lists what makes it.")


def _who(by: Actor) -> str:
    return str(by.person_id or by.system_name)


def import_statement(raw: bytes, *, by: Actor, now: datetime) -> BankStatement:
    """Take a statement in, whole; then match what is proven. Errors: BadFile."""
    lock("reconciliation")
    digest = hashlib.sha256(raw).digest()
    if db.session.scalar(select(BankStatement.id).where(BankStatement.sha256 == digest)):
        raise BadFile(_("This file was imported before. Nothing was imported twice."))
    read = reading.read_statement(raw)
    last = db.session.scalar(
        select(BankStatement)
        .where(BankStatement.account == read.account)
        .order_by(BankStatement.imported_at.desc())
        .limit(1)
    )
    if last is not None and last.closing_fils != read.opening_fils:
        raise BadFile(
            _(
                "The opening balance is not the closing balance of the statement before. "
                "A statement is missing."
            )
        )
    statement = BankStatement(
        account=read.account, number=read.number, opening_fils=read.opening_fils,
        closing_fils=read.closing_fils, sha256=digest, imported_at=now, imported_by=by.person_id,
    )  # fmt: skip
    db.session.add(statement)
    db.session.flush()
    for position, movement in enumerate(read.movements, 1):
        db.session.add(
            BankLine(
                statement_id=statement.id, account=read.account, position=position,
                booked_on=movement.booked_on, fils=movement.fils,
                bank_reference=movement.bank_reference[:40] or digest.hex()[:20],
                words=movement.words[:600],
            )
        )  # fmt: skip
    db.session.flush()
    audit.record(
        "payments.statement.imported", on=f"payments.statement:{statement.id}", by=by, now=now,
        data={"lines": len(read.movements)},
    )  # fmt: skip
    match_all(by=Actor.system("matching"), now=now)
    return statement


def import_settlement(raw: bytes, *, by: Actor, now: datetime) -> SettlementBatch:
    """Take a settlement file in, each item beside its attempt. Errors: BadFile."""
    lock("reconciliation")
    digest = hashlib.sha256(raw).digest()
    if db.session.scalar(select(SettlementBatch.id).where(SettlementBatch.sha256 == digest)):
        raise BadFile(_("This file was imported before. Nothing was imported twice."))
    read = reading.read_settlement(raw)
    if db.session.scalar(
        select(SettlementBatch.id).where(
            SettlementBatch.gateway == "demo_bank",
            SettlementBatch.terminal == read.terminal,
            SettlementBatch.number == read.number,
        )
    ):
        raise BadFile(_("A file of this batch was imported before, with other content."))
    batch = SettlementBatch(
        gateway="demo_bank", terminal=read.terminal, number=read.number, day=read.day,
        gross_fils=read.gross_fils, fee_fils=read.fee_fils,
        net_fils=read.gross_fils - read.fee_fils, sha256=digest, imported_at=now,
    )  # fmt: skip
    db.session.add(batch)
    db.session.flush()
    for item in read.items:
        db.session.add(
            SettlementItem(
                batch_id=batch.id, kind=item.kind, reference=item.reference,
                gateway_id=item.gateway_id, rrn=item.rrn, gross_fils=item.gross_fils,
                fee_fils=item.fee_fils,
                attempt_id=db.session.scalar(
                    select(Attempt.id).where(
                        Attempt.reference == item.reference, Attempt.state == AttemptState.PAID
                    )
                ),
            )
        )  # fmt: skip
    db.session.flush()
    audit.record(
        "payments.settlement.imported", on=f"payments.batch:{batch.id}", by=by, now=now,
        data={"items": len(read.items)},
    )  # fmt: skip
    match_all(by=Actor.system("matching"), now=now)
    return batch


def unmatched_lines() -> list[BankLine]:
    """Movements nobody explained yet, oldest first."""
    return list(
        db.session.scalars(
            select(BankLine)
            .where(
                ~select(BankMatch.id)
                .where(BankMatch.line_id == BankLine.id, BankMatch.undone_by.is_(None))
                .exists(),
                ~select(Adjustment.id)
                .where(Adjustment.line_id == BankLine.id, Adjustment.approved_by.is_not(None))
                .exists(),
            )
            .order_by(BankLine.booked_on, BankLine.position)
            .limit(500)
        )
    )


def match_all(*, by: Actor, now: datetime) -> int:
    """Explain what is proven: a batch item by item, or one exact reference and sum."""
    made = 0
    for line in unmatched_lines():
        batch = _batch_of(line)
        if batch is not None:
            _match(line, "batch", batch=batch, by=by, now=now)
            made += 1
            continue
        attempt = _attempt_of(line)
        if attempt is not None:
            _match(line, "reference", attempt=attempt, by=by, now=now)
            made += 1
    return made


def _batch_of(line: BankLine) -> SettlementBatch | None:
    found = _BATCH.search(line.words.upper())
    if not found:
        return None
    batch = db.session.scalar(
        select(SettlementBatch).where(
            SettlementBatch.number == found[1], SettlementBatch.terminal == found[2]
        )
    )
    if batch is None or batch.net_fils != line.fils or _taken(batch=batch):
        return None
    items = db.session.scalars(
        select(SettlementItem).where(SettlementItem.batch_id == batch.id)
    ).all()
    for item in items:
        if item.kind != "purchase":
            return None
        attempt = db.session.get(Attempt, item.attempt_id) if item.attempt_id else None
        if attempt is None or attempt.amount_fils != item.gross_fils:
            return None
    return batch if items else None


def _attempt_of(line: BankLine) -> Attempt | None:
    named = reference.find_references(line.words)
    if len(named) != 1:
        return None
    attempt = db.session.scalar(
        select(Attempt).where(Attempt.reference == named[0], Attempt.state == AttemptState.PAID)
    )
    if attempt is None or attempt.amount_fils != line.fils or attempt.paid_at is None:
        return None
    paid_on: date = attempt.paid_at.date()
    if not paid_on - timedelta(days=1) <= line.booked_on <= paid_on + LATEST:
        return None
    in_batch = db.session.scalar(
        select(SettlementItem.id).where(SettlementItem.attempt_id == attempt.id)
    )
    return None if in_batch or _taken(attempt=attempt) else attempt


def _taken(*, batch: SettlementBatch | None = None, attempt: Attempt | None = None) -> bool:
    query = select(BankMatch.id).where(BankMatch.undone_by.is_(None))
    if batch is not None:
        query = query.where(BankMatch.batch_id == batch.id)
    if attempt is not None:
        query = query.where(BankMatch.attempt_id == attempt.id)
    return db.session.scalar(query) is not None


def _match(
    line: BankLine,
    rule: str,
    *,
    by: Actor,
    now: datetime,
    batch: SettlementBatch | None = None,
    attempt: Attempt | None = None,
) -> None:
    gross = batch.gross_fils if batch else line.fils
    fee = batch.fee_fils if batch else 0
    seq = ledger.post(
        f"line:{line.id}:matched", "settlement", postings.settlement(gross, fee), by=by, now=now
    )
    db.session.add(
        BankMatch(
            line_id=line.id, batch_id=batch.id if batch else None,
            attempt_id=attempt.id if attempt else None, rule=rule, made_by=_who(by), made_at=now,
            entry_seq=seq,
        )
    )  # fmt: skip
    db.session.flush()


def ask_adjustment(line_id: object, *, reason: str, by: Actor, now: datetime) -> Adjustment:
    """Propose to book an unexplained line away. Errors: NotFound."""
    line = db.session.get(BankLine, line_id)
    if line is None or line not in unmatched_lines():
        raise NotFound
    adjustment = db.session.scalar(select(Adjustment).where(Adjustment.line_id == line.id))
    if adjustment is None:
        adjustment = Adjustment(
            line_id=line.id, reason=reason[:500], asked_by=_who(by), asked_at=now
        )
        db.session.add(adjustment)
        db.session.flush()
        audit.record(
            "payments.adjustment.asked", on=f"payments.line:{line.id}", by=by, now=now,
            reason=reason,
        )  # fmt: skip
    return adjustment


def approve_adjustment(adjustment_id: object, *, by: Actor, now: datetime) -> None:
    """A second person agrees; the ledger takes it. Errors: SamePerson, NotFound."""
    adjustment = db.session.get(Adjustment, adjustment_id)
    if adjustment is None or adjustment.approved_by is not None:
        raise NotFound
    if adjustment.asked_by == _who(by):
        raise SamePerson
    line = db.session.get_one(BankLine, adjustment.line_id)
    adjustment.entry_seq = ledger.post(
        f"line:{line.id}:adjusted", "adjustment", postings.adjustment(line.fils), by=by, now=now
    )
    adjustment.approved_by = _who(by)
    db.session.flush()
    audit.record(
        "payments.adjustment.approved", on=f"payments.line:{line.id}", by=by, now=now,
        reason=adjustment.reason,
    )  # fmt: skip
