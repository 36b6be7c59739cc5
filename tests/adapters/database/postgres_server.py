"""A real Postgres for the tests: a cluster of its own in a temporary folder, on a free port, run without privileges."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import asyncpg

PASSWORD = "pa55-of-the-tests"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest version first; None where Postgres is not installed."""
    found = [folder for pattern in _PLACES for folder in sorted(Path("/").glob(pattern[1:]), reverse=True)]
    there = shutil.which("postgres")
    found += [Path(there).resolve().parent] if there else []
    return next((folder for folder in found if (folder / "initdb").exists()), None)


class PostgresServer:
    """One cluster. It refuses to run as root, so under root it runs as another user."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._user = self._unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._data = self._folder / "data"
        options = ["-U", "mastery", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-locale", "-N"]
        subprocess.run(
            [str(binaries / "initdb"), "-D", str(self._data), *options],
            check=True, capture_output=True, cwd="/", **self._as_user(),
        )  # fmt: skip

    @staticmethod
    def _unprivileged() -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    def _as_user(self) -> dict[str, object]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += ["-k", str(self._folder), "-h", "127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]
        self._process = subprocess.Popen(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as_user()
        )
        ready = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, "postgres ended at once"
            time.sleep(0.05)
        raise AssertionError("postgres does not answer")

    def stop(self) -> None:
        """End it at once, as a server that crashes does: connections are cut."""
        if self._process:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown of it and its children
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """End it and delete its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, password: str = PASSWORD) -> str:
        """As `DATABASE_URL` has it."""
        return f"postgresql://mastery:{password}@127.0.0.1:{self.port}/{database}"

    async def create_database(self) -> str:
        """An empty database; its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)
