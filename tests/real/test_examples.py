"""The examples as an operator sells them: unmodified apps behind our application builder."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from shop import Hired, Shop

from masumi_sumi.cli import panel
from masumi_sumi.cli.stack import Stack

EXAMPLES = ("form-elements", "knowledge-graph", "prime")


@pytest.fixture(scope="module")
def shops(stack: Stack) -> dict[str, Shop]:
    stack.deploy([f"examples.{name.replace('-', '_')}:fast_app" for name in EXAMPLES])
    return {name: Shop(stack, name) for name in EXAMPLES}


@pytest.fixture(scope="module")
def hired(shops: dict[str, Shop]) -> dict[str, Hired]:
    """One job of each, side by side."""
    forms = {"username": "DemoUser", "password": "secretpass123", "email": "user@example.com"}
    primes = {"start": "0", "end": "100000", "tasks": "10"}
    return {
        "form-elements": shops["form-elements"].hire("/text-inputs", **forms),
        "knowledge-graph": shops["knowledge-graph"].hire("/serve", start="person"),
        "prime": shops["prime"].hire("", **primes),
        "prime async": shops["prime"].hire("/async", **primes),
        "prime by default": shops["prime"].hire("/async"),
    }


def test_a_filled_form_is_answered(shops: dict[str, Shop], hired: dict[str, Hired]) -> None:
    result = shops["form-elements"].result(hired["form-elements"])

    assert json.loads(result) == {"ok": True}


def test_a_journey_through_the_graph(shops: dict[str, Shop], hired: dict[str, Hired]) -> None:
    result = shops["knowledge-graph"].result(hired["knowledge-graph"])

    assert result.startswith("# From Person to Cardano\n")
    assert "4. Smart Contract lives on **Cardano**" in result


@pytest.mark.parametrize("flow", ["prime", "prime async"])
def test_primes_are_counted_as_in_the_notebook(
    shops: dict[str, Shop], hired: dict[str, Hired], flow: str
) -> None:
    counts = json.loads(shops["prime"].result(hired[flow]))

    assert {gap: counts[gap] for gap in ("1", "2", "4", "10", "12")} == {
        **{"1": 1, "2": 1224, "4": 1215, "10": 916, "12": 964}
    }


def test_no_input_means_the_defaults(shops: dict[str, Shop], hired: dict[str, Hired]) -> None:
    counts = json.loads(shops["prime"].result(hired["prime by default"]))

    assert sum(counts.values()) == 664_579 - 1  # a gap less than there are primes up to ten million
    assert counts["2"] == 58_980


def test_what_is_no_number_fails_the_job(shops: dict[str, Shop]) -> None:
    job = shops["prime"].hire("", start="not-a-number", end="also-invalid", tasks="abc")

    assert "invalid literal" in shops["prime"].failure(job)


def test_the_panel_shows_every_field_of_a_form(stack: Stack, shops: dict[str, Shop]) -> None:
    key = panel.login(stack.urls["panel"], *stack.panel_login)
    headers = {panel.HEADER: key}
    url = stack.urls["panel"]
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as operator:
        listed = operator.get("/flow", params={"pp": 1000}, timeout=30).json()["items"]
        (flow_url,) = [flow["url"] for flow in listed if flow["url"].endswith("/text-inputs")]
        page = operator.get(f"/inputs{flow_url}", timeout=30).text

    shown = set(re.findall(r'name="(\w+)"', page))
    assert {"username", "password", "email", "website", "phone", "search", "bio"} <= shown


def test_a_form_refuses_what_its_author_refuses(shops: dict[str, Shop]) -> None:
    answer = shops["knowledge-graph"].ask_to_hire("/serve", goal="Bitcoin")

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"goal": ["Bitcoin is not in the graph"]}
