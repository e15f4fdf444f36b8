"""A hire that is taken up again from its record: never paid twice, never paid on faith."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from agent_stand_in import FREE, QUESTION, RESULT, Script, Seller, priced
from starlette.responses import JSONResponse

from masumi_sumi.buyer import Asked, Buyer, Event, Hire, Moved, Proven, Purchases
from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import HireUnresumable, NodeUnreachable, TermsRefused
from masumi_sumi.jobs.model import JobState
from masumi_sumi.sandbox import Pricing, Sandbox
from masumi_sumi.signing import AgentKey

MakeBuyer = Callable[..., Buyer]
Raw = dict[str, Any]
GIVEN = {"name": "Ada", "size": "Large"}
KEY = AgentKey(b"k" * 32)


async def say_hello(asked: Asked) -> Mapping[str, Any]:
    return {"word": "hello"}


async def hired(buyer: Buyer) -> Hire:
    return await buyer.hire(await buyer.offer(), GIVEN)


async def end(hire: Hire) -> list[Event]:
    return [event async for event in hire.run(say_hello) if not isinstance(event, Moved)]


def kinds(seen: list[Event]) -> list[str]:
    return [type(event).__name__ for event in seen]


def as_kept(hire: Hire) -> Raw:
    """The record as a file gives it back."""
    kept: Raw = json.loads(json.dumps(hire.record()))
    return kept


# --- not paid yet ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("pricing", ["Fixed", "Dynamic"])
async def test_what_was_not_paid_is_verified_again_and_paid_once(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, version: int, pricing: str
):
    seller.terms = priced(sandbox, version, pricing=pricing)
    first = await hired(buyer())

    again = await buyer().resume(as_kept(first))
    seen = await end(again)

    assert not as_kept(first)["bought"]
    assert (again.job_id, again.terms) == (first.job_id, first.terms)
    assert kinds(seen) == ["Bought", "Locked", "Delivered", "Proven"]
    assert sandbox.requests()["POST /purchase"] == 1


async def test_what_is_too_late_to_pay_is_not_paid(
    buyer: MakeBuyer, sandbox: Sandbox, clock: ManualClock
):
    first = await hired(buyer())
    assert first.terms is not None
    clock.advance(first.terms.times.pay_by / 1000 - clock.now() - 60)

    with pytest.raises(TermsRefused, match="leaves 60 s to pay") as refusal:
        await buyer().resume(as_kept(first))

    assert refusal.value.term == "times"
    assert "POST /purchase" not in sandbox.requests()


def another_price(raw: Raw) -> None:
    raw["terms"]["order"]["price"] = [{"amount": "9000000", "unit": ""}]


def another_seller(raw: Raw) -> None:
    raw["terms"]["order"]["seller_vkey"] = "c" * 56


def another_time(raw: Raw) -> None:
    raw["terms"]["order"]["times"]["unlock"] += 1


@pytest.mark.parametrize("change", [another_price, another_seller, another_time])
async def test_terms_that_were_changed_in_the_record_do_not_verify(
    buyer: MakeBuyer, sandbox: Sandbox, change: Callable[[Raw], None]
):
    raw = as_kept(await hired(buyer()))
    change(raw)

    with pytest.raises(TermsRefused):
        await buyer().resume(raw)

    assert "POST /purchase" not in sandbox.requests()


async def test_a_price_that_rose_meanwhile_is_not_paid(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    raw = as_kept(await hired(buyer()))
    sandbox.register(seller.terms.agent_identifier, amount=99_000_000)

    with pytest.raises(TermsRefused, match="registered for 99 ADA"):
        await buyer().resume(raw)


@pytest.mark.parametrize("status", ["failed", "running"])
async def test_a_job_that_does_not_wait_for_the_money_is_not_paid(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, status: str
):
    raw = as_kept(await hired(buyer()))
    seller.alters["status"] = lambda body: body | {"status": status}

    with pytest.raises(HireUnresumable, match=f"says that it is {status}"):
        await buyer().resume(raw)

    assert "POST /purchase" not in sandbox.requests()


async def test_the_doubts_of_the_day_are_told(buyer: MakeBuyer, seller: Seller, sandbox: Sandbox):
    raw = as_kept(await hired(buyer()))
    sandbox.register(seller.terms.agent_identifier, url="https://another.example")

    hire = await buyer().resume(raw)

    assert [each.code for each in hire.cautions] == ["registered-elsewhere"]


# --- paid --------------------------------------------------------------------------------------


async def test_what_was_paid_is_followed_answered_and_proven_without_a_second_purchase(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    word = await seller.node.vouch(seller.terms.agent_identifier, KEY.public_key)
    seller.signs_with(KEY, word)
    seller.script = Script(asks=(QUESTION,))
    first = await hired(buyer())
    await first.pay()

    again = await buyer().resume(as_kept(first))
    seen = await end(again)

    assert again.is_bought
    assert kinds(seen) == ["Bought", "Locked", "Asked", "Answered", "Delivered", "Proven"]
    [answered] = [event for event in seen if kinds([event]) == ["Answered"]]
    assert (answered.signed, answered.vouched) == (True, True)  # type: ignore[union-attr]
    assert sandbox.requests()["POST /purchase"] == 1


async def test_a_purchase_that_was_made_as_the_process_died_is_found(
    buyer: MakeBuyer, sandbox: Sandbox
):
    first = await hired(buyer())
    before = as_kept(first)
    await first.pay()

    again = await buyer().resume(before)

    assert not before["bought"]
    assert again.is_bought
    assert isinstance((await end(again))[-1], Proven)
    assert sandbox.requests()["POST /purchase"] == 1


async def test_two_that_take_it_up_at_once_pay_once(buyer: MakeBuyer, sandbox: Sandbox):
    raw = as_kept(await hired(buyer()))
    one, other = await buyer().resume(raw), await buyer().resume(raw)

    seen = [await end(one), await end(other)]

    assert [kinds(each)[-1] for each in seen] == ["Proven", "Proven"]
    assert sandbox.state()["rows"] == {"payment ResultSubmitted": 1, "purchase ResultSubmitted": 1}


async def test_long_after_the_deadline_a_result_is_still_proven(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, clock: ManualClock
):
    first = await hired(buyer())
    await end(first)
    clock.advance(30 * 24 * 3600)

    seen = await end(await buyer().resume(as_kept(first)))

    assert isinstance(seen[-1], Proven)
    assert seen[-1].result == RESULT


async def test_a_purchase_that_its_node_has_forgotten_is_not_made_anew(
    buyer: MakeBuyer, sandbox: Sandbox
):
    first = await hired(buyer())
    await first.pay()
    raw = as_kept(first)
    sandbox.fail("POST", "/purchase/resolve*", 404, message="Purchase not found")

    with pytest.raises(HireUnresumable, match="does not know it any more"):
        await buyer().resume(raw)


async def test_a_node_that_cannot_be_asked_is_no_leave_to_pay(buyer: MakeBuyer, sandbox: Sandbox):
    raw = as_kept(await hired(buyer()))
    sandbox.lose("POST", "/purchase/resolve*", times=None)

    with pytest.raises(NodeUnreachable):
        await buyer().resume(raw)

    assert "POST /purchase" not in sandbox.requests()


async def test_another_node_is_no_node_for_it(buyer: MakeBuyer, sandbox: Sandbox, network: Any):
    raw = as_kept(await hired(buyer()))
    other = Purchases("http://other.test/api/v1", sandbox.token, network)

    for stranger in (buyer(node=other), buyer(node=None), buyer(network="Mainnet")):
        with pytest.raises(HireUnresumable, match="through the node http://node"):
            await stranger.resume(raw)


# --- the record --------------------------------------------------------------------------------


async def test_a_record_holds_no_token_of_the_node(buyer: MakeBuyer, sandbox: Sandbox):
    hire = await hired(buyer())

    assert set(as_kept(hire)) == {
        *("version", "agent_url", "node_url", "network", "job_id", "identifier", "input_data"),
        *("input_hash", "terms", "deadline", "key", "vouched_at", "bought"),
    }
    assert as_kept(hire)["node_url"] == "http://node.test/api/v1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version"),
        ({"job_id": 5}, "job_id"),
        ({"terms": {}}, "terms"),
        ({"input_data": {"name": "Eve"}}, "another hash"),
        ({"network": "Mainnet"}, "of another hire"),
        ({"agent_url": "http://another.test"}, "of the agent at http://another.test"),
    ],
)
async def test_a_record_that_was_spoiled_is_refused(buyer: MakeBuyer, change: Raw, reason: str):
    raw = as_kept(await hired(buyer()))

    with pytest.raises(HireUnresumable, match=reason):
        await buyer().resume(raw | change)


async def test_a_free_job_is_followed_without_a_node(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.terms = FREE
    seller.jobs.clear()
    raw = as_kept(await hired(buyer(node=None)))
    [job] = seller.jobs.values()
    seller.jobs[job.id] = job.with_(state=JobState.RUNNING)

    seen = await end(await buyer(node=None).resume(raw))

    assert kinds(seen) == ["Delivered"]
    assert sandbox.requests() == {}


async def test_an_agent_that_is_away_is_asked_again_before_anything_is_paid(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.terms = priced(sandbox, 2, offers=[Pricing(), Pricing()])
    raw = as_kept(await hired(buyer()))
    away = [JSONResponse({}, 502)]
    seller.before["status"] = lambda: away.pop() if away else None

    with pytest.raises(Exception, match="failed on GET /status"):
        await buyer().resume(raw)
    seen = await end(await buyer().resume(raw))

    assert isinstance(seen[-1], Proven)
