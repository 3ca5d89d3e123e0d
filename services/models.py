"""Applications from first draft to decision, and every step between."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from portal.db import Json, Model, UtcDateTime, enum_column
from portal.identity import Person


class ServiceVersion(Model):
    """A published definition, whole and never changed: an application stays on its version."""

    __tablename__ = "service_versions"
    __table_args__ = (UniqueConstraint("service", "sha256"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service: Mapped[str] = mapped_column(String(80), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Draft(Model):
    """Answers on their way. Officers never see drafts. ``principal``: person or organisation."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("service", "person_id", "organisation_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service: Mapped[str] = mapped_column(String(80))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("service_versions.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    documents: Mapped[dict[str, Any]] = mapped_column(Json)
    sections_done: Mapped[list[str]] = mapped_column(Json)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Outcome(enum.StrEnum):
    """How an application ended."""

    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class Application(Model):
    """One person's request for one service, from submission to decision.

    ``queue`` is null unless officers have work to do; ``due_at`` is the promise in working time.
    """

    __tablename__ = "applications"
    __table_args__ = (
        CheckConstraint("fee_fils >= 0", name="fee_not_negative"),
        Index(
            "q_open", "unit_id", "due_at", "id",
            sqlite_where=text("queue IS NOT NULL"), postgresql_where=text("queue IS NOT NULL"),
        ),
        Index(
            "q_mine", "assignee_id", "due_at", "id",
            sqlite_where=text("queue IS NOT NULL"), postgresql_where=text("queue IS NOT NULL"),
        ),
        Index("q_applicant", "applicant_id", "submitted_at", "id"),
        Index("q_history", "unit_id", "submitted_at", "id"),
        Index("q_outcomes", "closed_at"),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    service: Mapped[str] = mapped_column(String(80))
    agency: Mapped[str] = mapped_column(String(12))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("service_versions.id"))
    draft_id: Mapped[UUID] = mapped_column(unique=True)
    applicant_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    applicant_name_ar: Mapped[str] = mapped_column(String(200))
    applicant_name_en: Mapped[str] = mapped_column(String(200))
    title_ar: Mapped[str] = mapped_column(String(300))
    title_en: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[Outcome | None] = mapped_column(enum_column(Outcome))
    fee_fils: Mapped[int]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    queue: Mapped[str | None] = mapped_column(String(60))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sla: Mapped[str | None] = mapped_column(String(20))
    clock_used_minutes: Mapped[int] = mapped_column(default=0)
    clock_running_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    open_fields: Mapped[list[str]] = mapped_column(Json)
    decision: Mapped[dict[str, Any]] = mapped_column(Json)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    appeal_of: Mapped[UUID | None] = mapped_column(ForeignKey("applications.id"))
    row_version: Mapped[int] = mapped_column(default=1)
    applicant: Mapped[Person] = relationship(lazy="raise", foreign_keys=[applicant_id])
    __mapper_args__ = {"version_id_col": row_version}

    @property
    def title(self) -> dict[str, str]:
        return {"ar": self.title_ar, "en": self.title_en}

    @property
    def applicant_name(self) -> dict[str, str]:
        return {"ar": self.applicant_name_ar, "en": self.applicant_name_en}


class Submission(Model):
    """The answers as handed in, with the words declared. A correction adds the next one."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("application_id", "n"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    n: Mapped[int]
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    documents: Mapped[dict[str, Any]] = mapped_column(Json)
    source: Mapped[dict[str, Any]] = mapped_column(Json)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    declaration: Mapped[dict[str, Any]] = mapped_column(Json)
    eligibility: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))


class Step(Model):
    """One step of the workflow, for ever. ``data``: reason codes, fields, opinions."""

    __tablename__ = "steps"
    __table_args__ = (UniqueConstraint("application_id", "n"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    n: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    action: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    by_system: Mapped[str | None] = mapped_column(String(60))
    on_behalf_of: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(Json)


class Timer(Model):
    """What happens by itself when nobody acts."""

    __tablename__ = "timers"
    __table_args__ = (
        Index(
            "ix_timers_due", "fires_at",
            sqlite_where=text("fired_at IS NULL"), postgresql_where=text("fired_at IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"), index=True)
    state: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    fires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Opinion(Model):
    """What another agency was asked, and its answer."""

    __tablename__ = "opinions"
    __table_args__ = (UniqueConstraint("application_id", "key", "round"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    key: Mapped[str] = mapped_column(String(40))
    round: Mapped[int] = mapped_column(default=1)
    agency: Mapped[str] = mapped_column(String(12))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    verdict: Mapped[str | None] = mapped_column(String(20))
    words: Mapped[str | None] = mapped_column(String(2000))


class Vote(Model):
    """One member's vote, seen by nobody before the last one is cast."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("application_id", "round", "member_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    round: Mapped[int]
    member_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    choice: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaymentOrder(Model):
    """Money granted, for the treasury to pay."""

    __tablename__ = "payment_orders"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"), unique=True)
    iban: Mapped[str] = deferred(mapped_column(String(34)))
    amount_fils: Mapped[int]
    months: Mapped[int]
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
