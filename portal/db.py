"""The database: one session, one place where transactions begin and end.

A request that changes something runs in one transaction, committed by
``portal.Portal.dispatch_request`` when its answer is good. Everything else that writes says so
with ``unit_of_work()``. SQLite writers begin with ``BEGIN IMMEDIATE``, so that two writers queue
instead of failing half-way.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

import flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Enum, LargeBinary, MetaData, Uuid, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware UTC in Python, ``timestamptz`` or UTC text in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone was given to the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: A document inside a row; JSONB on PostgreSQL.
Json = JSON().with_variant(JSONB(), "postgresql")


def enum_column(kind: type[enum.StrEnum]) -> Enum:
    """A state stored as its value, with a CHECK that admits no other."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
        name=kind.__name__.lower(),
    )


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


Base.registry.update_type_annotation_map(
    {datetime: UtcDateTime, dict[str, Any]: Json, UUID: Uuid(), bytes: LargeBinary}
)

db = SQLAlchemy(model_class=Base, disable_autonaming=True)

if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True
else:
    Model = db.Model

_writing: ContextVar[bool] = ContextVar("writing", default=False)


def utc_now() -> datetime:
    return datetime.now(UTC)


def is_postgres() -> bool:
    return db.engine.dialect.name == "postgresql"


def _is_writing() -> bool:
    if _writing.get():
        return True
    return flask.has_request_context() and flask.request.method not in SAFE_METHODS


def session_in_transaction() -> bool:
    return db.session.registry.has() and db.session().in_transaction()


@contextlib.contextmanager
def unit_of_work() -> Iterator[Session]:
    """Run the block in a transaction of its own; commit at its end, roll back if it raises.

    Errors: RuntimeError when the current session is already inside a transaction that writes.
    """
    if session_in_transaction():
        if _is_writing() or db.session.new or db.session.dirty:
            raise RuntimeError("unit_of_work() inside a running transaction")
        db.session.rollback()  # a reading transaction loses nothing
    token = _writing.set(True)
    try:
        yield db.session()
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.remove()
        _writing.reset(token)


def keep_anyway(write: Callable[[], object]) -> None:
    """Have ``write()`` run in its own transaction after this request's has ended, either way.

    For what must survive a refusal or a GET: attempt counters, audit of looks at personal data.
    Outside a request it runs at once.
    """
    if flask.has_request_context():
        flask.g.setdefault("kept_writes", []).append(write)
    else:
        with unit_of_work():
            write()


def run_kept_writes() -> None:
    for write in flask.g.pop("kept_writes", []):
        with unit_of_work():
            write()


def lock(name: str) -> None:
    """Hold the named lock to the end of this transaction (SQLite's writers are serial anyway)."""
    if is_postgres():
        db.session.execute(
            text("select pg_advisory_xact_lock(:key)"), {"key": crc32(name.encode())}
        )


def _connect_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=15000",
        "recursive_triggers=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_writing() else "BEGIN")


def prepare_engine(engine: Engine) -> None:
    """Teach an engine our rules; called once for each engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def end_request_transaction() -> None:
    """Leave the request's transaction unused, so that this view may run units of work of its own.

    For views that talk to a bank between two transactions.
    """
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("the request's transaction holds changes")
    db.session.rollback()
    db.session.remove()
