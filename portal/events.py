"""Facts that must not be lost: written with the change itself, delivered afterwards.

``publish()`` adds a row to ``events`` in the current transaction. ``deliver_due()`` hands each
event to each of its handlers exactly once: the handler's work and its row in
``event_deliveries`` are committed together. A handler marked ``outside=True`` talks to the
world (a bank, a seal, a mail server); it runs outside any transaction, must be safe to repeat,
and its delivery is recorded after it returned.
"""

from __future__ import annotations

import dataclasses
import logging
import typing
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Json, Model, UtcDateTime, db, lock, unit_of_work, utc_now

log = logging.getLogger("diwan.events")

#: Waits between tries of a failing handler; the last one repeats.
BACK_OFF = [timedelta(seconds=s) for s in (2, 10, 60, 300, 1800, 3600)]


@dataclasses.dataclass(frozen=True)
class Event:
    """A fact in the past tense. Fields are ids, amounts, codes and times: no personal data."""

    @classmethod
    def event_name(cls) -> str:
        return f"{cls.__module__.split('.')[0]}.{cls.__name__}"


class EventRow(Model):
    """One published fact."""

    __tablename__ = "events"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    seq: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class EventDelivery(Model):
    """What one handler still owes, or did, for one event."""

    __tablename__ = "event_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "handler"),
        Index(
            "ix_event_deliveries_due",
            "next_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id"))
    handler: Mapped[str] = mapped_column(String(200))
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(200))


@dataclasses.dataclass(frozen=True)
class _Handler:
    name: str
    call: Callable[[Any], None]
    outside: bool


_kinds: dict[str, type[Event]] = {}
_handlers: dict[str, list[_Handler]] = {}
E_ = TypeVar("E_", bound=Event)


def on(
    kind: type[E_], *, outside: bool = False
) -> Callable[[Callable[[E_], None]], Callable[[E_], None]]:
    """Subscribe a function to a kind of fact; registering the same function again is harmless."""

    def register(handler: Callable[[E_], None]) -> Callable[[E_], None]:
        name = f"{handler.__module__}.{handler.__qualname__}"
        listeners = _handlers.setdefault(kind.event_name(), [])
        _kinds[kind.event_name()] = kind
        listeners[:] = [known for known in listeners if known.name != name]
        listeners.append(_Handler(name, handler, outside))
        return handler

    return register


def _pack(value: Any) -> Any:
    return (
        str(value)
        if isinstance(value, UUID)
        else value.isoformat()
        if isinstance(value, date)
        else value
    )


def _unpack(kind: type[Event], payload: dict[str, Any]) -> Event:
    hints = typing.get_type_hints(kind)
    readers: dict[Any, Callable[[str], Any]] = {
        UUID: UUID,
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
    }
    values = {}
    for field in dataclasses.fields(kind):
        value = payload.get(field.name)
        hint = hints[field.name]
        options = typing.get_args(hint) or (hint,)
        reader = next((readers[o] for o in options if o in readers), None)
        values[field.name] = reader(value) if reader and value is not None else value
    return kind(**values)


def publish(event: Event) -> None:
    """Record the fact, with one owed delivery for each handler, in the current transaction."""
    lock("events")
    name = event.event_name()
    now = utc_now()
    last = db.session.scalar(select(EventRow.seq).order_by(EventRow.seq.desc()).limit(1)) or 0
    payload = {f.name: _pack(getattr(event, f.name)) for f in dataclasses.fields(event)}
    row = EventRow(id=uuid4(), seq=last + 1, name=name, payload=payload, at=now)
    db.session.add(row)
    db.session.flush()
    for handler in _handlers.get(name, []):
        db.session.add(EventDelivery(event_id=row.id, handler=handler.name, next_at=now))
    db.session.flush()


def _find(name: str, handler: str) -> _Handler | None:
    return next((known for known in _handlers.get(name, []) if known.name == handler), None)


def _claim(delivery_id: UUID, now: datetime) -> tuple[EventRow, EventDelivery] | None:
    query = (
        select(EventRow, EventDelivery)
        .join(EventRow, EventRow.id == EventDelivery.event_id)
        .where(EventDelivery.id == delivery_id, EventDelivery.done_at.is_(None))
        .with_for_update(of=EventDelivery, skip_locked=True)
    )
    row = db.session.execute(query).first()
    if row is None or row[1].next_at > now:
        return None
    return row[0], row[1]


def _run(delivery_id: UUID, now: datetime) -> bool:
    with unit_of_work():
        found = _claim(delivery_id, now)
        if found is None:
            return False
        row, delivery = found
        handler = _find(row.name, delivery.handler)
        if handler is None:  # a handler that no longer exists owes nothing
            delivery.done_at = now
            return False
        event = _unpack(_kinds[row.name], row.payload)
        if not handler.outside:
            handler.call(event)
            delivery.done_at = utc_now()
            delivery.tries += 1
            return True
        # Another worker must not start the same effect while we are at it.
        delivery.next_at = now + timedelta(seconds=120)
    handler.call(event)
    with unit_of_work():
        again = db.session.get(EventDelivery, delivery_id)
        if again is not None:
            again.done_at = utc_now()
            again.tries += 1
    return True


def _failed(delivery_id: UUID, error: Exception) -> None:
    with unit_of_work():
        delivery = db.session.get(EventDelivery, delivery_id)
        if delivery is None or delivery.done_at is not None:
            return
        wait = BACK_OFF[min(delivery.tries, len(BACK_OFF) - 1)]
        delivery.tries += 1
        delivery.next_at = utc_now() + wait
        delivery.error = type(error).__name__


def deliver_due(limit: int = 100, now: datetime | None = None) -> int:
    """Hand out what is due, oldest first; answers how many handlers did their work."""
    moment = now or utc_now()
    db.session.rollback()
    due = list(
        db.session.scalars(
            select(EventDelivery.id)
            .join(EventRow, EventRow.id == EventDelivery.event_id)
            .where(EventDelivery.done_at.is_(None), EventDelivery.next_at <= moment)
            .order_by(EventRow.seq, EventDelivery.handler)
            .limit(limit)
        )
    )
    db.session.rollback()
    done = 0
    for delivery_id in due:
        try:
            done += _run(delivery_id, moment)
        except Exception as error:
            log.exception("portal.event.handler_failed delivery=%s", delivery_id)
            _failed(delivery_id, error)
    return done


def deliver_all(rounds: int = 20) -> int:
    """Deliver until nothing is due: facts that follow from facts included."""
    total = 0
    for _ in range(rounds):
        done = deliver_due()
        total += done
        if not done:
            break
    return total


def stuck(tries: int = 3) -> list[tuple[EventRow, EventDelivery]]:
    """Deliveries that failed several times, for the administrator's page."""
    rows = db.session.execute(
        select(EventRow, EventDelivery)
        .join(EventRow, EventRow.id == EventDelivery.event_id)
        .where(EventDelivery.done_at.is_(None), EventDelivery.tries >= tries)
        .order_by(EventRow.seq)
        .limit(200)
    )
    return [(row[0], row[1]) for row in rows]
