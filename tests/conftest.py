"""Fixtures every test may use. Each test has a database file of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask.testing import FlaskClient

from config import Config
from portal import Portal, catalogues, create_app
from portal.db import db, unit_of_work, utc_now
from portal.operating import migrate
from tests.page_check import CheckingClient
from tests.postgres import Cluster

os.environ.setdefault("TZ", "UTC")
# CI repeats the same examples, so that its answer is the change's; developers draw new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


class TestConfig(Config):
    """The demo's settings, with nothing outside the test's own folder."""

    __test__ = False
    ENVIRONMENT = "test"
    SECRET_KEY = "a-secret-of-the-tests-only-0123456789"
    WTF_CSRF_ENABLED = False
    TESTING = True
    PROPAGATE_CRASHES = True
    ENGINE_OPTIONS: dict[str, Any] = {}


@pytest.fixture(scope="session", autouse=True)
def compiled_catalogues(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pages are tested with the catalogues as they stand now."""
    import fcntl

    lock = tmp_path_factory.getbasetemp().parent / "catalogues.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        catalogues.compile_all()


@pytest.fixture(scope="session")
def migrated_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(TestConfig, VAR_DIR=folder)
    with app.app_context():
        migrate()
        db.engine.dispose()
    return folder / "diwan.sqlite"


@pytest.fixture
def app(tmp_path: Path, migrated_template: Path) -> Iterator[Portal]:
    """A portal on a database of its own. No app context is open: use ``with app.app_context()``."""
    var = tmp_path / "var"
    var.mkdir()
    shutil.copy(migrated_template, var / "diwan.sqlite")
    portal = create_app(TestConfig, VAR_DIR=var)
    yield portal
    with portal.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A private PostgreSQL: unprivileged, loopback, a port of its own, ended by pid."""
    with Cluster(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_template(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = "diwan_template"
    cluster.create(name)
    app = create_app(
        TestConfig, VAR_DIR=tmp_path_factory.mktemp("pg-var"), DATABASE_URL=cluster.url(name)
    )
    with app.app_context():
        migrate()
        db.session.remove()
        db.engine.dispose()
    return name


@pytest.fixture
def postgres_app(cluster: Cluster, postgres_template: str, tmp_path: Path) -> Iterator[Portal]:
    """The same portal on PostgreSQL, in a database copied from the migrated one."""
    name = cluster.create_from(postgres_template)
    portal = create_app(TestConfig, VAR_DIR=tmp_path / "pgvar", DATABASE_URL=cluster.url(name))
    yield portal
    with portal.app_context():
        db.session.remove()
        db.engine.dispose()
    cluster.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_app(request: pytest.FixtureRequest) -> Portal:
    """The same test on both databases."""
    name = "app" if request.param == "sqlite" else "postgres_app"
    portal: Portal = request.getfixturevalue(name)
    return portal


@pytest.fixture
def client(app: Portal) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def browser(app: Portal) -> CheckingClient:
    """A test client that checks every HTML answer (see ``tests/page_check.py``)."""
    app.test_client_class = CheckingClient
    checking = app.test_client()
    assert isinstance(checking, CheckingClient)
    return checking


def sign_in(
    client: FlaskClient,
    person_id: Any,
    *,
    level: int = 2,
    factor: str = "test",
    acting_for: Any = None,
) -> None:
    """Give the client a session of this person at this level."""
    from portal.identity import sessions

    with client.application.app_context(), unit_of_work():
        token = sessions.begin(
            person_id, level=level, factor=factor, now=utc_now(), acting_for=acting_for
        )
    client.set_cookie(client.application.config["SESSION_COOKIE_NAME"], token)
