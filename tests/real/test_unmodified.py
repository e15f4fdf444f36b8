"""An app that knows nothing of its sale: sold by one file, and launched from the panel as ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from shop import AGENT, Cluster, Node, Panel, Shop, until

from masumi_sumi.cli.stack import Stack
from masumi_sumi.hashing import result_hash

CONFIG = {
    "name": "greeter",
    "route_prefix": "/greeter",
    "import_path": "masumi_sumi.plugin:application",
    "args": {
        "target": "tests.real.unmodified:build",
        "target_args": {"word": "hi", "mark": "!"},
        "flows": {"/": {"agent_identifier": AGENT, "network": "Preprod"}},
    },
    "runtime_env": {"env_vars": {"GREETING": "Moin"}},
    "deployments": [{"name": "Words", "max_ongoing_requests": 7}],
}


@pytest.fixture(scope="module")
def greeter(stack: Stack, shop: Shop, deploy_file: Callable[[dict[str, Any]], None]) -> Shop:
    deploy_file(CONFIG)
    return Shop(stack, "greeter")


@pytest.fixture(scope="module")
def launched(greeter: Shop, panel: Panel) -> str:
    """An execution that was started from the panel."""
    answer = panel.http.post(panel.flow("Greeter"), json={"name": "Ada"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"])


def test_it_stays_what_it_was(greeter: Shop) -> None:
    stack = greeter.stack
    url = f"{stack.urls['ray']}/api/serve/applications/"
    listed = httpx.get(url, headers=stack.get_ray_headers()).json()
    deployments = listed["applications"]["greeter"]["deployments"]

    assert greeter.http.get(f"{greeter.url}/word").json() == "hi!"
    assert greeter.http.get(f"{greeter.url}/openapi.json").status_code == 200
    assert set(deployments) == {"Words", "Greeter"}
    assert deployments["Words"]["deployment_config"]["max_ongoing_requests"] == 7


def test_it_is_sold_with_its_own_runtime_env(greeter: Shop, node: Node) -> None:
    job = greeter.hire("", name="Ada")
    assert greeter.status(job)["status"] == "awaiting_payment"

    node.buy(job)
    result = greeter.result(job)

    assert result == "Moin, Ada"
    assert node.hash_of(job) == result_hash(job.identifier, result)
    assert job.terms["agentIdentifier"] == AGENT


def test_a_launch_from_the_panel_is_kodosumis_own(
    panel: Panel, cluster: Cluster, launched: str
) -> None:
    shown = until(lambda: _finished(panel, launched), "the execution finishes")

    assert json.loads(shown["final"]) == {"Markdown": {"body": "Moin, Ada"}}
    [runner] = cluster.actors("name", launched)
    assert runner["class_name"] == "Runner"
    assert panel.timeline()[launched]["status"] == "finished"


def test_a_launch_from_the_panel_is_no_job_of_ours(
    greeter: Shop, panel: Panel, launched: str
) -> None:
    until(lambda: _finished(panel, launched), "the execution finishes")

    asked = greeter.http.get(f"{greeter.url}/status", params={"job_id": launched})

    assert asked.status_code == 404
    assert greeter.payments(launched) == []
    assert "extra" not in greeter.kinds(launched, "meta")[0].value


def _finished(panel: Panel, execution: str) -> dict[str, Any] | None:
    answer = panel.http.get(f"/outputs/status/{execution}")
    shown: dict[str, Any] = answer.json()
    return shown if shown.get("status") == "finished" else None
