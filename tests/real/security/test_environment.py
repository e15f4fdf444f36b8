"""Author's code that gives away all of its environment, in the replica and in the runner."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from shop import Shop

from masumi_sumi.cli.stack import Stack


@pytest.fixture(scope="module")
def seen(shop: Shop) -> dict[str, Any]:
    """What a stranger gets who hires the flow."""
    found: dict[str, Any] = json.loads(shop.result(shop.hire("/environment", word="word")))
    return found


@pytest.fixture
def secrets(stack: Stack) -> dict[str, str]:
    """All secrets of this stack by the names of their files."""
    folder = stack.settings.data_dir / "secrets"
    found = {file.name: file.read_text().strip() for file in folder.iterdir()}
    key = Path(stack.settings.agent_key.get_secret_value())
    return {**found, "agent-key": key.read_text().strip()}


def test_authors_code_finds_no_secret(seen: dict[str, Any], secrets: dict[str, str]) -> None:
    text = json.dumps(seen)

    assert {"ray-token", "agent-key"} <= set(secrets)
    assert [name for name, value in secrets.items() if value in text] == []


@pytest.mark.parametrize("where", ["runner", "replica"])
def test_names_of_secrets_are_empty(seen: dict[str, Any], where: str) -> None:
    environ = seen[where]
    nodes = json.loads(environ["SUMI_NODES"])

    assert {node["token"] for node in nodes.values()} == {""}
    for name in (
        "SUMI_AGENT_KEY",
        "SUMI_GATEWAY_SECRET",
        "KODO_SECRET_KEY",
        "KODO_ADMIN_PASSWORD",
        "KODOSUMI_API_KEY",
        "KODO_MASUMI0",
        "RAY_AUTH_TOKEN",
    ):
        assert environ.get(name, "") == "", name


def test_no_process_of_ray_has_a_secret_in_its_environment(
    stack: Stack, secrets: dict[str, str]
) -> None:
    """An author's code can read /proc of what runs beside it."""
    ray = psutil.Process(stack.pids["ray"])
    for process in (ray, *ray.children(recursive=True)):
        if process.pid == os.getpid():
            continue
        try:
            text = json.dumps([process.environ(), process.cmdline()])
        except psutil.NoSuchProcess:
            continue
        assert [name for name, value in secrets.items() if value in text] == []
