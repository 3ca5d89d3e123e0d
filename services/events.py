"""What services tells the rest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.events import Event


@dataclass(frozen=True)
class ApplicationMoved(Event):
    """An application went from one state to another."""

    application_id: UUID
    action: str
    state: str


@dataclass(frozen=True)
class PaperDue(Event):
    """A decision calls for a sealed paper."""

    application_id: UUID
