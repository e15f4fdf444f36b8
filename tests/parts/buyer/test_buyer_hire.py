"""A hire from the offer to the verified result, and every way in which it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from agent_stand_in import FREE, QUESTION, RESULT, Script, Seller, priced
from starlette.responses import JSONResponse

from masumi_sumi.buyer import (
    Answered,
    Asked,
    Bought,
    Buyer,
    Event,
    Hire,
    Moved,
    Proven,
    Purchases,
    Troubled,
)
from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import (
    AgentUnreadable,
    AnswerUnverified,
    BuyerError,
    FieldsInvalid,
    OfferUnavailable,
    PurchaseFailed,
    PurchaseUnsettled,
    RefundImpossible,
    ResultUnverified,
    SellerFailed,
    TermsRefused,
)
from masumi_sumi.hashing import input_hash, result_hash
from masumi_sumi.jobs.model import JobState
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.signing import AgentKey, Taken

MakeBuyer = Callable[..., Buyer]
GIVEN = {"name": "Ada", "size": "Large"}


async def say_hello(asked: Asked) -> Mapping[str, Any]:
    return {"word": "hello"}


async def hired(buyer: Buyer, **given: Any) -> Hire:
    return await buyer.hire(await buyer.offer(), given or GIVEN)


async def events(hire: Hire, ask: Any = say_hello) -> tuple[list[Event], BuyerError | None]:
    """All that happens, and how it ends where it ends badly."""
    seen: list[Event] = []
    try:
        async for event in hire.run(ask):
            seen.append(event)
    except BuyerError as error:
        return seen, error
    return seen, None


def kinds(seen: list[Event]) -> list[str]:
    """Without the agent's statuses, whose number depends on when one looks."""
    return [type(event).__name__ for event in seen if not isinstance(event, Moved)]


def state(sandbox: Sandbox, seen: list[Event]) -> tuple[str | None, str]:
    """Where the purchase stands at the node."""
    [bought] = [event for event in seen if isinstance(event, Bought)]
    row = sandbox.node.ledger.find("purchase", bought.blockchain_identifier)
    assert row is not None
    return row.state, row.action.requested


# --- as it should be ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("pricing", ["Fixed", "Dynamic"])
async def test_a_paid_job_is_bought_followed_and_proven(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, version: int, pricing: str
):
    seller.terms = priced(sandbox, version, pricing=pricing)
    hire = await hired(buyer())

    seen, failure = await events(hire)

    assert failure is None
    assert kinds(seen) == ["Bought", "Locked", "Delivered", "Proven"]
    [job] = seller.jobs.values()
    assert seen[-1] == Proven(RESULT, result_hash(job.identifier, RESULT), "either")
    assert state(sandbox, seen)[0] == "ResultSubmitted"


async def test_choices_travel_as_positions_and_their_hash_is_the_agents(
    buyer: MakeBuyer, seller: Seller
):
    hire = await hired(buyer(), name="Ada", size="Large")

    [job] = seller.jobs.values()
    sent = {"name": "Ada", "size": [1]}
    assert job.input_hash == hire.input_hash == input_hash(job.identifier, sent)


async def test_every_hire_has_an_identifier_of_its_own(buyer: MakeBuyer, seller: Seller):
    first, second = await hired(buyer()), await hired(buyer())

    assert first.identifier != second.identifier
    assert len(bytes.fromhex(first.identifier)) == 13


async def test_input_that_breaks_the_schema_is_not_sent(buyer: MakeBuyer, seller: Seller):
    offer = await buyer().offer()

    with pytest.raises(FieldsInvalid) as refusal:
        await buyer().hire(offer, {"size": "Huge", "extra": 1})

    assert set(refusal.value.errors) == {"name", "size", "extra"}
    assert seller.calls["start_job"] == 0


async def test_a_free_job_needs_no_node(buyer: MakeBuyer, seller: Seller, sandbox: Sandbox):
    seller.terms = FREE
    seller.jobs.clear()
    hire = await hired(buyer(node=None))
    [job] = seller.jobs.values()
    seller.jobs[job.id] = job.with_(state=JobState.RUNNING)

    seen, failure = await events(hire)

    assert failure is None
    assert kinds(seen) == ["Delivered"]
    assert sandbox.requests() == {}


