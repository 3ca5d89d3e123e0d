"""The core: transactions, events, audit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from portal import Portal, audit, events
from portal.actor import Actor
from portal.db import db, is_postgres, keep_anyway, unit_of_work, utc_now
from portal.identity.models import Organisation

pytestmark = pytest.mark.usefixtures("compiled_catalogues")


@dataclass(frozen=True)
class LampMended(events.Event):
    lamp: UUID
    street: str


def test_event_reaches_its_handler_once(any_app: Portal) -> None:
    seen: list[UUID] = []

    def count_lamp(event: LampMended) -> None:
        seen.append(event.lamp)

    events.on(LampMended)(count_lamp)
    with any_app.app_context():
        lamp = uuid4()
        with unit_of_work():
            events.publish(LampMended(lamp, "x"))
        assert events.deliver_all() == 1
        assert events.deliver_all() == 0
    assert seen == [lamp]
    events._handlers.pop(LampMended.event_name())


def test_failing_handler_is_tried_again(app: Portal) -> None:
    tries: list[int] = []

    def stumble(_event: LampMended) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("first time")

    events.on(LampMended)(stumble)
    with app.app_context():
        with unit_of_work():
            events.publish(LampMended(uuid4(), "x"))
        assert events.deliver_due() == 0
        later = utc_now() + events.BACK_OFF[0]
        assert events.deliver_due(now=later) == 1
    events._handlers.pop(LampMended.event_name())
    assert len(tries) == 2


def test_audit_chain_finds_an_altered_row(any_app: Portal) -> None:
    with any_app.app_context():
        with unit_of_work():
            for number in range(5):
                audit.record("test.act", on=f"x:{number}", by=Actor.system("test"))
        assert audit.verify() == (5, None)
        change = "update audit_rows set act = 'other' where seq = 3"
        with pytest.raises(DatabaseError), unit_of_work():
            db.session.execute(text(change))
        with unit_of_work():  # whoever may drop triggers is found by the chain
            db.session.execute(
                text(
                    "alter table audit_rows disable trigger all"
                    if is_postgres()
                    else "drop trigger audit_never_changed"
                )
            )
            db.session.execute(text(change))
        assert audit.verify()[1] == 3


def test_unit_of_work_refuses_to_nest(app: Portal) -> None:
    with app.app_context(), unit_of_work():
        db.session.execute(text("select 1"))
        with pytest.raises(RuntimeError), unit_of_work():
            pass


def test_kept_write_survives_a_crash_of_the_request(app: Portal) -> None:
    def keep() -> None:
        db.session.add(Organisation(register_no="kept", name_ar="أ", name_en="a"))

    def view() -> str:
        db.session.add(Organisation(register_no="lost", name_ar="ب", name_en="b"))
        db.session.flush()
        keep_anyway(keep)
        flask_abort(409)

    from flask import abort as flask_abort

    from portal import access

    app.add_url_rule("/ar/crash", "crash", access.public(view), methods=["POST"])
    assert app.test_client().post("/ar/crash").status_code == 409
    with app.app_context():
        assert list(db.session.scalars(select(Organisation.register_no))) == ["kept"]
        assert db.session.scalar(select(func.count()).select_from(Organisation)) == 1
