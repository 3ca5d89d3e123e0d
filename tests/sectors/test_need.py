"""A permit granted takes a place of the employer's approved need; the last one closes the door."""

from __future__ import annotations

import pytest
from flask import current_app

from portal import Portal
from portal.db import db, unit_of_work, utc_now
from portal.identity import demo
from portal.operating import load_demo
from services import applying
from services.models import Application, Outcome
from tests.factories import services as make


def remaining() -> int:
    found = current_app.extensions["registers"].look_up(
        "labour.need", person_id=demo.person_id("mona"), organisation_id=demo.ORGANISATION,
        today=utc_now().date(),
    )  # fmt: skip
    return int(found["remaining"])


def test_each_permit_takes_a_place_until_none_is_left(any_app: Portal) -> None:
    with any_app.test_request_context("/ar/"):
        load_demo()
        by = make.actor("mona", acting=True)
        places = remaining()
        assert places > 0
        for taken in range(1, places + 1):
            file = make.submitted(make.PERMIT, by)
            with unit_of_work():
                db.session.get_one(Application, file).outcome = Outcome.GRANTED
            assert remaining() == places - taken
        with pytest.raises(applying.NotEntitled):
            make.submitted(make.PERMIT, by)
        db.session.remove()