@pytest.mark.parametrize(
    ("form", "digest"),
    [
        ("escaped", result_hash),
        ("raw", lambda identifier, result: result_hash(identifier, result, "raw")),
    ],
)
async def test_both_forms_of_the_result_hash_are_known_apart(
    buyer: MakeBuyer, seller: Seller, form: str, digest: Any
):
    seller.script = Script(result='I say "goodbye"\n', hashes=digest)

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    assert isinstance(seen[-1], Proven)
    assert seen[-1].form == form


# --- offers ------------------------------------------------------------------------------------


async def test_an_agent_that_takes_no_jobs_is_not_hired(buyer: MakeBuyer, seller: Seller):
    seller.sale = "no node"

    with pytest.raises(OfferUnavailable, match="not for sale now"):
        await buyer().offer()


async def test_another_agent_than_the_wanted_one_is_not_even_started(
    buyer: MakeBuyer, seller: Seller
):
    with pytest.raises(TermsRefused, match="another agent"):
        await buyer(agent_identifier="7e" * 60).offer()

    assert seller.calls["start_job"] == 0


# --- questions ---------------------------------------------------------------------------------


async def test_a_question_is_asked_once_and_its_answer_verified(buyer: MakeBuyer, seller: Seller):
    seller.script = Script(asks=(QUESTION,))

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    assert kinds(seen) == ["Bought", "Locked", "Asked", "Answered", "Delivered", "Proven"]
    assert seller.answers == [{"word": "hello"}]
    assert [event.confirmed for event in seen if isinstance(event, Answered)] == [True]


@pytest.mark.parametrize("names", [("word", "word"), ("word", "other")])
async def test_questions_that_are_open_together_are_all_answered(
    buyer: MakeBuyer, seller: Seller, names: tuple[str, str]
):
    forms = tuple([{**QUESTION[0], "name": name}] for name in names)
    seller.script = Script(asks=forms)
    said: list[str] = []

    async def answer(asked: Asked) -> Mapping[str, Any]:
        said.append(f"answer {len(said)}")
        return {asked.form.questions[0].id: said[-1]}

    _seen, failure = await events(await hired(buyer()), answer)

    assert failure is None
    assert len(said) == 2
    assert seller.answers == [{names[0]: "answer 0"}, {names[1]: "answer 1"}]


async def test_an_answer_whose_fate_is_unknown_is_sent_again_and_not_asked_again(
    buyer: MakeBuyer, seller: Seller
):
    seller.script = Script(asks=(QUESTION,))
    lost = [JSONResponse({}, 503)]
    seller.before["provide_input"] = lambda: lost.pop() if lost else None

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    assert kinds(seen).count("Asked") == 1
    assert kinds(seen).count("Troubled") == 1
    assert seller.answers == [{"word": "hello"}]


async def test_an_answer_that_the_agent_refuses_is_asked_again_with_its_reason(
    buyer: MakeBuyer, seller: Seller
):
    seller.script = Script(asks=(QUESTION,))
    refused = [JSONResponse({"detail": "word: is\x1b[31m too short"}, 400)]
    seller.before["provide_input"] = lambda: refused.pop() if refused else None

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    refusals = [event.refusal for event in seen if isinstance(event, Asked)]
    assert refusals == ["", "word: is [31m too short"]


@pytest.mark.parametrize("names", [("input_hash", "inputHash"), ("input_hash",)])
async def test_an_answer_that_arrives_as_another_ends_the_hire_and_the_money_is_asked_back(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, names: tuple[str, ...]
):
    seller.script = Script(asks=(QUESTION,))
    seller.alters["provide_input"] = lambda body: body | dict.fromkeys(names, "0" * 64)

    seen, failure = await events(await hired(buyer()))

    assert isinstance(failure, AnswerUnverified)
    assert state(sandbox, seen)[1].startswith("SetRefundRequested")


# --- signed answers ----------------------------------------------------------------------------


KEY, OTHER_KEY = AgentKey(b"k" * 32), AgentKey(b"o" * 32)


@pytest.mark.parametrize("names", [("word",), ("word", "word"), ("word", "other")])
async def test_answers_are_signed_by_the_key_that_the_agent_publishes(
    buyer: MakeBuyer, seller: Seller, names: tuple[str, ...]
):
    seller.signs_with(KEY)
    seller.script = Script(asks=tuple([{**QUESTION[0], "name": name}] for name in names))

    async def answer(asked: Asked) -> Mapping[str, Any]:
        return {asked.form.questions[0].id: "hello"}

    seen, failure = await events(await hired(buyer()), answer)

    assert failure is None
    assert [event.signed for event in seen if isinstance(event, Answered)] == [True]
    assert seller.answers == [{name: "hello"} for name in names]


