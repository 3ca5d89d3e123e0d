"""Work that nobody waits for: events to deliver and jobs by the clock.

A job is one line of scheduling over an operation. It runs outside any transaction and opens its
own ``unit_of_work()`` blocks. One row a job remembers when it last began, so two workers do not
both run it.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import events
from portal.db import Model, UtcDateTime, db, unit_of_work, utc_now

log = logging.getLogger("diwan.jobs")


class JobRun(Model):
    """When a job last began, ended and failed."""

    __tablename__ = "job_runs"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[], Any]


registered: dict[str, Job] = {}


def job(*, every: timedelta) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Run the function about this often, in the worker."""

    def register(run: Callable[[], Any]) -> Callable[[], Any]:
        name = f"{run.__module__}.{run.__qualname__}"
        registered[name] = Job(name, every, run)
        return run

    return register


def _claim(job_: Job, now: datetime) -> bool:
    with unit_of_work() as session:
        row = session.scalar(select(JobRun).where(JobRun.name == job_.name).with_for_update())
        if row is None:
            session.add(JobRun(name=job_.name, began_at=now))
            return True
        if row.began_at + job_.every > now:
            return False
        row.began_at = now
        return True


def run_due(now: datetime | None = None) -> int:
    """Run each job whose time has come; a failing one is logged and tried at its next time."""
    moment = now or utc_now()
    began = 0
    for job_ in list(registered.values()):
        if not _claim(job_, moment):
            continue
        began += 1
        failed = False
        try:
            job_.run()
        except Exception:
            failed = True
            log.exception("portal.job.failed job=%s", job_.name)
            db.session.rollback()
        with unit_of_work() as session:
            row = session.get(JobRun, job_.name)
            if row is not None:
                row.ended_at = utc_now()
                row.failures = row.failures + 1 if failed else 0
    return began


def work(*, once: bool = False, pause: float = 0.5) -> None:
    """The worker's loop: deliver, run due jobs, rest; ends after the current round on SIGTERM."""
    stopping = False

    def stop(_signal: int, _frame: Any) -> None:
        nonlocal stopping
        stopping = True

    if not once:
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    while not stopping:
        done = events.deliver_due()
        done += run_due()
        db.session.remove()
        if once and not done:
            return
        if not done:
            time.sleep(pause)


@click.command("worker")
@click.option("--once", is_flag=True, help="Deliver what is due, then end.")
def worker_command(once: bool) -> None:
    """Deliver events and run jobs until stopped."""
    work(once=once)
