"""``python -m tests.bench [--launches N] [--only WORD]``: start a stack, measure, print the table,
end it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from rich.console import Console

from masumi_sumi.cli.environment import RAY

os.environ.update(RAY)  # before Ray is imported: a driver here reaches it at loopback

import ray

from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.stack import Progress, Stack
from masumi_sumi.ray_token import get_token_environment
from masumi_sumi.settings import NodeSettings, Settings
from tests.bench import booting, running, strangers, waiting
from tests.bench.table import Row, show

REAL_POLL = float(NodeSettings.model_fields["poll"].default)
"""The sandbox is asked as often as a real node is, not as the near one that it is."""

PORTS = ("panel_port", "serve_port", "sandbox_port", "ray_port", "dashboard_port")


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench")
    options.add_argument("--launches", type=int, default=200, help="how many to count losses in")
    options.add_argument("--only", default="", help="what is measured: those with this word")
    given = options.parse_args()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="sumi-bench-") as folder:
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        settings = Settings(data_dir=Path(folder), nodes={}, **ports)
        report = _telling(console)
        apps, poll = ["tests.bench.measured:fast_app"], REAL_POLL
        os.environ.update(get_token_environment(settings.data_dir))
        with Stack(settings, apps, sandbox_poll=poll, report=report) as stack:
            show(_measured(stack, given.launches, given.only, console))


def _measured(stack: Stack, launches: int, only: str, console: Console) -> list[Row]:
    both = running.Both(stack)
    rows: list[Row] = []
    for what, measure in (
        ("launch to final", lambda: running.latency(both)),
        ("memory of running jobs", lambda: running.memory(both, stack.pids["ray"])),
        ("start_job", lambda: running.start_job(both)),
        ("strangers", lambda: strangers.measure(stack)),
        ("waiting jobs", lambda: _waiting(stack)),
        (f"{launches} launches", lambda: running.lost(both, launches)),
        ("boots", lambda: booting.measure(stack)),
    ):
        if only not in what:
            continue
        with console.status(f"measuring {what}"):
            measured = measure()
        for row in measured:
            console.print(f"{row.what}: {row.figure}", highlight=False)
        rows += measured
    return rows


def _waiting(stack: Stack) -> list[Row]:
    from masumi_sumi.runtime import supervisor

    ray.init(address=stack.environment["KODO_RAY_SERVER"], log_to_driver=False)
    try:
        return waiting.measure(stack.settings, stack.urls["sandbox"], supervisor.find())
    finally:
        ray.shutdown()


def _telling(console: Console):  # type: ignore[no-untyped-def]
    def tell(progress: Progress) -> None:
        if progress.what == "ready":
            console.print(f"ready: {progress.name} ({progress.seconds:.0f} s)")

    return tell


if __name__ == "__main__":
    main()
