"""Registers of the State: persons, households, establishments, need, permits.

One door: every look-up names its reason and is written down, so that its subject can read who
looked. The demo registers are labelled; a real one is another class with the same verb.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import flask

from portal import audit
from portal.actor import Actor
from portal.db import keep_anyway

if TYPE_CHECKING:
    from portal import Portal


class Registers(Protocol):
    """What a register answers: facts by name, a list of records, or None when not known."""

    is_demo: bool

    def look_up(
        self, register: str, *, person_id: UUID, organisation_id: UUID | None, today: date
    ) -> Any:
        """Errors: whatever the register's line breaks with; the caller treats it as not known."""


def look_up(
    register: str,
    *,
    person_id: UUID,
    organisation_id: UUID | None,
    today: date,
    reason: str,
    by: Actor,
) -> Any:
    """What the register says of the person or the establishment; the look is written down."""
    registers: Registers = flask.current_app.extensions["registers"]
    found = registers.look_up(
        register, person_id=person_id, organisation_id=organisation_id, today=today
    )

    def write() -> None:
        audit.record(
            "portal.register.looked_up", on=f"portal.register:{register}", by=by,
            about=person_id, reason=reason,
        )  # fmt: skip

    keep_anyway(write)
    return found


def init_app(app: Portal) -> None:
    from portal.registers.demo_registers import DemoRegisters

    app.extensions.setdefault("registers", DemoRegisters())