async def test_a_signature_without_a_published_key_says_nothing(buyer: MakeBuyer, seller: Seller):
    seller.script = Script(asks=(QUESTION,))
    seller.alters["provide_input"] = lambda body: body | {"signature": "ab" * 32}

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    assert [event.signed for event in seen if isinstance(event, Answered)] == [False]


def signed_by(key: AgentKey, **other: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def alter(body: dict[str, Any]) -> dict[str, Any]:
        taken = Taken(body["job_id"], f"{body['job_id']}-0", "", body["input_hash"])
        return body | {"signature": key.sign(replace(taken, **other), "Preprod")}

    return alter


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda body: body | {"signature": ""}, "there is none"),
        (lambda body: body | {"signature": body["input_hash"]}, "it is no "),
        (signed_by(OTHER_KEY), "not by the agent's key"),
        (signed_by(KEY, job_id="another"), "over something else"),
    ],
)
async def test_a_signature_that_does_not_hold_ends_the_hire_and_the_money_is_asked_back(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, alter: Any, reason: str
):
    seller.signs_with(KEY)
    seller.script = Script(asks=(QUESTION,))
    seller.alters["provide_input"] = alter

    seen, failure = await events(await hired(buyer()))

    assert isinstance(failure, AnswerUnverified)
    assert reason in str(failure)
    assert state(sandbox, seen)[1].startswith("SetRefundRequested")


@pytest.mark.parametrize("key", ["ab", "AB" * 32, "xy" * 32, 7])
async def test_a_key_that_is_none_is_no_offer(buyer: MakeBuyer, seller: Seller, key: Any):
    seller.alters["availability"] = lambda body: body | {"provideInputKey": key}

    with pytest.raises(AgentUnreadable, match="provideInputKey"):
        await buyer().offer()


# --- what sellers do wrong ---------------------------------------------------------------------


