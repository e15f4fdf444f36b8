"""The OpenAPI documents are true on the real stack: of a flow, of /mip003 and of /sumi."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from encounter import Encounter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation
from shop import EXPOSE

from masumi_sumi.faces.openapi import mip003_document, sumi_document

# Starting jobs that are free would cost a process each: these wait for their payment.
KNOWN = {"expose": EXPOSE, "flow": "sale"}

# Whether an expose, a flow or a job is there is no matter of a request's shape.
load_all_checks()
SHAPE_ALONE = CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])

Operation = APIOperation[Any, Any, Any, Any]


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(path, method) for path, item in document["paths"].items() for method in item]


# --- what the buyers of the rules were answered --------------------------------------------------


def document_of(met: Encounter) -> Any:
    return schemathesis.openapi.from_dict(met.get("openapi").json())


def test_every_answer_to_a_buyer_is_as_the_flows_document_says(met: Encounter) -> None:
    document = document_of(met)
    for answer in list(met.answers):
        method, path = answer.request.method, _path(met, answer)
        if method.lower() in document.raw_schema["paths"].get(path, {}):
            document[path][method].validate_response(answer)


def test_nothing_but_what_no_document_has_was_left_out(met: Encounter) -> None:
    """The buyers asked all endpoints, and no other but on purpose."""
    known = set(document_of(met).raw_schema["paths"])
    asked = {_path(met, answer) for answer in met.answers}
    assert asked == known


def test_what_a_buyer_sent_is_what_the_document_asks_for(met: Encounter) -> None:
    document = document_of(met).raw_schema
    body = document["paths"]["/start_job"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": document["components"]}
    jsonschema.validate(json.loads(met.started.request.content), schema)


@pytest.mark.parametrize("name", ["V1", "HITL"])
def test_a_flow_answers_any_request_as_its_document_says(
    encounters: Callable[[str], Encounter], name: str
) -> None:
    """What it takes waits for its payment: no job of these begins."""
    met = encounters(name)
    raw = document_of(met).raw_schema
    schema, address = schemathesis.openapi.from_dict(raw), met.url
    told = {
        path: ask(schema[path][method.upper()], address, job_id=met.job_id)
        for path, method in operations(raw)
    }

    assert told["/start_job"] == {200, 400}


def _path(met: Encounter, answer: httpx.Response) -> str:
    """As the document writes it."""
    below = answer.request.url.path.split(met.ware.flow, 1)[1]
    return below.rstrip("/").replace(met.job_id, "{job_id}")


# --- the gateway ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "made"), [("mip003", mip003_document), ("sumi", sumi_document)])
def test_the_gateway_serves_its_documents(bazaar: str, name: str, made: Any) -> None:
    answer = httpx.get(f"{bazaar}/{name}/openapi.json", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, made())


@pytest.mark.parametrize(("path", "method"), operations(mip003_document()))
def test_mip003_through_the_gateway(bazaar: str, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(mip003_document())
    ask(schema[path][method.upper()], f"{bazaar}/mip003")


@pytest.mark.parametrize(("path", "method"), operations(sumi_document()))
def test_the_notebooks_dialect(bazaar: str, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(sumi_document())
    ask(schema[path][method.upper()], bazaar)


def ask(operation: Operation, base_url: str, **there: str) -> set[int]:
    """Any request, to what is there and to what is not. Returns the statuses of the answers."""
    told: set[int] = set()
    known = KNOWN | there
    places = [name for name in known if f"{{{name}}}" in operation.path]
    here = {name: known[name] for name in places}
    ways = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    ways += [operation.as_strategy(path_parameters=here)] * bool(places)

    @settings(max_examples=30, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(ways))
    def send(case: Case) -> None:
        answer = case.call(base_url=base_url)
        told.add(answer.status_code)
        case.validate_response(answer, excluded_checks=SHAPE_ALONE)

    send()
    return told
