"""`python -m tests.fakes.upstream --port 9000 --script well`: the provider for browsers, benches and hands."""

from __future__ import annotations

import argparse

import uvicorn

from .provider import Provider
from .reply import NAMED, by_chance, named


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.upstream", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument(
        "--script", default="well", help=f"NAME,NAME,… in turn, or a .json file with replies. Names: {', '.join(NAMED)}"
    )
    parser.add_argument("--fail-rate", type=float, default=0.0, help="share of requests that fail by chance, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    script = by_chance(given.fail_rate, given.seed) if given.fail_rate else named(given.script)
    uvicorn.run(Provider(script), host=given.host, port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