async def test_a_result_that_is_not_the_one_on_chain_is_refused_and_the_money_asked_back(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.script = Script(hashes=lambda identifier, result: "ab" * 32)

    seen, failure = await events(await hired(buyer()))

    assert isinstance(failure, ResultUnverified)
    assert "abab" in str(failure)
    assert kinds(seen)[-1] == "Refunding"
    assert state(sandbox, seen)[1].startswith("SetRefundRequested")


async def test_a_result_that_changes_after_its_delivery_is_refused(
    buyer: MakeBuyer, seller: Seller
):
    results = iter([RESULT, "Something else", "Something else"])

    def alter(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"result": next(results)} if body["status"] == "completed" else body

    seller.alters["status"] = alter

    _, failure = await events(await hired(buyer()))

    assert isinstance(failure, ResultUnverified)
    assert "changed" in str(failure)


async def test_a_result_without_a_hash_on_chain_is_refused_in_the_end(
    buyer: MakeBuyer, seller: Seller
):
    seller.script = Script(delivers=False)
    seller.alters["status"] = lambda body: (
        body | {"status": "completed", "result": RESULT} if body["status"] == "running" else body
    )

    seen, failure = await events(await hired(buyer()))

    assert isinstance(failure, ResultUnverified)
    assert "Delivered" in kinds(seen)


async def test_a_job_that_fails_brings_its_reason_and_the_money_is_asked_back(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.script = Script(failure="ValueError: no such name")

    seen, failure = await events(await hired(buyer()))

    assert isinstance(failure, SellerFailed)
    assert "no such name" in str(failure)
    assert kinds(seen) == ["Bought", "Locked", "Refunding"]
    assert state(sandbox, seen)[1].startswith("SetRefundRequested")


async def test_a_seller_that_never_delivers_is_waited_for_until_its_own_deadline(
    buyer: MakeBuyer, seller: Seller, clock: ManualClock
):
    seller.script = Script(delivers=False)
    hire = await hired(buyer())

    _, failure = await events(hire)

    assert isinstance(failure, SellerFailed)
    assert hire.terms is not None
    late = clock.now() - hire.terms.times.submit_result / 1000
    assert 0 < late < 30


async def test_an_agent_that_forgets_the_job_is_given_a_minute(
    buyer: MakeBuyer, seller: Seller, clock: ManualClock
):
    hire = await hired(buyer())
    seller.jobs.clear()
    began = clock.now()

    seen, failure = await events(hire)

    assert isinstance(failure, SellerFailed)
    assert clock.now() - began < 120
    assert "Troubled" in kinds(seen)


async def test_an_agent_that_is_down_for_a_while_is_waited_for(buyer: MakeBuyer, seller: Seller):
    down = [JSONResponse({}, 502)] * 5
    seller.before["status"] = lambda: down.pop() if down else None

    seen, failure = await events(await hired(buyer()))

    assert failure is None
    assert kinds(seen) == ["Bought", "Locked", "Troubled", "Delivered", "Proven"]


# --- the node ----------------------------------------------------------------------------------


async def test_a_purchase_whose_answer_is_lost_is_found_and_not_bought_twice(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    sandbox.lose("POST", "/purchase")

    _seen, failure = await events(hire)

    assert failure is None
    assert sandbox.requests()["POST /purchase"] == 1


async def test_a_purchase_that_cannot_be_looked_for_either_is_settled_by_the_409(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    sandbox.lose("POST", "/purchase")
    sandbox.fail("POST", "/purchase/resolve*", times=3)

    _seen, failure = await events(hire)

    assert failure is None
    assert sandbox.requests()["POST /purchase"] == 2
    assert sandbox.state()["rows"] == {"payment ResultSubmitted": 1, "purchase ResultSubmitted": 1}


async def test_a_purchase_that_nobody_can_tell_of_is_an_error_of_its_own(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    sandbox.down()

    seen, failure = await events(hire)

    assert isinstance(failure, PurchaseUnsettled)
    assert hire.terms is not None
    assert failure.blockchain_identifier == hire.terms.order.blockchain_identifier
    assert seen == []


async def test_a_node_that_refuses_the_purchase_is_quoted(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    sandbox.fail("POST", "/purchase", 400, message="Insufficient funds")

    _, failure = await events(hire)

    assert isinstance(failure, PurchaseFailed)
    assert "Insufficient funds" in str(failure)


async def test_a_node_that_is_down_for_a_while_is_waited_for(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    sandbox.fail("POST", "/purchase/resolve*", times=7)

    seen, failure = await events(hire)

    assert failure is None
    assert kinds(seen) == ["Bought", "Troubled", "Locked", "Delivered", "Proven"]


async def test_a_lock_that_fails_is_told_with_the_nodes_note(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    hire = await hired(buyer())
    await hire.pay()
    assert hire.terms is not None
    sandbox.force(hire.terms.order.blockchain_identifier, "FundsOrDatumInvalid")

    with pytest.raises(PurchaseFailed, match="FundsOrDatumInvalid"):
        [event async for event in hire.follow(say_hello)]


async def test_a_refund_can_be_asked_for_again_without_harm(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.script = Script(failure="no")
    hire = await hired(buyer())
    await events(hire)

    again = await hire.request_refund()
    sandbox.mine(3)
    later = await hire.request_refund()

    assert again.standing == "FundsLocked, SetRefundRequestedRequested"
    assert later.standing.startswith("RefundRequested")


async def test_a_refund_of_what_was_never_bought_is_refused(buyer: MakeBuyer, seller: Seller):
    hire = await hired(buyer())

    with pytest.raises(RefundImpossible, match="knows no such purchase"):
        await hire.request_refund()


async def test_a_refund_that_cannot_be_asked_for_does_not_hide_the_failure(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox
):
    seller.script = Script(failure="no")
    hire = await hired(buyer())
    sandbox.fail("POST", "/purchase/request-refund", 403, message="not yours")

    seen, failure = await events(hire)

    assert isinstance(failure, SellerFailed)
    assert isinstance(seen[-1], Troubled)
    assert "not yours" in seen[-1].reason


async def test_a_refund_wish_can_be_taken_back(
    buyer: MakeBuyer, seller: Seller, sandbox: Sandbox, node: Purchases
):
    seller.script = Script(failure="no")
    hire = await hired(buyer())
    await events(hire)
    sandbox.mine(3)
    assert hire.terms is not None

    view = await node.cancel_refund_request("Preprod", hire.terms.order.blockchain_identifier)

    assert view.action == "UnSetRefundRequestedRequested"
