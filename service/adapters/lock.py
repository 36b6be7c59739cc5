"""One ingest at a time, across processes; the system lets go of it when the process dies."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from service.errors import IndexBusy, IngestFailed


class IngestFileLock:
    """An `IngestLock` on a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(file)

    def __enter__(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise IndexBusy("another ingest is running on this index; wait for it to end") from None
        except OSError as error:
            raise IngestFailed(f"{self._file} cannot be written ({error.strerror}); nothing was changed") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
