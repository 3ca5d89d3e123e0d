"""What operators ask: is it alive, is it ready, how much does it do; and the commands they run."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

import click
import flask
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.cli import AppGroup
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sqlalchemy import func, select, text

from portal import access
from portal.db import db, unit_of_work, utc_now
from portal.events import EventDelivery

if TYPE_CHECKING:
    from portal import Portal

operating = flask.Blueprint("operating", __name__)
registry = CollectorRegistry()
requests_total = Counter(
    "diwan_requests_total",
    "Answers by endpoint and status.",
    ["endpoint", "status"],
    registry=registry,
)
undelivered = Gauge("diwan_events_undelivered", "Event deliveries still owed.", registry=registry)


def alembic_config(app: Portal) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(app.root_dir / "migrations"))
    return config


def migrate(revision: str = "head") -> None:
    """Bring the database to a revision (up)."""
    with db.engine.connect() as connection:
        config = alembic_config(flask.current_app._get_current_object())  # type: ignore[attr-defined]
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def schema_is_current() -> bool:
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
    head = ScriptDirectory.from_config(alembic_config(app)).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


@operating.get("/healthz")
@access.public
def show_health() -> str:
    """The process answers."""
    return "ok\n"


@operating.get("/readyz")
@access.public
def show_readiness() -> tuple[str, int]:
    """Database reachable and migrated."""
    try:
        db.session.execute(text("select 1"))
        if not schema_is_current():
            return "database is not migrated\n", 503
    except Exception as error:  # the answer is the point here
        return f"database does not answer: {type(error).__name__}\n", 503
    return "ready\n", 200


@operating.get("/metrics")
@access.public
def show_metrics() -> flask.Response:
    """Counters for Prometheus; names of endpoints and numbers only."""
    undelivered.set(
        db.session.scalar(
            select(func.count()).select_from(EventDelivery).where(EventDelivery.done_at.is_(None))
        )
        or 0
    )
    return flask.Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _count(response: flask.Response) -> flask.Response:
    requests_total.labels(flask.request.endpoint or "none", str(response.status_code)).inc()
    return response


database_cli = AppGroup("database", help="The shape of the database.")


@database_cli.command("migrate")
def migrate_command() -> None:
    """Bring the database to the newest shape."""
    migrate()
    click.echo("database: newest shape")


@database_cli.command("revise")
@click.argument("revision")
@click.option("--message", required=True)
def revise_command(revision: str, message: str) -> None:
    """Write a migration for what the models have beyond the database (for developers)."""
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
    with db.engine.connect() as connection:
        config = alembic_config(app)
        config.set_main_option("file_template", "%%(rev)s")
        config.attributes["connection"] = connection
        command.revision(config, message=message, rev_id=revision, autogenerate=True)


demo_cli = AppGroup("demo", help="Invented people and cases, never in production.")


@demo_cli.command("load")
def load_demo_command() -> None:
    """Load the demo of each sub-portal; safe to repeat."""
    load_demo()


def load_demo() -> None:
    app = flask.current_app
    if app.config["ENVIRONMENT"] == "production":
        raise click.ClickException("the demo is not loaded in production")
    now = utc_now()
    for name in app.config["SUBPORTALS"]:
        if importlib.util.find_spec(f"{name}.demo") is None:
            continue
        with unit_of_work():
            importlib.import_module(f"{name}.demo").load(now)


def init_app(app: Portal) -> None:
    app.register_blueprint(operating)
    app.after_request(_count)
    app.cli.add_command(database_cli)
    app.cli.add_command(demo_cli)
