"""Test that no answer to a buyer holds a secret of the seller's, or the words of another buyer."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import Request

from masumi_sumi.faces.sumi import DIALECT, DIALECT_HEADER
from masumi_sumi.flows import error_text
from masumi_sumi.jobs import events
from masumi_sumi.jobs.machine import decide
from masumi_sumi.jobs.model import JobState, Payment, PaymentState, PaymentView
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
NOTEBOOK = {DIALECT_HEADER: DIALECT}


class AuthenticationError(Exception):
    """As of the package openai."""


class OperationalError(Exception):
    """As of SQLAlchemy over psycopg."""


class ClientError(Exception):
    """As of botocore."""


EXCEPTIONS: dict[str, Exception] = {
    "openai": AuthenticationError(
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided: "
        "sk-proj-PLANTED1aB2cD3eF4gH5iJ6. You can find your API key at "
        "https://platform.openai.com/account/PLANTED2.', 'code': 'invalid_api_key'}}"
    ),
    "sqlalchemy": OperationalError(
        "(psycopg.OperationalError) connection failed: connection to server at "
        '"10.77.3.9", port 5432 failed: FATAL: password authentication failed for '
        "postgresql+psycopg://app:PLANTED1@planted-db.prod.internal:5432/PLANTED2?password=PLANTED3"
        "\n(Background on this error at: https://sqlalche.me/e/20/e3q8)"
    ),
    "requests": ConnectionError(
        "HTTPSConnectionPool(host='vault.planted.corp', port=8200): Max retries exceeded with url: "
        "/v1/PLANTED1?token=PLANTED2 (Caused by NewConnectionError('<urllib3 object at 0x7f1>: "
        "Failed to establish a new connection to planted-vault:8200: [Errno 111] refused'))"
    ),
    "boto": ClientError(
        "An error occurred (SignatureDoesNotMatch) when calling the PutObject operation: "
        "AWSAccessKeyId=AKIAPLANTED1IOSFODNN secret wJalrXUtnFEMI/K7PLANTED2/bPxRfiCYzzz "
        "for arn:aws:s3:::planted-bucket/PLANTED3"
    ),
    "redis": ConnectionError(
        "Error 111 connecting to planted-redis.svc:6379 with AUTH default password='PLANTED1 x'. "
        "redis://:PLANTED2@planted-redis:6379/0 Authorization: Bearer PLANTED3.abc"
    ),
}


def is_clean(text: str) -> bool:
    return not any(mark in text.lower() for mark in ("planted", "10.77", "traceback", "/srv/"))


@pytest.fixture(params=EXCEPTIONS)
def exception(request: pytest.FixtureRequest) -> Exception:
    return EXCEPTIONS[request.param]


@pytest.fixture
def api(sold_app: ModuleType, exception: Exception) -> Any:
    """An app whose every piece of code fails with this exception, each at its own flow."""
    app = sold_app.build()

    @app.enter("/breaks", model=sold_app.form(), summary="Breaks")
    async def breaks(inputs: dict[str, Any], request: Request) -> Any:
        raise exception

    @app.enter("/refuses", model=sold_app.form(), summary="Refuses")
    async def refuses(inputs: dict[str, Any], request: Request) -> Any:
        refusal = sold_app.InputsError(f"no: {exception}")
        refusal.add(name=str(exception))
        raise refusal

    @app.enter("/dear", model=sold_app.form(), summary="Dear")
    async def dear(inputs: dict[str, Any], request: Request) -> Any:
        return sold_app.Launch(request, sold_app.work, inputs=inputs)

    @app.lock("question")
    async def question(data: Any) -> Any:
        if data == "form":
            raise exception
        return sold_app.form()

    @app.lease("question")
    async def lease(inputs: Any, data: Any) -> Any:
        if data == "refused":
            refusal = sold_app.InputsError(str(exception))
            refusal.add(name=str(exception))
            raise refusal
        raise exception

    return app


@pytest.fixture
def sold(shop: MakeShop, api: Any, exception: Exception, sold_app: ModuleType) -> Shop:
    def price(inputs: Any) -> int:
        raise exception

    terms = replace_terms(sold_app, price)
    return shop({"/dear": terms}, api=api)


def replace_terms(sold_app: ModuleType, price: Any) -> FlowTerms:
    return FlowTerms(
        agent_identifier=sold_app.AGENT, network="Preprod", pricing="Dynamic", price=price
    )


@pytest.mark.parametrize("headers", [{}, NOTEBOOK], ids=["mip003", "notebook"])
@pytest.mark.parametrize("flow", ["/breaks", "/refuses", "/dear"])
async def test_a_start_that_fails_shows_no_secret(
    sold: Shop, flow: str, headers: dict[str, str]
) -> None:
    body = {"identifier_from_purchaser": "b69a06808228fd00", "input_data": {"name": "Ada"}}

    answer = await sold.post(f"{flow}/start_job", body, headers=headers)

    assert answer.status_code in ((400, 422) if not headers else (201, 400))
    assert is_clean(answer.text), answer.text
    assert sold.desk.jobs == {}


async def test_a_failed_job_shows_no_secret(sold: Shop, exception: Exception) -> None:
    trace = "".join(traceback.format_exception(exception))
    failed = sold.put(flow="/breaks", state=JobState.FAILED, failure=error_text(trace))

    for headers in ({}, NOTEBOOK):
        async with sold.client() as client:
            params = {"job_id": failed.id}
            answer = await client.get("/breaks/status", params=params, headers=headers)
        assert answer.json()["status"] == "failed"
        assert type(exception).__name__ in answer.json()["error"]
        assert is_clean(answer.text), answer.text


@pytest.mark.parametrize("data", ["breaks", "refused", "form"])
async def test_an_answer_that_the_authors_code_breaks_on_shows_no_secret(
    sold: Shop, sold_app: ModuleType, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masumi_sumi.runtime.agent import KodosumiAgent

    for name in ("lock_form", "lease"):  # the stand-in's own are for other tests
        monkeypatch.delattr(sold_app.AnsweringAgent, name)
    lock = {"name": "question", "data": data, "result": None}
    monkeypatch.setattr("kodosumi.serve.find_lock", lambda fid, lid: (lock, None))
    running = sold.put(flow="/breaks", state=JobState.RUNNING)
    sold.ask(running, **({"form": None} if data == "form" else {}))
    body = {"job_id": running.id, "status_id": "lock-1", "input_data": {"name": "Ada"}}

    answer = await sold.post("/breaks/provide_input", body)
    status = await sold.get("/breaks/status", job_id=running.id)

    assert issubclass(sold_app.AnsweringAgent, KodosumiAgent)
    assert answer.status_code in (400, 404, 409, 422)
    assert status.status_code == 200
    assert is_clean(answer.text + status.text), answer.text + status.text


def test_the_nodes_own_note_shows_no_secret_in_a_failure(
    sold: Shop, sold_app: ModuleType, exception: Exception
) -> None:
    payment = Payment("Preprod", state=PaymentState.AWAITING_FUNDS)
    job = sold.put(state=JobState.AWAITING_PAYMENT, payment=payment)
    job = job.with_(payment=replace(payment, facts=sold_app.facts_of(job)))
    view = PaymentView(
        blockchain_identifier="5e" * 600,
        on_chain_state="FundsOrDatumInvalid",
        action="WaitingForExternalAction",
        error_note=str(exception),
    )

    failed = decide(job, events.PaymentSeen(view), 1.0).job

    assert failed.state is JobState.FAILED
    assert is_clean(failed.failure or ""), failed.failure


# --- other buyers ---------------------------------------------------------------------------------


@pytest.fixture
def talkative(shop: MakeShop, sold_app: ModuleType) -> Shop:
    """An app whose handlers name each launch after its buyer's input."""
    app = sold_app.build()

    @app.enter(
        "/named",
        model=sold_app.F.Model(
            sold_app.F.InputText(name="name", label="Name", required=True),
            sold_app.F.Select(
                name="taste",
                label="Taste",
                option=[sold_app.F.InputOption(each, each) for each in ("sweet", "sour")],
            ),
            sold_app.F.Submit("Go"),
        ),
        summary="Named",
        description="For all",
    )
    async def named(inputs: dict[str, Any], request: Request) -> Any:
        await asyncio.sleep(0)
        words = f"WORDS-OF-{inputs['name']}"
        return sold_app.Launch(
            request,
            sold_app.work,
            inputs=inputs,
            reference=named if inputs["name"].startswith("buyer") else None,
            summary=words,
            description=words,
        )

    return shop({}, api=app)


