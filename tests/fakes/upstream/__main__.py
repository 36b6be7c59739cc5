"""The provider for browsers, benches and hands: `python -m tests.fakes.upstream --port 9000 --script well`.

A script is names of replies in turn, the last one for ever (`503,well`), or JSON with a reply's fields
(`[{"delay": 0.3, "gap": 0.02, "piece": 8}]`). While it runs, `POST /upstream/script {"script": …}` begins another one
and `GET /upstream/state` tells the bill.
"""

from __future__ import annotations

import argparse

import uvicorn

from .provider import Provider
from .reply import NAMED, by_chance, named


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.upstream", description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument(
        "--script", default="well", help=f"NAME,NAME,… in turn, or JSON, or a .json file. Names: {', '.join(NAMED)}"
    )
    parser.add_argument("--fail-rate", type=float, default=0.0, help="share of requests that fail by chance, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    script = by_chance(given.fail_rate, given.seed) if given.fail_rate else named(given.script)
    print(f"OPENAI_BASE_URL=http://{given.host}:{given.port}/v1", flush=True)
    uvicorn.run(Provider(script), host=given.host, port=given.port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
