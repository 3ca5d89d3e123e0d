"""Messages on their way out."""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal import vault
from portal.db import Model, UtcDateTime, enum_column


class Channel(enum.StrEnum):
    """How a message goes out."""

    MAIL = "mail"
    SMS = "sms"


class MessageState(enum.StrEnum):
    """Where a message stands; ``failed``: given up after the last try."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Message(Model):
    """One mail or SMS, encrypted; ``message_id`` stays the same on each try."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_due", "state", "next_try_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel))
    language: Mapped[str] = mapped_column(String(2))
    sealed_to: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_body: Mapped[bytes] = mapped_column(LargeBinary)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[MessageState] = mapped_column(
        enum_column(MessageState), default=MessageState.QUEUED
    )
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def _open(self, part: str) -> str:
        return vault.unseal(getattr(self, f"sealed_{part}"), f"messages.{part}:{self.id}")

    @property
    def to(self) -> str:
        return self._open("to")

    @property
    def subject(self) -> str:
        return self._open("subject")

    @property
    def body(self) -> str:
        return self._open("body")
