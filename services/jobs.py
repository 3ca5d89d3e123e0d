"""What happens by itself: timers that fire, leases that end, drafts that are forgotten."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from portal.actor import Actor
from portal.db import unit_of_work, utc_now
from portal.jobs import job
from services import queries, workflow
from services.models import Application, Draft, Timer

log = logging.getLogger("diwan.services")


@job(every=timedelta(minutes=1))
def fire_timers() -> None:
    """Each due timer in its own transaction: one failing case stops nobody."""
    now = utc_now()
    with unit_of_work() as session:
        due = list(
            session.scalars(
                select(Timer.id).where(Timer.fired_at.is_(None), Timer.fires_at <= now).limit(200)
            )
        )
    for timer_id in due:
        try:
            _fire(timer_id, now)
        except Exception:
            log.exception("services.timer.failed timer=%s", timer_id)


def _fire(timer_id: UUID, now: datetime) -> None:
    with unit_of_work() as session:
        timer = session.get_one(Timer, timer_id)
        if timer.fired_at is not None:
            return
        application = queries.application_or_404(timer.application_id, lock=True)
        if application.state == timer.state:
            workflow.perform(application, timer.action, by=Actor.system("timer"), now=now)
        timer.fired_at = now


@job(every=timedelta(minutes=5))
def end_leases() -> None:
    """A file nobody worked on for its lease goes back to the pool."""
    now = utc_now()
    with unit_of_work() as session:
        session.execute(
            update(Application)
            .where(Application.lease_until < now, Application.assignee_id.is_not(None))
            .values(assignee_id=None, lease_until=None)
        )


@job(every=timedelta(hours=12))
def forget_old_drafts() -> None:
    """A draft is kept 30 days after its last change."""
    with unit_of_work() as session:
        session.execute(delete(Draft).where(Draft.saved_at < utc_now() - timedelta(days=30)))
