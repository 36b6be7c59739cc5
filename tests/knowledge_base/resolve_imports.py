"""Answers whether imports resolve: a script that `imports.py` keeps running, one JSON line in, one out.

A process of its own, because importing the libraries of the whole book changes the process (gevent patches the
standard library) and takes seconds that should be spent once.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def problem_of(module: str, name: str | None) -> str:
    """Why `import module` or `from module import name` does not work; empty where it does."""
    try:
        found = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - whatever a library raises at import is the answer
        return f"cannot import `{module}`: {type(error).__name__}: {error}"
    if name is None or name == "*" or hasattr(found, name):
        return ""
    try:
        importlib.import_module(f"{module}.{name}")
    except ImportError:
        return f"`{module}` has no `{name}`"
    return ""


def main() -> None:
    """Serve until standard input closes; what libraries print at import goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            module, name = json.loads(line)
            answers.write(json.dumps(problem_of(module, name)) + "\n")


if __name__ == "__main__":
    main()
