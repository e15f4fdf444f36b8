"""The examples ask what Kodosumi's notebook of the Sumi API prints, and refuse as it prints."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from masumi_sumi.flows import mip003_schema, read_form, sumi_schema
from masumi_sumi.runtime.agent import flows_of

PRINTED_FLOWS = {
    "form_elements": {
        "/complete-form": "Complete Registration Form",
        "/datetime-inputs": "Date/Time Input Types Demo",
        "/numeric-inputs": "Numeric Input Types Demo",
        "/selection-inputs": "Selection Input Types Demo",
        "/special-inputs": "Special Input Types Demo",
        "/text-inputs": "Text Input Types Demo",
    },
    "knowledge_graph": {"/serve": "jKx Knowledge Graph"},
    "prime": {"/": "Prime Gap Distribution", "/async": "Prime Gap Distribution (async)"},
    "two_stage": {"/": "Masumi Two-Stage Service"},
}

PRINTED_TEXT_INPUTS = [  # the notebook's print ends after these
    {
        "data": {"placeholder": "Enter your username (3-20 chars)"},
        "id": "username",
        "name": "Username",
        "type": "text",
        "validations": {"max": "20"},
    },
    {
        "data": {"placeholder": "Min 8 characters"},
        "id": "password",
        "name": "Password",
        "type": "password",
        "validations": {"max": "100", "min": "8"},
    },
    {
        "data": {"placeholder": "user@example.com"},
        "id": "email",
        "name": "Email Address",
        "type": "email",
        "validations": {"format": "email"},
    },
    {
        "data": {"placeholder": "https://example.com"},
        "id": "website",
        "name": "Website URL",
        "type": "url",
        "validations": {"format": "url", "optional": True},
    },
]

PRINTED_PRIME = [
    {
        "data": {"default": default},
        "id": name.lower(),
        "name": name,
        "type": "text",
        "validations": {"optional": True},
    }
    for name, default in [("Start", "0"), ("End", "10000000"), ("Tasks", "200")]
]

ALL = [(app, flow) for app, flows in PRINTED_FLOWS.items() for flow in flows]


def elements(module: ModuleType, flow: str) -> list[dict[str, Any]]:
    handler = flows_of(module.app)[flow]
    found: list[dict[str, Any]] = module.app._method_lookup[handler]["model"].get_model()
    return found


async def post(module: ModuleType, flow: str, inputs: dict[str, Any]) -> dict[str, list[str]]:
    """The errors at the fields that the author's handler answers."""
    transport = httpx.ASGITransport(app=module.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        answer = (await client.post(flow, json=inputs)).json()
    assert answer["errors"].pop("_global_") == []
    errors: dict[str, list[str]] = answer["errors"]
    return errors


@pytest.mark.parametrize("app", PRINTED_FLOWS)
def test_the_flows_are_called_as_in_the_notebook(apps: SimpleNamespace, app: str) -> None:
    module = getattr(apps, app)
    known = {
        flow: module.app._method_lookup[handler]["summary"]
        for flow, handler in flows_of(module.app).items()
    }

    assert known == PRINTED_FLOWS[app]


def test_text_inputs_are_asked_as_the_notebook_prints_them(apps: SimpleNamespace) -> None:
    schema = sumi_schema(read_form(elements(apps.form_elements, "/text-inputs")))

    assert schema["input_data"][:4] == PRINTED_TEXT_INPUTS
    assert schema["input_data"][4]["data"]["placeholder"].startswith("+1 (")
    assert schema["input_groups"] is None


@pytest.mark.parametrize("flow", ["/", "/async"])
def test_primes_are_asked_as_the_notebook_prints_them(apps: SimpleNamespace, flow: str) -> None:
    schema = sumi_schema(read_form(elements(apps.prime, flow)))

    assert schema == {"input_data": PRINTED_PRIME, "input_groups": None}


@pytest.mark.parametrize(("app", "flow"), ALL)
def test_every_flow_asks_a_buyer_for_each_field_of_its_form(
    apps: SimpleNamespace, app: str, flow: str
) -> None:
    module = getattr(apps, app)
    handler = flows_of(module.app)[flow]
    children = module.app._method_lookup[handler]["model"].children
    named = [child.name for child in children if getattr(child, "name", None)]

    asked = mip003_schema(read_form(elements(module, flow)))["input_data"]

    fields = [field["id"] for field in asked if field["type"] != "none"]
    assert fields == [name for name in named if name != "_global_"]


def test_the_forms_show_every_type_of_field(apps: SimpleNamespace) -> None:
    asked = {
        field["type"]
        for flow in flows_of(apps.form_elements.app)
        for field in mip003_schema(read_form(elements(apps.form_elements, flow)))["input_data"]
    }

    assert asked == {
        *("text", "password", "email", "url", "tel", "search", "textarea", "number", "range"),
        *("date", "time", "datetime-local", "month", "week", "boolean", "option", "radio"),
        *("color", "file", "hidden", "none"),
    }


REFUSALS: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    (
        "/text-inputs",
        {},
        {
            "username": ["Username is required"],
            "password": ["Password is required"],
            "email": ["Email is required"],
        },
    ),
    (
        "/text-inputs",
        {"username": "DemoUser"},
        {"password": ["Password is required"], "email": ["Email is required"]},
    ),
    (
        "/text-inputs",
        {"username": "DemoUser", "password": "secretpass123"},
        {"email": ["Email is required"]},
    ),
    (
        "/text-inputs",
        {"username": "DemoUser", "password": "short", "email": "user@example.com"},
        {"password": ["Password must have at least 8 characters"]},
    ),
    (
        "/numeric-inputs",
        {"age": "0", "volume": "50"},
        {"quantity": ["Quantity is required"]},
    ),
    (
        "/complete-form",
        {
            "full_name": "Ada",
            "email": "a@b.c",
            "password": "secretpass123",
            "birth_date": "1815-12-10",
            "plan": "free",
        },
        {"terms": ["Please agree to the terms"]},
    ),
]


