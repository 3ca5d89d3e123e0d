"""A private PostgreSQL cluster for the tests, started and ended by them."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psycopg


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if not found:
        raise RuntimeError("PostgreSQL is missing: install the Debian package postgresql")
    return found[0].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """``with Cluster(folder) as cluster``: runs as an unprivileged user on a loopback port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._serial = itertools.count(1)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def _user(self) -> str | None:
        """Root may not run the server: the package's own user does."""
        return "postgres" if os.geteuid() == 0 else None

    def __enter__(self) -> Cluster:
        import tempfile

        user = self._user()
        self.data = Path(tempfile.mkdtemp(prefix="diwan-pg-"))  # short: socket paths are limited
        if user:
            account = pwd.getpwnam(user)
            os.chown(self.data, account.pw_uid, account.pw_gid)
        binaries = _binaries()
        subprocess.run(
            [
                binaries / "initdb",
                "-D",
                self.data / "data",
                "-U",
                "diwan",
                "-A",
                "trust",
                "--locale=C.UTF-8",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            user=user,
            check=True,
            capture_output=True,
            cwd=self.data,
        )
        self._process = subprocess.Popen(
            [
                binaries / "postgres",
                "-D",
                self.data / "data",
                "-p",
                str(self.port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-k",
                str(self.data),
                "-c",
                "fsync=off",
                "-c",
                "max_connections=60",
                "-c",
                "shared_buffers=64MB",
            ],
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.data,
        )
        for _ in range(200):
            try:
                psycopg.connect(self._dsn("postgres"), connect_timeout=1).close()
                return self
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        self.stop()
        raise RuntimeError("the private PostgreSQL did not start")

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast" shutdown
            self._process.wait(timeout=30)
        shutil.rmtree(self.data, ignore_errors=True)

    def _dsn(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=diwan dbname={name}"

    def url(self, name: str) -> str:
        return f"postgresql://diwan@127.0.0.1:{self.port}/{name}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, name: str) -> None:
        self._admin(f'create database "{name}"')

    def create_from(self, template: str) -> str:
        name = f"diwan_{next(self._serial)}"
        self._admin(f'create database "{name}" template "{template}"')
        return name

    def drop(self, name: str) -> None:
        self._admin(f'drop database "{name}" with (force)')
