"""A stack starts beside others, is told apart from them, and ends without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from masumi_sumi.cli import panel, processes, record
from masumi_sumi.cli.environment import environment
from masumi_sumi.cli.failures import PartDied, StackRunning
from masumi_sumi.cli.stack import Stack
from masumi_sumi.errors import PortTaken
from masumi_sumi.settings import Settings

Fresh = Callable[[], Settings]


def until(true: Callable[[], object], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(0.05)


def command(settings: Settings, *words: str) -> subprocess.Popen[str]:
    environ = environment(settings, os.environ, Path.cwd())
    return subprocess.Popen(
        [sys.executable, "-m", "masumi_sumi.cli", *words],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def up(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """`masumi-sumi up`, with its record, ended at the end however it went."""
    running = command(settings, "up")
    try:
        yield running
    finally:
        running.kill()
        running.communicate()
        if left := record.read(settings.data_dir):
            record.clear(settings.data_dir, left)


def started(settings: Settings) -> list[str]:
    found = record.read(settings.data_dir)
    return [part.name for part in found.parts] if found else []


def pids_of(stack_record: record.Record) -> set[int]:
    return {process.pid for process in processes.members(stack_record.parts)}


def test_every_part_answers(stack: Stack) -> None:
    name, password = stack.panel_login
    login = {"name": name, "password": password}

    role = httpx.post(f"{stack.urls['panel']}/api/login", json=login)
    sandbox = httpx.get(f"{stack.urls['sandbox']}/health")
    serve = httpx.get(
        f"{stack.urls['ray']}/api/serve/applications/", headers=stack.get_ray_headers()
    )

    assert role.json()["name"] == "admin"
    assert sandbox.status_code == 200
    assert serve.json()["http_options"]["port"] == stack.settings.serve_port


def test_flows_of_a_deployed_app_are_listed_in_the_panel(stack: Stack) -> None:
    stack.deploy(["examples.two_stage:fast_app"])

    key = panel.login(stack.urls["panel"], *stack.panel_login)
    listed = httpx.get(
        f"{stack.urls['panel']}/flow",
        params={"pp": 1000},
        headers={panel.HEADER: key},
        timeout=30,
    )

    assert stack.urls["two-stage"] == f"{stack.urls['serve']}/two-stage/"
    assert "two-stage" in {flow["url"].split("/")[4] for flow in listed.json()["items"]}


def test_a_taken_port_is_refused_by_name_before_anything_starts(
    stack: Stack, fresh_settings: Fresh
) -> None:
    settings = fresh_settings().model_copy(update={"ray_port": stack.settings.ray_port})

    with pytest.raises(PortTaken, match="set SUMI_RAY_PORT"):
        Stack(settings).start()

    assert not started(settings)


def test_two_parts_cannot_have_one_port(fresh_settings: Fresh) -> None:
    settings = fresh_settings()
    settings = settings.model_copy(update={"panel_port": settings.serve_port})
    with pytest.raises(PortTaken):
        Stack(settings).start()


def test_a_folder_has_one_stack(stack: Stack) -> None:
    with pytest.raises(StackRunning, match="masumi-sumi down"):
        Stack(stack.settings).start()


def test_a_part_that_dies_is_named_with_its_log(fresh_settings: Fresh) -> None:
    with Stack(fresh_settings(), parts=("sandbox",)) as small:
        os.kill(small.pids["sandbox"], signal.SIGKILL)
        with pytest.raises(PartDied, match="sandbox died \\(signal 9\\)") as caught:
            small.wait()
    assert caught.value.log == small.log("sandbox")


def test_up_ends_everything_when_a_part_dies(fresh_settings: Fresh) -> None:
    settings = fresh_settings()
    with up(settings) as running:
        until(lambda: "panel" in started(settings))
        left = record.read(settings.data_dir)
        assert left is not None
        os.kill(next(part.pid for part in left.parts if part.name == "panel"), signal.SIGKILL)
        _, errors = running.communicate(timeout=60)

        assert running.returncode == 1
        assert "panel died" in errors
        assert "Traceback" not in errors
        assert not pids_of(left)
        assert not left.ray_dir.exists()


def test_down_cleans_after_a_killed_up_and_leaves_other_stacks_alone(
    stack: Stack, fresh_settings: Fresh
) -> None:
    settings = fresh_settings()
    with up(settings) as running:
        dashboard = f"http://127.0.0.1:{settings.dashboard_port}/api/serve/applications/"
        until(lambda: _is_up(dashboard, Stack(settings).get_ray_headers()))
        left = record.read(settings.data_dir)
        assert left is not None
        running.kill()
        running.wait()
        assert len(pids_of(left)) > 10

        done = command(settings, "down")
        out, errors = done.communicate(timeout=60)

    assert (done.returncode, errors) == (0, "")
    assert "ended: ray" in out
    assert not pids_of(left)
    assert not left.ray_dir.exists()
    assert not (settings.data_dir / record.FILE).exists()
    stack.check()
    url = f"{stack.urls['ray']}/api/version"
    assert httpx.get(url, headers=stack.get_ray_headers()).status_code == 200


def _is_up(url: str, headers: dict[str, str]) -> bool:
    try:
        return httpx.get(url, headers=headers).status_code == 200
    except httpx.HTTPError:
        return False
