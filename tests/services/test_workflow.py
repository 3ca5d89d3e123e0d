"""One door for every step: who may, in which order, never twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal import Portal
from portal.actor import Actor
from portal.db import db, unit_of_work, utc_now
from portal.errors import DomainError, Forbidden
from portal.operating import load_demo
from services import queries, workflow
from services.models import PaymentOrder, Step
from services.versions import definition_of
from tests.factories import services as make

REFUSAL = {"reason_code": "", "law": "", "reason": "سبب"}


@pytest.fixture
def town(any_app: Portal) -> Iterator[Portal]:
    with any_app.test_request_context("/ar/"):
        load_demo()
        yield any_app
        db.session.remove()


def steps_of(application_id: UUID) -> list[Step]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Step).where(Step.application_id == application_id).order_by(Step.n)
        )
    )


def ground(application_id: UUID) -> dict[str, str]:
    reason = definition_of(make.stored(application_id).version_id).reasons[0].id
    return {"reason_code": reason, "law": reason}


def before_the_committee() -> UUID:
    file = make.submitted(make.ASSISTANCE, make.actor("noura"))
    make.step(file, "recommend", make.actor("huda"), opinion="تستحق الأسرة المساعدة")
    return file


def test_a_committee_is_not_passed_by_naming_its_action(town: Portal) -> None:
    file = before_the_committee()
    with pytest.raises(workflow.NotAllowed):
        make.step(file, "grant", make.actor("jasem"))
    assert make.stored(file).state == "committee"


def test_two_equal_votes_grant_and_order_the_money(town: Portal) -> None:
    file = before_the_committee()
    make.vote(file, "grant", make.actor("jasem"))
    assert make.stored(file).state == "committee"
    make.vote(file, "grant", make.actor("latifa"))
    assert make.stored(file).outcome == "granted"
    order = db.session.scalars(select(PaymentOrder)).one()
    assert order.amount_fils > 0
    assert order.iban.startswith("KW")


def test_different_votes_send_back_and_members_vote_anew(town: Portal) -> None:
    file = before_the_committee()
    make.vote(file, "grant", make.actor("jasem"))
    make.vote(file, "refuse", make.actor("latifa"), **ground(file))
    assert make.stored(file).state == "study"
    assert steps_of(file)[-1].by_system == "committee"
    make.step(file, "recommend", make.actor("huda"), opinion="أعيدت الدراسة")
    for member in ("jasem", "latifa"):
        make.vote(file, "refuse", make.actor(member), **ground(file))
    assert make.stored(file).outcome == "refused"


def test_nobody_votes_twice_nor_on_what_he_recommended(town: Portal) -> None:
    file = before_the_committee()
    make.vote(file, "grant", make.actor("jasem"))
    with pytest.raises(workflow.NotAllowed):
        make.vote(file, "grant", make.actor("jasem"))
    with pytest.raises(workflow.SamePerson):
        make.vote(file, "grant", make.actor("huda"))
    with pytest.raises(workflow.Incomplete):
        make.vote(file, "refuse", make.actor("latifa"))


def test_the_applicant_is_never_the_officer(town: Portal) -> None:
    file = make.submitted(make.ASSISTANCE, make.actor("huda"))
    with pytest.raises(workflow.OwnCase):
        make.step(file, "recommend", make.actor("huda"), opinion="x")
    with pytest.raises(Forbidden):
        make.step(file, "recommend", make.actor("yousef"), opinion="another agency")
    with pytest.raises(Forbidden):
        make.step(file, "withdraw", make.actor("noura"))


def test_whoever_comes_second_is_told(town: Portal) -> None:
    file = make.submitted(make.ASSISTANCE, make.actor("noura"))
    seen = make.stored(file).row_version
    make.step(file, "order_visit", make.actor("huda"), note="زيارة")
    with pytest.raises(workflow.Stale), unit_of_work():
        workflow.perform(
            queries.application_or_404(file, lock=True), "visit_report", by=make.actor("jasem"),
            now=utc_now(), data={"report": "x"}, expected_version=seen,
        )  # fmt: skip


PEOPLE = ("noura", "huda", "jasem", "latifa", "yousef", "salem")
ACTIONS = (
    "submit", "order_visit", "visit_report", "ask_correction", "resubmit", "recommend", "grant",
    "refuse", "votes_differ", "withdraw", "lapse", "vote:grant", "vote:refuse", "timer:lapse",
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(PEOPLE)), min_size=3, max_size=25)
)
def test_no_sequence_of_steps_leaves_the_definition(
    app: Portal, acts: list[tuple[str, str]]
) -> None:
    with app.test_request_context("/ar/"):
        load_demo()
        file = make.submitted(make.ASSISTANCE, make.actor("noura"))
        given_data = {
            **ground(file), "reason": "x", "note": "x", "report": "x", "opinion": "x",
            "fields": ["governorate"],
        }  # fmt: skip
        for action, person in acts:
            was = make.stored(file)
            closed, state = was.closed_at, was.state
            try:
                if action.startswith("vote:"):
                    make.vote(file, action[5:], make.actor(person), **given_data)
                elif action.startswith("timer:"):
                    make.step(file, action[6:], Actor.system("timer"))
                else:
                    make.step(file, action, make.actor(person), **given_data)
            except DomainError:
                assert make.stored(file).state == state
            else:
                assert closed is None, "a closed application moved"
        definition = definition_of(make.stored(file).version_id)
        taken = steps_of(file)
        assert [s.n for s in taken] == list(range(1, len(taken) + 1))
        for before, after in itertools.pairwise(taken):
            assert before.to_state == after.from_state
        for taken_step in taken:
            declared = definition.action(taken_step.action)
            assert declared is not None
            assert taken_step.from_state in declared.from_
            assert taken_step.to_state == declared.to
        finals = [s for s in taken if definition.workflow.states[s.to_state].final]
        assert len(finals) <= 1
        for decision in (s for s in taken if s.action in {"grant", "refuse"}):
            recommended = [s.by_id for s in taken if s.action == "recommend"]
            assert decision.by_id not in recommended
        db.session.remove()
