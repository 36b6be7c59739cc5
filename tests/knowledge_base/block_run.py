"""Runs a chapter's Python blocks in a fresh process and says which one failed, and how."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from service.domain import Chapter

from .code_blocks import CodeBlock, python_blocks

SECONDS = 240  # a chapter takes a few; a machine under load may take many times that
_GRACE_SECONDS = 10
_RUNNER = Path(__file__).with_name("run_blocks.py")
_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "TZ")  # no keys, proxies or settings of the developer
_TAIL_LINES = 15


def run_problems(chapter: Chapter, seconds: int = SECONDS) -> list[str]:
    """Run the blocks that run; the failing one is reported with its line and traceback. Empty when all is well."""
    blocks = [block for block in python_blocks(chapter) if block.runs]
    if not blocks:
        return []
    with tempfile.TemporaryDirectory(prefix="blocks-") as folder:
        job, report, work, home = (Path(folder, name) for name in ("job.json", "report.jsonl", "work", "home"))
        work.mkdir()
        home.mkdir()
        job.write_text(_job(chapter.path, blocks, seconds), "utf-8")
        output, code = _run([sys.executable, "-P", str(_RUNNER), str(job), str(report)], work, home, seconds)
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
    return _problems(chapter.path, blocks, [json.loads(line) for line in lines], output, code)


def _job(path: str, blocks: Sequence[CodeBlock], seconds: int) -> str:
    described = [{"line": block.line, "code": block.code, "wrong": block.wrong} for block in blocks]
    return json.dumps({"path": path, "seconds": seconds, "blocks": described})


def _run(command: Sequence[str], folder: Path, home: Path, seconds: int) -> tuple[str, int | None]:
    """Output and exit code; the code is None when the process had to be killed. Its children die with it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment = kept | {"HOME": str(home), "TMPDIR": str(home), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            code: int | None = process.wait(seconds + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill_group(process)
        output.seek(0)
        return output.read(), code


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what the process left running, and the process where it still runs."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def _problems(
    path: str, blocks: Sequence[CodeBlock], results: Sequence[dict[str, str]], output: str, code: int | None
) -> list[str]:
    tail = "\n".join(output.splitlines()[-_TAIL_LINES:])
    for block, result in zip(blocks, results, strict=False):
        if result["failure"] and not block.wrong:
            printed = f"\nprinted before:\n{tail}" if tail else ""
            return [f"{path}:{block.line}: the block failed\n{result['failure']}{printed}"]
    if len(results) < len(blocks):
        ended = "did not end in time" if code in (None, 1) and "Timeout" in output else f"ended the process ({code})"
        return [f"{path}:{blocks[len(results)].line}: the block {ended}\n{tail}"]
    return []
