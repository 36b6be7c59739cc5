"""Every error of a database driver becomes a `StateProblem` here, which names the database and says what is wrong.

SQLAlchemy's own messages carry the statement and its parameters, which are people's questions: they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import StateProblem

_ADVICE = {
    "database is locked": "another process holds it; close what does, or use Postgres (DATABASE_URL)",
    "disk is full": "make room on its disk",
    "readonly": "the service must be allowed to write the file and its folder",
    "unable to open": "its folder must exist and be writable",
    "not a database": "the file is something else; move it away",
    "malformed": "the file is damaged; restore it from a backup, or move it away to begin anew",
}


@contextmanager
def translated(place: object) -> Iterator[None]:
    """Turn what the driver raises inside into a `StateProblem` about this place."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise problem(place, error) from error


def problem(place: object, error: BaseException) -> StateProblem:
    """What is wrong, in one line."""
    if isinstance(error, PoolTimeout):
        return StateProblem(f"{place}: all connections are in use; try again in a moment")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    if isinstance(cause, OSError):
        reason = _of_the_system(cause)
    reason = reason.rpartition(">: ")[2]  # SQLAlchemy puts the class of asyncpg's error before its message
    advice = next((advice for sign, advice in _ADVICE.items() if sign in reason), "")
    return StateProblem(f"{place}: {reason}" + (f"; {advice}" if advice else ""))


def _of_the_system(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start Postgres, or correct DATABASE_URL"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")


def concerns_all(error: BaseException) -> bool:
    """Whether the database itself is in trouble, and not one row of a batch refused."""
    if isinstance(error, StateProblem):
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError | InterfaceError | PoolTimeout | OSError)
