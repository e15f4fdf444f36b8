"""How long the four demo agents take to serve: a boot through the gateway, and Ray's own deploy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import yaml

from masumi_sumi.cli.operator import Operator
from masumi_sumi.cli.stack import Stack
from masumi_sumi.exposes.declared import plan, read_exposes
from tests.bench.table import Row

EXPOSES = Path("examples/exposes.yaml")
ROUNDS = 3
MOST = 1.1


def measure(stack: Stack) -> list[Row]:
    """In turns; between them everything is taken off Serve."""
    dashboard = httpx.Client(
        base_url=stack.environment["KODO_RAY_DASHBOARD"],
        headers=stack.get_ray_headers(),
        timeout=60.0,
    )
    taken: dict[str, list[float]] = {"bare": [], "boot": []}
    drafts = read_exposes(EXPOSES.read_text(), EXPOSES.name)
    with Operator(stack.urls["panel"], stack.environment, {}) as operator:
        for change in plan(drafts, operator.exposes(), prune=False):
            operator.save(change.body or {})
        _clear(dashboard)
        for _ in range(ROUNDS):
            taken["bare"].append(_bare(stack, dashboard))
            _clear(dashboard)
            began = time.monotonic()
            for _line in operator.boot():
                pass
            taken["boot"].append(time.monotonic() - began)
            _clear(dashboard)
    boot, bare = (statistics.median(taken[name]) for name in ("boot", "bare"))
    figure = f"{boot:.1f} s against {bare:.1f} s: ratio {boot / bare:.2f}"
    what = f"boot of four agents against serve deploy, median of {ROUNDS}"
    return [Row(what, figure, f"ratio at most {MOST}", boot / bare <= MOST)]


def _bare(stack: Stack, dashboard: httpx.Client) -> float:
    """``serve deploy`` of the same applications, unwrapped, until all are RUNNING."""
    said = yaml.safe_load(EXPOSES.read_text())["exposes"]
    applications = [
        {"name": each["name"], "route_prefix": f"/{each['name']}", **each["bootstrap"]}
        for each in said
    ]
    http = {"host": stack.settings.host, "port": stack.settings.serve_port}
    config = stack.settings.data_dir / "bare.yaml"
    config.write_text(yaml.safe_dump({"http_options": http, "applications": applications}))
    serve = Path(sys.executable).with_name("serve")
    began = time.monotonic()
    subprocess.run(
        [serve, "deploy", config, "--address", stack.environment["KODO_RAY_DASHBOARD"]],
        check=True,
        capture_output=True,
        env=stack.environment,
    )
    _until(dashboard, lambda states: states and set(states.values()) == {"RUNNING"})
    return time.monotonic() - began


def _clear(dashboard: httpx.Client) -> None:
    answer = dashboard.put("/api/serve/applications/", json={"applications": []})
    answer.raise_for_status()
    _until(dashboard, lambda states: not states)
    time.sleep(5.0)


def _until(dashboard: httpx.Client, arrived: Any) -> None:
    end = time.monotonic() + 300.0
    while time.monotonic() < end:
        found = dashboard.get("/api/serve/applications/").json()
        states = {name: each["status"] for name, each in found["applications"].items()}
        if arrived(states):
            return
        time.sleep(0.2)
    raise TimeoutError("Ray Serve did not get there within 300 s")
