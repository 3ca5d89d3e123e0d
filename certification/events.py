"""What certification tells the rest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.events import Event


@dataclass(frozen=True)
class DocumentSealed(Event):
    """A paper was issued; its subject names what it belongs to."""

    document_id: UUID
    subject: str
    number: str


@dataclass(frozen=True)
class DocumentWithdrawn(Event):
    """A paper lost its effect."""

    document_id: UUID
    subject: str
    number: str
