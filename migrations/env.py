"""Alembic's door: runs on the portal's own engine, in one transaction a migration."""

from typing import Any, Literal

from alembic import context

from portal.db import Json, UtcDateTime, db


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name plain database types, never ours."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is Json:
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit("use: flask database migrate")
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=False,
        transaction_per_migration=True,
        compare_type=True,
        render_item=render,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


run()
