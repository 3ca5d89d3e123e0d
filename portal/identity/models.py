"""People, the employers they act for, their sessions and their roles."""

from __future__ import annotations

import enum
from datetime import date, datetime
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
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import vault
from portal.db import Json, Model, UtcDateTime, enum_column


class Digits(enum.StrEnum):
    """How numbers are shown to this person."""

    WESTERN = "western"
    ARABIC = "arabic"


class Person(Model):
    """One human being, known by Civil ID.

    ``civil_id_sealed`` is encrypted and bound to its row; ``civil_id_index`` is a keyed hash for
    finding the row again.
    """

    __tablename__ = "people"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    civil_id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    civil_id_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    name_ar: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    nationality: Mapped[str] = mapped_column(String(2), default="KW")
    born_on: Mapped[date | None]
    email: Mapped[str | None] = mapped_column(String(254))
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mobile: Mapped[str | None] = mapped_column(String(20))
    mobile_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    proven_level: Mapped[int] = mapped_column(default=1)
    proof_held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    language: Mapped[str] = mapped_column(String(2), default="ar")
    digits: Mapped[Digits] = mapped_column(enum_column(Digits), default=Digits.WESTERN)
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}

    @property
    def civil_id(self) -> str | None:
        """The twelve digits, decrypted."""
        if self.civil_id_sealed is None:
            return None
        return vault.unseal(self.civil_id_sealed, f"people.civil_id:{self.id}")

    @civil_id.setter
    def civil_id(self, number: str) -> None:
        if self.id is None:
            self.id = uuid4()
        self.civil_id_sealed = vault.seal(number, f"people.civil_id:{self.id}")
        self.civil_id_index = vault.index(number)


class Organisation(Model):
    """An employer or society that people act for by mandate."""

    __tablename__ = "organisations"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    register_no: Mapped[str] = mapped_column(String(40), unique=True)
    name_ar: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40), default="employer")

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}


class Unit(Model):
    """A unit of an agency: where a queue lives and officers belong."""

    __tablename__ = "units"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    agency: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name_ar: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    governorate: Mapped[str | None] = mapped_column(String(40))
    superior_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}


class Mandate(Model):
    """Leave given to a person to act for an organisation (or for another person)."""

    __tablename__ = "mandates"
    __table_args__ = (
        CheckConstraint(
            "(organisation_id IS NULL) <> (for_person_id IS NULL)", name="one_principal"
        ),
        Index("ix_mandates_person", "person_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    for_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    scope: Mapped[str] = mapped_column(String(80), default="*")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    given_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    organisation: Mapped[Organisation | None] = relationship(lazy="joined")


class RoleGrant(Model):
    """A role in an agency (and unit), given by an administrator with a reason and an end."""

    __tablename__ = "role_grants"
    __table_args__ = (Index("ix_role_grants_person", "person_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(40))
    agency: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    reason: Mapped[str] = mapped_column(String(300))
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_on: Mapped[date]
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Model):
    """One signed-in browser. Only the hash of its token is kept."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_sessions_person", "person_id", sqlite_where=text("revoked_at IS NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    level: Mapped[int]
    factor: Mapped[str] = mapped_column(String(40))
    acting_for: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    agent: Mapped[str] = mapped_column(String(200), default="")
    network: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
