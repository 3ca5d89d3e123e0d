"""DEMO bank: a simulator of a bank outside, labelled so everywhere, refused in production.

It keeps its own books in its own file, as a bank would: what we forget, it remembers. Its pages
stand in ``payments.demo_bank_pages``, its files in ``payments.gateways.demo_bank_files``.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flask

from payments.gateways.protocol import (
    Answer,
    AttemptView,
    GatewaySilent,
    RefundAnswer,
    RefundView,
    Started,
    Word,
)
from portal import settings
from portal.db import utc_now

#: What the payer may press on the bank's page; each is one way banks behave.
CHOICES = ("approve", "decline", "cancel", "break", "twice", "late", "wrong_amount")
#: How long "the line breaks" and "answer late" last.
SILENCE = timedelta(seconds=20)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS charges (
  id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE,
  fils INTEGER NOT NULL, title TEXT NOT NULL, return_path TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open', told_fils INTEGER, rrn TEXT, auth TEXT,
  decided_at TEXT, silent_until TEXT, late_until TEXT
);
CREATE TABLE IF NOT EXISTS refunds (
  id TEXT PRIMARY KEY, charge TEXT NOT NULL REFERENCES charges(id), fils INTEGER NOT NULL,
  rrn TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notices (
  id TEXT PRIMARY KEY, reference TEXT NOT NULL, due_at TEXT NOT NULL, sent_at TEXT,
  tries INTEGER NOT NULL DEFAULT 0
);
"""


@settings.register_check
def _no_demo_bank(config: dict[str, Any]) -> Iterable[str]:
    if "demo_bank" in config["GATEWAYS"].split(","):
        yield "GATEWAYS offers the demo bank"


@contextmanager
def books() -> Iterator[sqlite3.Connection]:
    """The bank's own books, in one transaction."""
    path = Path(flask.current_app.config["VAR_DIR"]) / "demo-bank.sqlite"
    connection = sqlite3.connect(path, timeout=15, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='notices'").fetchone():
            connection.executescript(_SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.close()


def charge(charge_id: str) -> sqlite3.Row | None:
    with books() as bank:
        row: sqlite3.Row | None = bank.execute(
            "SELECT * FROM charges WHERE id=?", (charge_id,)
        ).fetchone()
    return row


def _rrn() -> str:
    return f"{secrets.randbelow(10**12):012d}"


def decide(charge_id: str, choice: str, *, now: datetime) -> None:
    """What the payer pressed on the bank's page; a charge is decided once."""
    if choice not in CHOICES:
        raise ValueError(choice)
    state = {"decline": "declined", "cancel": "cancelled"}.get(choice, "captured")
    until = (now + SILENCE).isoformat()
    with books() as bank:
        found = bank.execute(
            "SELECT * FROM charges WHERE id=? AND state='open'", (charge_id,)
        ).fetchone()
        if found is None:
            return
        bank.execute(
            "UPDATE charges SET state=?, told_fils=?, rrn=?, auth=?, decided_at=?,"
            " silent_until=?, late_until=? WHERE id=?",
            (
                state,
                found["fils"] + 1000 if choice == "wrong_amount" else found["fils"],
                _rrn(),
                f"{secrets.randbelow(10**6):06d}",
                now.isoformat(),
                until if choice == "break" else None,
                until if choice == "late" else None,
                charge_id,
            ),
        )
        copies = {"break": 0, "twice": 2}.get(choice, 1)
        due = until if choice == "late" else now.isoformat()
        for copy in range(copies):
            # The same notice twice carries the same event; only the rows differ.
            bank.execute(
                "INSERT INTO notices (id, reference, due_at) VALUES (?,?,?)",
                (f"{charge_id}-{copy}", found["reference"], due),
            )


def send_due_notices(post: Callable[[dict[str, str]], None], *, now: datetime) -> int:
    """The bank calls back; ``post`` carries one notice and raises when nobody answers."""
    with books() as bank:
        due = bank.execute(
            "SELECT * FROM notices WHERE sent_at IS NULL AND due_at<=? AND tries<5 ORDER BY id",
            (now.isoformat(),),
        ).fetchall()
        for row in due:
            bank.execute("UPDATE notices SET tries=tries+1 WHERE id=?", (row["id"],))
    sent = 0
    for row in due:
        try:
            post({"event": row["id"].rsplit("-", 1)[0], "reference": row["reference"]})
        except OSError:
            continue
        with books() as bank:
            bank.execute("UPDATE notices SET sent_at=? WHERE id=?", (now.isoformat(), row["id"]))
        sent += 1
    return sent


_WORDS: dict[str, Word] = {
    "captured": "paid",
    "declined": "declined",
    "cancelled": "cancelled",
    "open": "pending",
}


def _raw(row: sqlite3.Row) -> bytes:
    told = {key: row[key] for key in ("id", "reference", "told_fils", "state", "rrn", "auth")}
    return json.dumps(told, sort_keys=True).encode()


class DemoBank:
    """The bank seen from our side."""

    name = "demo_bank"
    amount_step_fils = 1
    environment = "demo"
    hosts: tuple[str, ...] = ()

    def start(self, attempt: AttemptView) -> Started:
        charge_id = f"demo-{attempt.id}"
        with books() as bank:
            bank.execute(
                "INSERT INTO charges (id, key, reference, fils, title, return_path)"
                " VALUES (?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING",
                (charge_id, attempt.idempotency_key, attempt.reference, attempt.amount_fils,
                 attempt.title, attempt.return_path),
            )  # fmt: skip
        address = flask.url_for("demo_bank.show_charge", lang=attempt.lang, charge_id=charge_id)
        return Started(address, charge_id)

    def inquire(self, attempt: AttemptView) -> Answer:
        with books() as bank:
            row = bank.execute(
                "SELECT * FROM charges WHERE reference=?", (attempt.reference,)
            ).fetchone()
        if row is None:
            return Answer("not_found")
        now = utc_now()
        if row["silent_until"] and datetime.fromisoformat(row["silent_until"]) > now:
            raise GatewaySilent
        late = row["late_until"] and datetime.fromisoformat(row["late_until"]) > now
        return Answer(
            "pending" if late else _WORDS.get(row["state"], "unknown"),
            amount_fils=row["told_fils"],
            currency="KWD",
            reference=row["reference"],
            environment=self.environment,
            gateway_id=row["id"],
            handle=row["id"],
            rrn=row["rrn"],
            auth_code=row["auth"],
            raw=_raw(row),
        )

    def refund(self, refund: RefundView) -> RefundAnswer:
        with books() as bank:
            known = bank.execute("SELECT * FROM refunds WHERE id=?", (str(refund.id),)).fetchone()
            if known is not None:
                return RefundAnswer("done", known["id"])
            found = bank.execute(
                "SELECT * FROM charges WHERE reference=? AND state='captured'",
                (refund.attempt.reference,),
            ).fetchone()
            if found is None:
                return RefundAnswer("failed")
            (given,) = bank.execute(
                "SELECT coalesce(sum(fils), 0) FROM refunds WHERE charge=?", (found["id"],)
            ).fetchone()
            if given + refund.amount_fils > found["told_fils"]:
                return RefundAnswer("failed")
            bank.execute(
                "INSERT INTO refunds VALUES (?,?,?,?,?)",
                (str(refund.id), found["id"], refund.amount_fils, _rrn(), utc_now().isoformat()),
            )
        return RefundAnswer("done", str(refund.id))
