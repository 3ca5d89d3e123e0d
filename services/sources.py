"""What the registers tell of an applicant, read again at submission; each look-up is logged."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal import registers
from portal.actor import Actor
from services.definition import Definition


def read(definition: Definition, actor: Actor, *, today: date) -> dict[str, Any]:
    """``{source name: facts}`` for the declared sources that go by the subject."""
    found: dict[str, Any] = {}
    if actor.person_id is None:
        return found
    for name, source in definition.prefill.items():
        answer = registers.look_up(
            source.register_name,
            person_id=actor.person_id,
            organisation_id=actor.on_behalf_of,
            today=today,
            reason=definition.title.ar,
            by=actor,
        )
        if answer is not None:
            found[name] = answer
    return found
