"""The demo's exposes on a real Ray Serve, through the command and the gateway."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from masumi_sumi.cli.environment import environment
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "exposes.yaml")

Run = Callable[..., str]


@pytest.fixture(scope="module")
def small(fresh_settings: Callable[[], Settings]) -> Iterator[Stack]:
    parts = ("ray", "sandbox", "panel", "serve")
    with Stack(fresh_settings(), parts=parts, folder=ROOT) as stack:
        yield stack


@pytest.fixture(scope="module")
def run(small: Stack) -> Run:
    """A command as an operator types it; what it says."""
    environ = environment(small.settings, os.environ, ROOT)
    environ["SUMI_PANEL"] = small.urls["panel"]

    def run(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "masumi_sumi.cli", *words]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    return run


@pytest.fixture(scope="module")
def booted(run: Run) -> str:
    run("expose", "apply", "-f", EXAMPLE)
    return run("boot")


@pytest.mark.timeout(400)
def test_the_four_exposes_come_up_with_their_ten_flows(booted: str, run: Run) -> None:
    assert "✓ All deployments complete (4 running, 0 failed)" in booted
    assert "✓ Flows retrieved (10 flows of 4 applications)" in booted
    states = {line.split()[0]: line.split()[1:3] for line in run("expose", "list").splitlines()[1:]}
    assert states == {
        "form-example": ["RUNNING", "6/6"],
        "jkx": ["RUNNING", "1/1"],
        "prime": ["RUNNING", "2/2"],
        "sumi-test": ["RUNNING", "1/1"],
    }


def test_another_boot_leaves_the_replicas_alone(booted: str, run: Run, small: Stack) -> None:
    before = _replicas(small)

    run("boot")

    assert _replicas(small) == before


@pytest.mark.timeout(400)
def test_a_refresh_starts_one_app_anew_and_no_request_to_another_fails(
    booted: str, run: Run, small: Stack
) -> None:
    before = _replicas(small)

    with _polled(f"{small.urls['serve']}/jkx/serve") as answers:
        told = run("refresh", "prime")

    after = _replicas(small)
    assert "✔ Refresh of 'prime' completed" in told
    assert len(answers) > 20
    assert set(answers) == {200}
    assert after["prime"] != before["prime"]
    assert {**after, "prime": ""} == {**before, "prime": ""}


@pytest.mark.timeout(400)
def test_an_import_that_fails_is_named_and_the_others_stay(
    booted: str, run: Run, small: Stack, tmp_path: Path
) -> None:
    before = _replicas(small)
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: broken\nbootstrap: {import_path: 'examples.nowhere:app'}\n")
    run("expose", "apply", "-f", str(broken))

    told = run("boot", code=1)

    assert "No module named 'examples.nowhere'" in told
    assert "error: boot: not up: broken" in told
    assert "No module named" in run("expose", "show", "broken")
    assert {name: _replicas(small)[name] for name in before} == before
    run("expose", "delete", "broken")
    run("boot")
    assert _replicas(small) == before


def test_serve_refuses_one_app_and_takes_the_others(
    booted: str, run: Run, small: Stack, tmp_path: Path
) -> None:
    refused = tmp_path / "refused.yaml"
    refused.write_text(
        "name: refused\nbootstrap: {import_path: 'examples.prime:fast_app', nonsense: 1,"
        " deployments: [{name: X, num_replicas: -5}]}\n"
    )
    run("expose", "apply", "-f", str(refused))
    before = _replicas(small)

    told = run("boot", code=1)

    assert "[refused]" in told
    assert "num_replicas" in told
    assert _replicas(small) == before
    run("expose", "delete", "refused")


def test_after_a_shutdown_nothing_is_there(booted: str, run: Run, small: Stack) -> None:
    assert "✔ Shutdown complete" in run("shutdown")

    assert _replicas(small) == {}
    assert "RUNNING" not in run("expose", "list")


def _replicas(stack: Stack) -> dict[str, Any]:
    """The replicas of each application, by their ids."""
    url = f"{stack.urls['ray']}/api/serve/applications/"
    headers = stack.get_ray_headers()
    found = httpx.get(url, headers=headers, timeout=30.0, trust_env=False).json()["applications"]
    return {
        name: sorted(
            replica["replica_id"]
            for deployment in app["deployments"].values()
            for replica in deployment["replicas"]
        )
        for name, app in found.items()
    }


@contextmanager
def _polled(url: str) -> Iterator[list[int]]:
    answers: list[int] = []
    over = threading.Event()

    def poll() -> None:
        with httpx.Client(trust_env=False, timeout=30.0) as client:
            while not over.is_set():
                answers.append(client.get(url).status_code)
                time.sleep(0.02)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
