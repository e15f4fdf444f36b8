"""The OpenAPI document of a flow is true: no request gets another answer than it says.

Schemathesis is imported where it is used: it takes longer to import than most tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from masumi_sumi.jobs.model import JobState
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.specs.openapi.schemas import OpenApiSchema
    from sold_app import Shop

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = {"/": FlowTerms(agent_identifier=AGENT, network="Preprod")}
FLOWS = {"priced": "", "free": "/sync"}
ENDPOINTS = {
    "availability": "GET",
    "input_schema": "GET",
    "start_job": "POST",
    "status": "GET",
    "provide_input": "POST",
    "demo": "GET",
    "openapi": "GET",
    "status/{job_id}": "GET",
    "provide_input/{job_id}": "POST",
}

TOLERATED = "negative_data_rejection"
"""The document says how a value is best sent; a seller takes more, such as a number in words."""


@pytest.fixture(scope="module")
def sold(sold_app: Any, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A priced flow at the root and a free one at /sync."""
    found: Shop = sold_app.Shop(tmp_path_factory.mktemp("shop"), PRICED)
    return found


@pytest.fixture(scope="module", params=FLOWS)
def api(request: pytest.FixtureRequest, sold: Shop) -> OpenApiSchema:
    return document(sold, FLOWS[request.param])


def document(sold: Shop, flow: str) -> OpenApiSchema:
    import schemathesis

    schema = schemathesis.openapi.from_asgi(f"{flow}/openapi", sold.middleware)
    schema.config.update(base_url=f"http://localhost{flow}")
    return schema


@pytest.mark.parametrize("questions", [0, 1, 2])
async def test_a_job_with_questions_is_as_the_document_says(sold: Shop, questions: int) -> None:
    job = sold.put(id=f"{questions:024x}", state=JobState.RUNNING)
    for number in range(questions):
        sold.ask(job, f"lock-{questions}-{number}", name=f"question {number}")

    answer = await sold.get("/status", job_id=job.id)

    assert ("input_schema" in answer.json()) == bool(questions)
    assert ("input_groups" in answer.text) == (questions > 1)
    api = document(sold, "")
    api["/status"]["GET"].validate_response(answer)


def test_the_input_is_the_forms_own(sold: Shop) -> None:
    shapes = document(sold, "").raw_schema["components"]["schemas"]
    assert shapes["Input"] == {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "pattern": r"^[^\u0000\r\n]*$",
                "minLength": 1,
                "title": "Name",
            },
            "age": {"type": "integer", "minimum": 0, "maximum": 120, "title": "Age"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def test_a_price_makes_the_purchaser_and_the_payment_facts_required(sold: Shop) -> None:
    priced, free = (document(sold, flow).raw_schema for flow in ("", "/sync"))

    def required(shape: Any) -> tuple[set[str], set[str]]:
        body = shape["paths"]["/start_job"]["post"]["requestBody"]["content"]["application/json"]
        started = shape["components"]["schemas"]["Started"]
        return set(body["schema"]["required"]), set(started["required"])

    asked, told = required(priced)
    assert asked == {"identifier_from_purchaser", "input_data"}
    assert {"blockchainIdentifier", "sellerVKey", "payByTime"} < told
    assert required(free) == (
        {"input_data"},
        {"status", "id", "job_id", "input_hash", "inputHash"},
    )


async def test_a_flow_that_cannot_be_sold_has_no_document(
    sold_app: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unsold = {"/": FlowTerms(agent_identifier=AGENT, network="Mainnet")}
    shop = sold_app.Shop(tmp_path_factory.mktemp("unsold"), unsold)
    assert (await shop.get("/openapi")).status_code == 424


@pytest.mark.parametrize("action", ENDPOINTS)
def test_any_request_gets_an_answer_that_the_document_knows(
    api: OpenApiSchema, action: str
) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    tolerated = CHECKS.get_by_names([TOLERATED])
    operation = api[f"/{action}"][ENDPOINTS[action]]
    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(max_examples=15, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(good, bad))
    def ask(case: Case) -> None:
        case.call_and_validate(excluded_checks=tolerated)

    ask()
