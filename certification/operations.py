"""Issue papers and take them back."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select

from certification import keys, qr, sealing
from certification.events import DocumentSealed, DocumentWithdrawn
from certification.models import PaperReservation, PaperState, SealedDocument
from portal import audit
from portal.actor import Actor
from portal.db import db, unit_of_work
from portal.errors import DomainError
from portal.events import publish
from portal.i18n import KUWAIT
from portal.numbering import next_number

#: Characters that nobody mistakes for another.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
BLOCK = 100_000


def print_code() -> str:
    """A code of 16 characters (78 bits) in groups of four, as printed on a paper."""
    raw = "".join(secrets.choice(CODE_ALPHABET) for _ in range(16))
    return "-".join(raw[at : at + 4] for at in range(0, 16, 4))


def normal_code(text: str) -> str:
    """What a person typed of a printed code, as it is stored."""
    raw = "".join(char for char in text.upper() if char in CODE_ALPHABET)
    return "-".join(raw[at : at + 4] for at in range(0, len(raw), 4))


def _free_index() -> int:
    """A place in the status list drawn at random: it tells nothing about the order of issue."""
    while True:
        index = secrets.randbelow(BLOCK)
        if not db.session.scalar(
            select(PaperReservation.subject).where(PaperReservation.status_index == index)
        ):
            return index


def _reserve(
    subject: str, register: str, number: str | None, now: datetime
) -> tuple[str, str, int, datetime]:
    """Number, printed code, place in the status list and time of issue, the same at each try."""
    with unit_of_work():
        kept = db.session.get(PaperReservation, subject)
        if kept is None:
            kept = PaperReservation(
                subject=subject,
                number=number or next_number(register, now=now),
                print_code=print_code(),
                status_index=_free_index(),
                issued_at=now,
            )
            db.session.add(kept)
            db.session.flush()
        return kept.number, kept.print_code, kept.status_index, kept.issued_at


def facts_digest(facts: dict[str, Any]) -> bytes:
    return hashlib.sha256(
        json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).digest()


def seal_document(
    draw: Callable[[dict[str, Any]], bytes],
    *,
    register: str,
    kind: str,
    agency: str,
    subject: str,
    facts: dict[str, Any],
    valid_until: date | None,
    by: Actor,
    now: datetime,
    number: str | None = None,
) -> SealedDocument:
    """Draw, seal and register a paper; the same subject again answers the paper there is.

    Runs outside any transaction: drawing and sealing take long. ``draw`` receives number, print
    code and QR text and answers the PDF. If the process dies before the last line, the next call
    goes on with the same number.
    """
    existing = db.session.scalar(select(SealedDocument).where(SealedDocument.subject == subject))
    db.session.rollback()
    if existing is not None:
        return existing
    given, code, index, now = _reserve(subject, register, number, now)
    claims: dict[int, Any] = {
        qr.ISSUER: "KW",
        qr.ISSUED: int(now.timestamp()),
        qr.NUMBER: given,
        qr.SERVICE: kind,
        qr.STATUS_INDEX: index,
    }
    if valid_until is not None:
        claims[qr.EXPIRES] = int(
            datetime.combine(valid_until, time(23, 59, 59), KUWAIT).timestamp()
        )
    store = keys.store()
    text = qr.encode(claims, key_id=keys.qr_key_id(), sign=lambda digest: store.sign("qr", digest))
    drawn = draw(
        {
            "number": given,
            "print_code": code,
            "qr_text": text,
            "issued_at": now,
            "demo": keys.is_demo(),
        }
    )
    sealed = sealing.seal(drawn, store=store, authority=keys.timestamps(), now=now)
    with unit_of_work():
        document = SealedDocument(
            number=given,
            kind=kind,
            agency=agency,
            subject=subject,
            facts=facts,
            facts_sha256=facts_digest(facts),
            sha256=hashlib.sha256(sealed).digest(),
            print_code=code,
            qr_text=text,
            level="B-T",
            status_index=index,
            valid_until=valid_until,
            sealed_at=now,
            pdf=sealed,
        )
        db.session.add(document)
        db.session.flush()
        audit.record(
            "certification.document.sealed", on=f"certification.document:{document.id}", by=by,
            now=now, data={"number": given},
        )  # fmt: skip
        publish(DocumentSealed(document.id, subject, given))
        identity = document.id
    found = db.session.get(SealedDocument, identity)
    if found is None:
        raise RuntimeError("a sealed paper vanished")
    return found


class AlreadyWithdrawn(DomainError):
    """The paper has no effect any more."""


def withdraw_document(document: SealedDocument, *, reason: str, by: Actor, now: datetime) -> None:
    """Take a paper back; every verifier tells so from now on."""
    if document.state is not PaperState.VALID:
        raise AlreadyWithdrawn
    document.state = PaperState.WITHDRAWN
    document.state_reason = reason
    db.session.flush()
    audit.record(
        "certification.document.withdrawn", on=f"certification.document:{document.id}", by=by,
        now=now, reason=reason,
    )  # fmt: skip
    publish(DocumentWithdrawn(document.id, document.subject, document.number))


def supersede_document(
    old: SealedDocument, new: SealedDocument, *, by: Actor, now: datetime
) -> None:
    """A newer paper stands in the place of the old one."""
    if old.state is PaperState.VALID:
        old.state = PaperState.SUPERSEDED
        old.superseded_by = new.id
        db.session.flush()
        audit.record(
            "certification.document.superseded", on=f"certification.document:{old.id}", by=by,
            now=now, data={"by": new.number},
        )  # fmt: skip
