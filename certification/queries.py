"""Find papers and judge them against the register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from certification.models import PaperState, SealedDocument
from certification.operations import normal_code
from certification.rules import Verdict
from portal.db import db
from portal.i18n import kuwait_date


@dataclass(frozen=True)
class Judgement:
    """What the page says of a paper: the worst first; the paper itself when it is ours."""

    verdict: Verdict
    seal: Verdict | None
    state: Verdict | None
    document: SealedDocument | None
    sealed_at: datetime | None = None


def state_verdict(document: SealedDocument, now: datetime) -> Verdict | None:
    """Why a paper is not in force; None when it is."""
    if document.state is PaperState.WITHDRAWN:
        return Verdict.WITHDRAWN
    if document.state is PaperState.SUPERSEDED:
        return Verdict.SUPERSEDED
    if document.valid_until is not None and document.valid_until < kuwait_date(now):
        return Verdict.PERMIT_EXPIRED
    return None


def by_number_and_code(number: str, code: str, now: datetime) -> Judgement | None:
    """A paper by what is printed on it; None when either is wrong."""
    found = db.session.scalar(
        select(SealedDocument).where(SealedDocument.number == number.strip().upper())
    )
    if found is None or not compare_digest(found.print_code, normal_code(code)):
        return None
    state = state_verdict(found, now)
    return Judgement(state or Verdict.GENUINE_EXACT, None, state, found)


def document_for(subject: str) -> SealedDocument | None:
    return db.session.scalar(select(SealedDocument).where(SealedDocument.subject == subject))


def pdf_of(document_id: UUID) -> SealedDocument | None:
    """The paper with its file."""
    return db.session.scalar(
        select(SealedDocument)
        .options(undefer(SealedDocument.pdf))
        .where(SealedDocument.id == document_id)
    )
