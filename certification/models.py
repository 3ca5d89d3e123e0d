"""The register of sealed papers, beside the cryptography: it can vouch for a paper by itself."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.db import Json, Model, UtcDateTime, enum_column


class PaperState(enum.StrEnum):
    """Whether a paper is in force."""

    VALID = "valid"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class SealedDocument(Model):
    """One paper as issued: its facts, the digest of its file, its printed code."""

    __tablename__ = "sealed_documents"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(80))
    agency: Mapped[str] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(120), unique=True)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    facts_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    print_code: Mapped[str] = mapped_column(String(24))
    qr_text: Mapped[str] = mapped_column(String(2000))
    level: Mapped[str] = mapped_column(String(8))
    status_index: Mapped[int] = mapped_column(unique=True)
    state: Mapped[PaperState] = mapped_column(enum_column(PaperState), default=PaperState.VALID)
    state_reason: Mapped[str | None] = mapped_column(String(500))
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_documents.id"))
    valid_until: Mapped[date | None]
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    pdf: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class PaperReservation(Model):
    """The number, code and place a paper will have, kept before it is drawn.

    A process that dies while sealing finds them again: numbers keep no gap.
    """

    __tablename__ = "paper_reservations"
    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    print_code: Mapped[str] = mapped_column(String(24))
    status_index: Mapped[int] = mapped_column(unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
