"""Runs the Python blocks of one chapter, in order and in one namespace, without network.

A script of its own, started by `block_run.py` in a fresh process with an empty folder as its working directory:
`python -P run_blocks.py job.json report.jsonl`. It writes one JSON line a block as soon as the block is done, so that
a crash or a timeout leaves the report up to there. It imports nothing of the project: a block that needs a module of
the project has to fail.
"""

from __future__ import annotations

import faulthandler
import ipaddress
import json
import linecache
import os
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

_NEVER_RESOLVES = (".invalid", ".test")  # RFC 6761: no resolver may find these names
_LOCAL_NAMES = frozenset({"", "localhost", "0.0.0.0", "::", "127.0.0.1", "::1"})


class NetworkUse(OSError):
    """A block tried to reach another machine."""


class NoNetwork:
    """An audit hook that refuses connections to other machines and remembers the attempts.

    Loopback and Unix sockets stay open: the event loop and test servers need them. Attempts are remembered because
    the code that made one may have caught the error.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise where the event is a way to another machine."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple) and not self._is_local(address[0]):
                self._refuse(f"{address[0]}:{address[1]}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self._resolve(arguments[0])

    def _resolve(self, host: str | bytes | None) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host or ""
        if name.rstrip(".").endswith(_NEVER_RESOLVES):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _is_address(name) and not self._is_local(name):
            self._refuse(name)

    @staticmethod
    def _is_local(host: str) -> bool:
        if host in _LOCAL_NAMES or host.endswith(".localhost") or host == socket.gethostname():
            return True
        return _is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback

    def _refuse(self, target: str) -> None:
        self.attempts.append(target)
        raise NetworkUse(f"no network in the knowledge base's tests: {target}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Chapter:
    """One chapter's blocks as the module `__main__`, with the line numbers of the chapter's file."""

    def __init__(self, path: str, blocks: list[dict[str, Any]]) -> None:
        self.path = path
        self.module = ModuleType("__main__")
        sys.modules["__main__"] = self.module
        # Only code, at its lines: tracebacks and inspect.getsource read this instead of the Markdown.
        lines: list[str] = []
        for block in blocks:
            lines += ["\n"] * (block["line"] - 1 - len(lines)) + block["code"].splitlines(keepends=True)
        linecache.cache[path] = (sum(map(len, lines)), None, lines, path)

    def run(self, block: dict[str, Any]) -> None:
        """Execute a block; one marked wrong runs on a copy of the names, so that it leaves none behind."""
        if not block["wrong"]:
            self._execute(block, self.module)
            return
        copy = ModuleType("__main__")
        copy.__dict__.update(self.module.__dict__)
        sys.modules["__main__"] = copy
        try:
            self._execute(block, copy)
        finally:
            sys.modules["__main__"] = self.module

    def _execute(self, block: dict[str, Any], module: ModuleType) -> None:
        padded = "\n" * (block["line"] - 1) + block["code"]
        exec(compile(padded, self.path, "exec", dont_inherit=True), module.__dict__)


def _from_block(found: TracebackType | None) -> TracebackType | None:
    """The traceback without this runner's own frames."""
    while found is not None and found.tb_frame.f_code.co_filename == __file__:
        found = found.tb_next
    return found


def main(job_file: str, report_file: str) -> None:
    """Run the job's blocks until one fails that should not."""
    job = json.loads(Path(job_file).read_text("utf-8"))
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = [job["path"]]
    faulthandler.dump_traceback_later(job["seconds"], exit=True)
    network = NoNetwork()
    sys.addaudithook(network)
    chapter = Chapter(job["path"], job["blocks"])
    with Path(report_file).open("w", encoding="utf-8", buffering=1) as report:
        for block in job["blocks"]:
            failure = ""
            try:
                chapter.run(block)
            except BaseException as error:  # noqa: BLE001 - also SystemExit: the report names the block
                error.__traceback__ = _from_block(error.__traceback__)
                failure = "".join(traceback.format_exception(error))
            if not failure and network.attempts:
                failure = f"NetworkUse: tried to reach {', '.join(network.attempts)}"
            network.attempts.clear()
            report.write(json.dumps({"line": block["line"], "failure": failure}) + "\n")
            if failure and not block["wrong"]:
                break
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that a block left behind must not keep the process


if __name__ == "__main__":
    main(*sys.argv[1:3])