async def read_all(sold: Shop) -> list[str]:
    """Everything that an app tells to anybody."""
    paths = ("availability", "input_schema", "openapi")
    texts = [(await sold.get(f"/named/{path}")).text for path in paths]
    async with sold.client() as client:
        for path in paths[:2]:
            texts.append((await client.get(f"/named/{path}", headers=NOTEBOOK)).text)
        texts.append((await client.get("/named")).text)
        texts.append((await client.get("/openapi.json")).text)
    return texts


async def test_what_a_handler_says_of_one_launch_stays_with_that_launch(
    talkative: Shop, runners: list[Any]
) -> None:
    before = await read_all(talkative)

    async def hire(name: str) -> httpx.Response:
        data = {"name": name, "taste": "sour"}
        return await talkative.start("/named", input_data=data)

    names = [f"buyer{n}" for n in range(20)] + ["Ada", "Eve"]
    answers = await asyncio.gather(*map(hire, names))
    by_operator = {"name": "operator", "taste": "sour"}
    await talkative.post_from_gateway("/named", by_operator)
    after = await read_all(talkative)

    assert {answer.status_code for answer in answers} == {200}
    assert after == before
    for name, answer in zip(names, answers, strict=True):
        others = [f"WORDS-OF-{other}" for other in [*names, "operator"]]
        assert not any(words in answer.text for words in others)
        launch = talkative.desk.launches[answer.json()["job_id"]]
        assert launch.meta["summary"] == launch.meta["description"] == f"WORDS-OF-{name}"
