"""Files people hand in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.db import Model, UtcDateTime


class StoredFile(Model):
    """One paper, whole and never changed; ``kind`` is its type in the list of papers."""

    __tablename__ = "stored_files"
    __table_args__ = (
        CheckConstraint("size > 0", name="not_empty"),
        Index("ix_stored_files_owner", "owner_id", "kind", "stored_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False), raiseload=True)
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)
