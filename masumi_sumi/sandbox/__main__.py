"""``python -m masumi_sumi.sandbox``: a sandbox by itself."""

from __future__ import annotations

import argparse

from masumi_sumi.sandbox.server import DEFAULT_PORT, DEFAULT_TOKEN, Sandbox, check_host, serve
from masumi_sumi.sandbox.source import NETWORKS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m masumi_sumi.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--token", default=DEFAULT_TOKEN)
    parser.add_argument("--allow-remote", action="store_true", help="listen beyond loopback")
    parser.add_argument("--block-seconds", type=float, default=2.0)
    parser.add_argument("--confirmations", type=int, default=1)
    parser.add_argument("--strict", action="store_true", help="agents must be registered")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--database", help="a SQLite file that keeps the state")
    given = parser.parse_args()
    try:
        check_host(given.host, given.token, allow_remote=given.allow_remote)
    except ValueError as error:
        parser.error(str(error))
    serve(announce=_announce, **vars(given))


def _announce(sandbox: Sandbox) -> None:
    print(f"sandbox payment node at {sandbox.url}, token {sandbox.token}", flush=True)


if __name__ == "__main__":
    main()