@pytest.mark.parametrize(("flow", "inputs", "errors"), REFUSALS)
async def test_forms_refuse_in_their_author_s_words(
    apps: SimpleNamespace, flow: str, inputs: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    assert await post(apps.form_elements, flow, inputs) == errors


async def test_the_graph_names_what_it_does_not_know(apps: SimpleNamespace) -> None:
    errors = await post(apps.knowledge_graph, "/serve", {"start": "ray", "goal": "Bitcoin"})

    assert errors == {"goal": ["Bitcoin is not in the graph"]}


def test_a_journey_takes_the_fewest_facts(apps: SimpleNamespace) -> None:
    journey = apps.knowledge_graph.journey

    assert [step[2] for step in journey("Sokosumi", "MIP-003")] == ["MIP-003"]
    assert [step[2] for step in journey("Person", "Cardano")] == [
        "Agent",
        "Masumi",
        "Smart Contract",
        "Cardano",
    ]
    assert journey("Ray", "Ray") == []
    assert journey("Cardano", "Kodosumi") is None


@pytest.mark.parametrize("inputs", [{"start": "not-a-number"}, {"end": "1e5"}, {"tasks": "abc"}])
def test_what_is_no_whole_number_fails_the_job(
    apps: SimpleNamespace, inputs: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        apps.prime.stretches(inputs)


@pytest.mark.parametrize("inputs", [{"end": "100000001"}, {"tasks": "1001"}])
def test_too_much_work_fails_the_job_at_once(apps: SimpleNamespace, inputs: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at most 1000 tasks"):
        apps.prime.stretches(inputs)


@pytest.mark.parametrize("inputs", [{}, {"start": "", "end": None, "tasks": ""}])
def test_no_input_means_the_defaults(apps: SimpleNamespace, inputs: dict[str, Any]) -> None:
    stretches = apps.prime.stretches(inputs)

    assert len(stretches) == 200
    assert (stretches[0][0], stretches[-1][1]) == (0, 10_000_000)
