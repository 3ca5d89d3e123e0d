"""The places left in an employer's approved need: each permit granted here takes one."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from portal.db import db
from portal.registers import Registers
from services.models import Application, Outcome

NEED = "labour.need"
#: The service whose grants take a place.
PERMIT = "pam.work_permit.issue"


def granted(organisation_id: UUID) -> int:
    """Permits for new workers granted to the employer on this portal."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Application)
            .where(
                Application.organisation_id == organisation_id,
                Application.service == PERMIT,
                Application.outcome == Outcome.GRANTED,
            )
        )
        or 0
    )


class NeedAfterPermits:
    """The registers behind it, with the places taken since left out."""

    def __init__(self, registers: Registers) -> None:
        self.registers = registers
        self.is_demo = registers.is_demo

    def look_up(
        self, register: str, *, person_id: UUID, organisation_id: UUID | None, today: date
    ) -> Any:
        found = self.registers.look_up(
            register, person_id=person_id, organisation_id=organisation_id, today=today
        )
        if register != NEED or organisation_id is None or not isinstance(found, dict):
            return found
        return {**found, "remaining": max(0, found["remaining"] - granted(organisation_id))}
