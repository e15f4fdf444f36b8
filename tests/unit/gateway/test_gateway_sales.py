"""What the gateway tells of prices and networks, and whom it lets in, is what the apps sell."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from counter import AGENT, Counter
from sqlalchemy import update

from masumi_sumi.exposes import ExposeState, FoundFlow, draft_of
from masumi_sumi.exposes.schema import flows
from masumi_sumi.jobs.model import JobState, Payment, Pricing, Terms
from masumi_sumi.jobs.sale import Sale
from masumi_sumi.settings import Network

OTHER = f"{AGENT[:-2]}cd"
HIRE = {"identifier_from_purchaser": "demo-123"}
NAMED = f"agentIdentifier: {AGENT}\n"
AMOUNTS = {"pricingType": "Fixed", "fixedPricing": [{"amount": "5", "unit": ""}]}
PRICED = f"{NAMED}agentPricing: {{pricingType: Fixed, fixedPricing: [{{amount: '5', unit: ''}}]}}\n"
FREE_CARD = "agentPricing: {pricingType: Free}\n"
UP: dict[str, Any] = {"type": "masumi-agent", "status": "available", "uptime": "7"}


def a_sale(
    pricing: Pricing = "Fixed", agent: str = OTHER, network: Network | str = "Preprod"
) -> Sale:
    said = {"pricing": pricing, "agent_identifier": agent, "network": network}
    return Sale.model_validate(said)


GIFT = a_sale("Free", agent="", network="")


async def shown(counter: Counter, id_: str) -> tuple[Any, Any, Any]:
    item = (await counter.client("user").get(f"/sumi/{id_}")).json()
    return item["agentIdentifier"], item["agentPricing"], item["network"]


async def ids(client: httpx.AsyncClient) -> list[str]:
    return [item["id"] for item in (await client.get("/sumi")).json()["items"]]


# --- what is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "sale", "agent", "pricing"),
    [
        ("display: x", GIFT, None, {"pricingType": "Free"}),
        ("display: x", a_sale(), OTHER, {"pricingType": "Fixed"}),
        ("display: x", a_sale("Dynamic"), OTHER, {"pricingType": "Dynamic"}),
        ("display: x", a_sale("Free"), OTHER, {"pricingType": "Free"}),
        ("display: x", None, None, {"pricingType": "Free"}),
        (NAMED, None, AGENT, {"pricingType": "Fixed"}),
        (f"{NAMED}terms: {{price: 5}}", None, AGENT, {"pricingType": "Dynamic"}),
        (NAMED + FREE_CARD, None, AGENT, {"pricingType": "Free"}),
        (NAMED, a_sale(agent=AGENT), AGENT, {"pricingType": "Fixed"}),
        (PRICED, a_sale(agent=AGENT), AGENT, AMOUNTS),
        (PRICED, None, AGENT, AMOUNTS),
        (NAMED, a_sale("Dynamic"), OTHER, {"pricingType": "Dynamic"}),
        (NAMED, GIFT, AGENT, {"pricingType": "Fixed"}),
    ],
)
async def test_identity_and_price_are_the_apps_and_amounts_the_cards(
    counter: Counter, card: str, sale: Sale | None, agent: str | None, pricing: dict[str, Any]
) -> None:
    await counter.sells("prime", "/async", sale=sale)
    await counter.card("/prime/async", card)

    assert (await shown(counter, "prime/async"))[:2] == (agent, pricing)


@pytest.mark.parametrize(
    ("expose", "app", "told"),
    [
        ("Preprod", None, "Preprod"),
        ("Preprod", GIFT, "Preprod"),
        (None, a_sale(), "Preprod"),
        (None, GIFT, None),
        (None, None, None),
        ("Mainnet", a_sale(), "Preprod"),
    ],
)
async def test_the_network_is_the_one_that_the_app_sells_on(
    counter: Counter, expose: str | None, app: Sale | None, told: str | None
) -> None:
    await counter.sells("prime", "/async", network=expose, sale=app)

    assert (await shown(counter, "prime/async"))[2] == told


# --- who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize("face", ["sumi", "mip003"])
@pytest.mark.parametrize("sale", [a_sale(), a_sale("Dynamic"), a_sale("Free")])
async def test_what_its_app_sells_is_open_to_buyers_without_a_network_of_its_expose(
    counter: Counter, face: str, sale: Sale
) -> None:
    await counter.sells("prime", "/async", network=None, sale=sale)

    answer = await counter.client().post(f"/{face}/prime/async/start_job", json=HIRE)

    assert (answer.status_code, len(counter.apps.asked)) == (200, 1)
    assert await ids(counter.client()) == ["prime/async"]


@pytest.mark.parametrize("face", ["sumi", "mip003"])
@pytest.mark.parametrize(
    ("sale", "card"),
    [
        (None, "display: x"),
        (None, NAMED),
        (GIFT, "display: x"),
        (a_sale("Free", agent=""), "display: x"),
        (a_sale("Free", network=""), "display: x"),
        (a_sale("Free"), FREE_CARD),
    ],
)
async def test_what_its_app_does_not_sell_stays_behind_the_login(
    counter: Counter, face: str, sale: Sale | None, card: str
) -> None:
    await counter.sells("prime", "/async", network=None)
    await counter.card("/prime/async", card)
    await counter.refreshed("prime")
    await counter.book.found("prime", [FoundFlow("/async", sale=sale)])
    path = f"/{face}/prime/async/start_job"

    stranger = await counter.client().post(path, json=HIRE)
    user = await counter.client("user").post(path, json=HIRE)

    assert (stranger.status_code, user.status_code) == (401, 200)
    assert await ids(counter.client()) == []
    assert await ids(counter.client("user")) == ["prime/async"]


async def test_one_flow_that_is_sold_opens_no_other(counter: Counter) -> None:
    await counter.sells("prime", network=None)
    flows = [FoundFlow("/sold", sale=a_sale()), FoundFlow("/own", sale=GIFT)]
    await counter.book.found("prime", flows)

    assert await ids(counter.client()) == ["prime/sold"]
    assert (await counter.client().get("/mip003/prime/own/input_schema")).status_code == 401


async def test_another_card_takes_no_buyer_from_the_app_that_runs(counter: Counter) -> None:
    await counter.sells("prime", "/async", network=None, sale=a_sale())
    await counter.card("/prime/async", "display: Another name")

    answer = await counter.client().post("/mip003/prime/async/start_job", json=HIRE)

    assert answer.status_code == 200


async def test_another_app_is_closed_until_it_tells_what_it_sells(counter: Counter) -> None:
    await counter.sells("prime", "/async", network=None, sale=a_sale())
    other = {"name": "prime", "bootstrap": "import_path: another.module:app"}
    await counter.book.save(draft_of(other))
    await counter.refreshed("prime")

    assert (await counter.client().get("/sumi/prime/async/availability")).status_code == 401
    await counter.book.found("prime", [FoundFlow("/async", sale=a_sale())])
    assert (await counter.client().get("/sumi/prime/async/availability")).status_code == 200


# --- jobs ----------------------------------------------------------------------------------------


async def test_free_jobs_of_what_strangers_may_hire_are_theirs_to_follow(counter: Counter) -> None:
    await counter.sells("prime", network=None)
    flows = [FoundFlow("/async", sale=a_sale("Free")), FoundFlow("/own", sale=GIFT)]
    await counter.book.found("prime", flows)
    public = counter.jobs.has(JobState.RUNNING)
    private = counter.jobs.has(JobState.RUNNING, id="private", flow="/own")

    for job, status in ((public, 200), (private, 401)):
        for path in (
            f"/sumi/status/{job.id}",
            f"/sumi/prime{job.flow}/status/{job.id}",
            f"/mip003/prime{job.flow}/status/{job.id}",
        ):
            assert (await counter.client().get(path)).status_code == status
            assert (await counter.client("user").get(path)).status_code == 200


async def test_a_sold_job_is_followed_also_while_nobody_knows_what_its_app_sells(
    counter: Counter,
) -> None:
    await counter.sells("prime", "/async", network=None, sale=a_sale())
    terms = Terms(pricing="Fixed", network="Preprod", agent_identifier=OTHER)
    job = counter.jobs.has(JobState.RUNNING, terms=terms, payment=Payment("Preprod"))
    await counter.book.looked("prime", ExposeState.UNHEALTHY, "it died")
    assert (await counter.client().get("/mip003/prime/async/availability")).status_code == 401

    for enabled in (True, False):
        await counter.book.save(draft_of({"name": "prime", "enabled": enabled}))
        for face in ("sumi", "mip003"):
            path = f"/{face}/prime/async/status"
            asked = await counter.client().get(path, params={"job_id": job.id})
            assert (asked.status_code, asked.json()["status"]) == (200, "running")


# --- availability --------------------------------------------------------------------------------


async def availability(counter: Counter, face: str) -> dict[str, Any]:
    counter.apps.answer = httpx.Response(200, json={**UP, "message": "ready"})
    answer = await counter.client().get(f"/{face}/prime/async/availability")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


@pytest.mark.parametrize("face", ["sumi", "mip003"])
async def test_what_waits_for_a_refresh_is_not_available(counter: Counter, face: str) -> None:
    await counter.sells("prime", "/async")
    before = await availability(counter, face)
    await counter.card("/prime/async", NAMED)

    waiting = await availability(counter, face)
    await counter.refreshed("prime")
    after = await availability(counter, face)

    assert (before["status"], waiting["status"], after["status"]) == (
        "available",
        "unavailable",
        "available",
    )
    assert waiting["message"].endswith("its terms have changed: 'prime' waits for a refresh")
    assert waiting["type"] == "masumi-agent"


async def test_all_else_that_the_app_says_of_its_availability_is_told(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    await counter.card("/prime/async", NAMED)

    said = await availability(counter, "mip003")

    told = {"status": "unavailable", "message": said["message"]}
    assert said == {**UP, **told}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"detail": "internal error"}),
        httpx.Response(200, json=["an author's own"]),
    ],
)
async def test_another_answer_than_of_availability_stays_the_apps(
    counter: Counter, answer: httpx.Response
) -> None:
    await counter.sells("prime", "/async")
    await counter.card("/prime/async", NAMED)
    counter.apps.answer = answer

    told = await counter.client().get("/mip003/prime/async/availability")

    assert (told.status_code, told.content) == (answer.status_code, answer.content)


@pytest.mark.parametrize("network", ["Mainnet", None])
async def test_another_network_waits_for_a_refresh_too(
    counter: Counter, network: str | None
) -> None:
    await counter.sells("prime", "/async", sale=a_sale())
    await counter.book.save(draft_of({"name": "prime", "network": network}))

    said = await availability(counter, "mip003")
    started = await counter.client().post("/mip003/prime/async/start_job", json=HIRE)

    assert (said["status"], started.status_code) == ("unavailable", 503)
    assert "waits for a refresh" in started.json()["detail"]


async def test_a_card_that_no_app_can_be_given_sells_nothing(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    expose = await counter.book.get("prime")
    await _spoil(counter, expose.meta[0].url)

    said = await availability(counter, "mip003")
    started = await counter.client().post("/mip003/prime/async/start_job", json=HIRE)

    assert (said["status"], started.status_code) == ("unavailable", 503)
    assert said["message"] == started.json()["detail"]
    assert said["message"].endswith("a card of 'prime' cannot be read")


async def _spoil(counter: Counter, url: str) -> None:
    """As if it had been saved before a rule got stricter."""
    row = update(flows).where(flows.c.url == url).values(data="agentIdentifier: 7")
    await counter.book._database.write(row)
