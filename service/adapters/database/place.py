"""Where the database is: the URL that was set, or a file in the data folder; and how it is named in messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.errors import BadSetting

FILE_NAME = "state.sqlite"
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_POSTGRES = ("postgres", "postgresql", "postgresql+asyncpg")
_FORMS = "use postgresql://USER:PASSWORD@HOST/NAME or sqlite+aiosqlite:////FOLDER/FILE"
_OPTIONS = {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "target_session_attrs", "application_name"}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_IGNORED = {"channel_binding"}  # asyncpg would hand it to the server as a setting, and the server refuses it


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """A file."""

    file: Path

    def __str__(self) -> str:
        return f"the database {self.file}"


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A server; `dsn` holds the password, its text does not."""

    dsn: str
    shown: str

    def __repr__(self) -> str:
        return f"PostgresPlace({self.shown})"

    def __str__(self) -> str:
        return f"the database {self.shown}"


def find_place(url: str | None, data_dir: Path) -> SqlitePlace | PostgresPlace:
    """What `DATABASE_URL` means; without one, a file in the data folder.

    Raises:
        BadSetting: it names the variable and what is wrong, and shows neither user nor password.
    """
    if not url:
        return SqlitePlace(data_dir / FILE_NAME)
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise BadSetting(f"DATABASE_URL: it is not the URL of a database; {_FORMS}") from None
    if parsed.drivername in _SQLITE:
        return _file(parsed)
    if parsed.drivername in _POSTGRES:
        return _server(parsed)
    raise BadSetting(f"DATABASE_URL: {parsed.drivername!r} is not a database that is supported; {_FORMS}")


def _file(url: URL) -> SqlitePlace:
    if not url.database or url.database == ":memory:":
        raise BadSetting("DATABASE_URL: a database in memory forgets all when the service ends; name a file")
    if url.host or url.query:
        raise BadSetting("DATABASE_URL: SQLite takes a file and no host or options: sqlite+aiosqlite:////FOLDER/FILE")
    return SqlitePlace(Path(url.database))


def _server(url: URL) -> PostgresPlace:
    unknown = sorted(set(url.query) - _OPTIONS - _IGNORED)
    if unknown:
        raise BadSetting(f"DATABASE_URL: unknown option {unknown[0]!r}; there are {', '.join(sorted(_OPTIONS))}")
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        raise BadSetting(f"DATABASE_URL: sslmode is one of {', '.join(_SSL_MODES)}")
    if not url.database:
        raise BadSetting(f"DATABASE_URL: it names no database; {_FORMS}")
    plain = url.set(drivername="postgresql").difference_update_query(_IGNORED)
    bare = URL.create("postgresql", host=url.host, port=url.port, database=url.database)
    return PostgresPlace(plain.render_as_string(hide_password=False), bare.render_as_string())
