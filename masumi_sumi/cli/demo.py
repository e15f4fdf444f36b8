"""``masumi-sumi demo``: the whole story on this machine, from four exposes to a paid seller.

It is the operator and the buyer at once, over plain HTTP as both would be, and shows every step
as it happens. Everything it starts it ends.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from masumi_sumi.cli.display import Display
from masumi_sumi.cli.escaping import escape_line
from masumi_sumi.cli.failures import DemoFailed
from masumi_sumi.cli.foreground import ends_on_signals, ignore_signals
from masumi_sumi.cli.operator import Operator
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.sale import Sale
from masumi_sumi.cli.stack import Stack
from masumi_sumi.exposes.declared import plan, read_exposes
from masumi_sumi.settings import Settings

EXPOSES = Path("examples/exposes.yaml")
PRICED, FREE = "sumi-test", "prime"


def run_demo() -> None:
    """Raises StackFailed or DemoFailed, after all that was started has ended."""
    if not EXPOSES.exists():
        raise DemoFailed(f"{EXPOSES} is not here: run the demo in a clone of the project")
    console = Console()
    began = time.monotonic()
    with _folder() as folder, ends_on_signals(), Display(console) as display:
        stack = Stack(_settings(folder), report=display)
        try:
            stack.start()
            _play(console, stack)
        finally:
            ignore_signals()
            stack.stop()
    console.print(f"[bold green]sold, verified and paid[/] in {time.monotonic() - began:.0f} s")


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that goes again, unless something fails: the error names a log in it."""
    folder = Path(tempfile.mkdtemp(prefix="sumi-demo-"))
    try:
        yield folder
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise DemoFailed("interrupted") from None
    shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path) -> Settings:
    """Everything on free ports and in a folder of its own, whatever else runs here."""
    names = ("panel_port", "serve_port", "sandbox_port", "ray_port", "dashboard_port")
    ports: dict[str, Any] = dict(zip(names, free_ports(len(names)), strict=True))
    return Settings(data_dir=folder, **ports).model_copy(update={"nodes": {}})


def _play(console: Console, stack: Stack) -> None:
    panel = stack.urls["panel"]
    console.rule(f"the operator: masumi-sumi expose apply -f {EXPOSES}; boot", align="left")
    with Operator(panel, stack.environment, {}) as operator:
        drafts = read_exposes(EXPOSES.read_text(), EXPOSES.name)
        for change in plan(drafts, operator.exposes(), prune=False):
            operator.save(change.body or {})
            console.print(f"{change.what}: {change.name}", highlight=False)
        with Display.spinner(console, "booting four agents"):
            for line in operator.boot():
                if line.strip():
                    console.print(escape_line(line), highlight=False, markup=False)
    console.rule("the buyer", align="left")
    Sale(console, panel, stack.urls["sandbox"], stack.panel_login).run(PRICED, FREE)
    console.rule("the end", align="left")
