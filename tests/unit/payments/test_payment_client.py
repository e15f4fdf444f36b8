from __future__ import annotations

import asyncio
import logging
import pickle
from dataclasses import replace
from typing import Any

import httpx
import pytest
from wire_node import (
    ORDER,
    T0,
    TOKEN,
    URL,
    V1_AGENT,
    V2_AGENT,
    V2_CONTRACT,
    Script,
    client,
    issued,
    refusal,
    row,
    success,
)

from masumi_sumi.errors import (
    NodeConflict,
    NodeError,
    NodeFailed,
    NodeForbidden,
    NodeNotFound,
    NodeRefused,
    NodeUnauthorized,
    NodeUnreachable,
    NodeUnreadable,
    RecoveryUnsafe,
    SettingInvalid,
)
from masumi_sumi.jobs.model import Amount
from masumi_sumi.payments.client import NodeClient

ID = issued().encode()
HTML = {"content-type": "text/html"}


def html(status: int, text: str = "<h1>Bad Gateway</h1>") -> httpx.Response:
    return httpx.Response(status, text=text, headers=HTML)


def dynamic_row(amount: str, unit: str = "") -> dict[str, Any]:
    identifier = issued(requested_funds=[(amount, unit)]).encode()
    return row(RequestedFunds=[{"amount": amount, "unit": unit}], blockchainIdentifier=identifier)


# --- asking for a payment ------------------------------------------------------------------------


async def test_an_order_goes_out_as_the_node_reads_it() -> None:
    node = Script(success(row()))

    facts = await client(node).open(ORDER)

    request = node.requests[0]
    assert (request.method, str(request.url)) == ("POST", f"{URL}/payment")
    assert request.headers["token"] == TOKEN
    assert node.body() == {
        "network": "Preprod",
        "agentIdentifier": V1_AGENT,
        "identifierFromPurchaser": "b69a06808228fd",
        "inputHash": "aa" * 32,
        "payByTime": "2026-11-21T21:00:23.139Z",
        "submitResultTime": "2026-11-21T22:00:23.139Z",
        "metadata": "{}",
    }
    assert facts.blockchain_identifier == ID


async def test_what_is_not_asked_for_is_left_out_of_the_order() -> None:
    node = Script(success(row()))

    await client(node).open(replace(ORDER, metadata=""))

    assert {"RequestedFunds", "supportedPaymentSourceIndex", "metadata"}.isdisjoint(node.body())


async def test_a_dynamic_price_is_asked_for_and_found_in_the_answer() -> None:
    node = Script(success(dynamic_row("5000000")))

    facts = await client(node).open(replace(ORDER, price=(Amount("5000000", "lovelace"),)))

    assert node.body()["RequestedFunds"] == [{"amount": "5000000", "unit": "lovelace"}]
    assert facts.price == (Amount("5000000", ""),)


async def test_the_index_of_a_v2_source_is_sent() -> None:
    identifier = issued(
        agent_identifier=V2_AGENT, contract_address=V2_CONTRACT, source_index=0
    ).encode()
    source = {
        "network": "Preprod",
        "paymentSourceType": "Web3CardanoV2",
        "smartContractAddress": V2_CONTRACT,
    }
    answer = row(agentIdentifier=V2_AGENT, blockchainIdentifier=identifier, PaymentSource=source)
    node = Script(success(answer))

    facts = await client(node).open(replace(ORDER, agent_identifier=V2_AGENT, source_index=0))

    assert node.body()["supportedPaymentSourceIndex"] == 0
    assert facts.source_type == "Web3CardanoV2"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (row(inputHash="bb" * 32), "inputHash"),
        (row(agentIdentifier=V2_AGENT), "another agent"),
        (row(payByTime="1795294825139"), "payByTime"),
        (row(submitResultTime="1795298421139"), "submitResultTime"),
        (row(PaymentSource={**row()["PaymentSource"], "network": "Mainnet"}), "Mainnet"),
        (
            row(blockchainIdentifier=issued(purchaser_id="00" * 7).encode()),
            "another purchaser",
        ),
        (
            row(blockchainIdentifier=issued(agent_identifier=V2_AGENT).encode()),
            "of another agent",
        ),
        (row(SmartContractWallet=None), "SmartContractWallet"),
        (row(blockchainIdentifier="", id="x") | {"blockchainIdentifier": ""}, "blockchainId"),
        ({}, "blockchainIdentifier"),
    ],
)
async def test_an_answer_that_does_not_fit_the_order_is_no_payment(
    answer: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NodeUnreadable, match=reason):
        await client(Script(success(answer))).open(ORDER)


async def test_another_dynamic_price_than_asked_for_is_no_payment() -> None:
    with pytest.raises(NodeUnreadable, match="RequestedFunds"):
        await client(Script(success(dynamic_row("5000001")))).open(
            replace(ORDER, price=(Amount("5000000"),))
        )


async def test_times_may_differ_by_the_nodes_rounding() -> None:
    facts = await client(Script(success(row(payByTime="1795294823000")))).open(ORDER)

    assert facts.times.pay_by == 1795294823000


async def test_an_identifier_of_an_unknown_format_is_taken_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    facts = await client(Script(success(row(blockchainIdentifier="v9:abc")))).open(ORDER)

    assert facts.blockchain_identifier == "v9:abc"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


# --- what can go wrong, once for every kind of answer --------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "Pay by time must be in the future (max. 5 minutes)"), NodeRefused),
        (refusal(401, "Unauthorized, network not allowed"), NodeUnauthorized),
        (refusal(403, "Forbidden"), NodeForbidden),
        (refusal(404, "Payment not found or in invalid state"), NodeNotFound),
        (refusal(409, "Payment state changed concurrently"), NodeConflict),
        (refusal(413, "request entity too large"), NodeRefused),
        (refusal(429, "Too many requests"), NodeRefused),
        (refusal(500, "Internal Server Error"), NodeFailed),
        (html(502), NodeFailed),
        (html(404), NodeUnreadable),
        (html(401), NodeUnreadable),
        (html(200, "<html>Welcome</html>"), NodeUnreadable),
        (httpx.Response(200, text='{"status":"success","da'), NodeUnreadable),
        (httpx.Response(200, content=b"\xff\xfe\x00"), NodeUnreadable),
        (httpx.Response(200, text="[" * 200_000), NodeUnreadable),
        (httpx.Response(200, json=[1]), NodeUnreadable),
        (httpx.Response(200, json={"status": "success"}), NodeUnreadable),
        (httpx.Response(200, json={"status": "success", "data": None}), NodeUnreadable),
        (httpx.Response(200, json={"status": "error", "data": row()}), NodeUnreadable),
        (httpx.Response(204), NodeUnreadable),
        (httpx.Response(400, json={"status": "error"}), NodeUnreadable),
        (httpx.Response(400, json={"error": {"message": 7}}), NodeUnreadable),
        (httpx.Response(302, headers={"location": "http://evil.test/"}), NodeUnreadable),
        (httpx.ConnectError("refused"), NodeUnreachable),
        (httpx.ReadError(""), NodeUnreachable),
        (httpx.RemoteProtocolError("closed"), NodeUnreachable),
        (httpx.ReadTimeout("slow"), NodeUnreachable),
        (httpx.DecodingError("gzip"), NodeUnreadable),
    ],
)
@pytest.mark.parametrize("call", ["open", "submit", "look"])
async def test_every_bad_answer_is_one_error_of_the_tree(
    call: str, answer: httpx.Response | Exception, error: type[NodeError]
) -> None:
    node = client(Script(answer))
    calls = {
        "open": lambda: node.open(ORDER),
        "submit": lambda: node.submit("Preprod", ID, "cd" * 32),
        "look": lambda: node.look("Preprod", ID),
    }

    with pytest.raises(NodeError) as caught:
        await calls[call]()

    assert type(caught.value) is error
    assert TOKEN not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


async def test_a_refusal_carries_the_nodes_own_sentence() -> None:
    sentence = "For dynamic pricing, RequestedFunds must be provided"

    with pytest.raises(NodeRefused) as caught:
        await client(Script(refusal(400, sentence))).open(ORDER)

    assert (caught.value.status, caught.value.message) == (400, sentence)


async def test_the_text_of_a_failure_is_never_read() -> None:
    with pytest.raises(NodeFailed) as caught:
        await client(Script(refusal(500, "Payment not found"))).look("Preprod", ID)

    assert "not found" not in str(caught.value)


async def test_a_redirect_is_not_followed_and_our_token_goes_nowhere_else() -> None:
    node = Script(httpx.Response(307, headers={"location": "http://evil.test/x"}))
    http = httpx.AsyncClient(transport=httpx.MockTransport(node), follow_redirects=True)

    with pytest.raises(NodeUnreadable, match=r"redirects to http://evil\.test"):
        await NodeClient(URL, TOKEN, http).health()

    assert {request.url.host for request in node.requests} == {"node.test"}


# --- once, or a few times ------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), html(503), html(500)])
async def test_calls_that_act_are_sent_once_whatever_happens(trouble: Any) -> None:
    node = Script(trouble)
    sut = client(node)

    for act in (
        sut.open(ORDER),
        sut.submit("Preprod", ID, "cd" * 32),
        sut.authorize_refund("Preprod", ID),
    ):
        with pytest.raises(NodeError):
            await act

    assert len(node.requests) == 3


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), html(503)])
async def test_reads_get_over_a_short_trouble(trouble: Any) -> None:
    node = Script(trouble, trouble, success(row()))

    view = await client(node).look("Preprod", ID)

    assert view is not None
    assert len(node.requests) == 3


async def test_reads_give_up_after_the_third_try() -> None:
    node = Script(html(503))

    with pytest.raises(NodeFailed):
        await client(node).changed("Preprod", "Web3CardanoV1", T0)

    assert len(node.requests) == 3


async def test_refused_reads_are_not_repeated() -> None:
    node = Script(refusal(401, "Unauthorized, no authentication token provided"))

    with pytest.raises(NodeUnauthorized):
        await client(node).api_key_status()

    assert len(node.requests) == 1


async def test_pauses_between_tries_vary() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    sut = client(Script(html(503)), pauses=(1.0, 2.0), sleep=sleep, chance=lambda: 0.25)
    with pytest.raises(NodeFailed):
        await sut.health()

    assert slept == [0.75, 1.5]


async def never(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_opening_answers_within_its_own_bound() -> None:
    with pytest.raises(NodeUnreachable, match=r"no answer to POST /payment in 0\.01 s"):
        await client(Script(never), open_timeout=0.01).open(ORDER)


async def test_a_read_with_all_its_tries_has_one_bound() -> None:
    node = Script(html(503), never)

    with pytest.raises(NodeUnreachable, match=r"in 0\.01 s"):
        await client(node, timeout=0.01).health()

    assert len(node.requests) == 2


# --- the token -----------------------------------------------------------------------------------


async def test_the_token_is_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sut = client(Script(success(row())))

    await sut.open(ORDER)

    assert TOKEN not in caplog.text
    assert TOKEN not in repr(sut) + repr(vars(sut))


@pytest.mark.parametrize("token", ["", "two words", "new\nline", "schlüssel"])
def test_a_token_that_cannot_be_a_header_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        NodeClient(URL, token)

    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("url", ["", "node:3001", "ftp://node/api/v1", "http://", "http://n/?a=1"])
def test_a_url_that_is_no_nodes_is_refused(url: str) -> None:
    with pytest.raises(SettingInvalid, match="api/v1"):
        NodeClient(url, TOKEN)


def test_a_token_in_the_place_of_the_url_is_not_shown() -> None:
    with pytest.raises(SettingInvalid) as caught:
        NodeClient(TOKEN, URL)

    assert TOKEN not in str(caught.value)


async def test_a_login_in_the_url_is_sent_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    node = Script(success({"status": "ok"}), httpx.ConnectError("no"))
    http = httpx.AsyncClient(transport=httpx.MockTransport(node))
    sut = NodeClient("http://me:pass9f8e@node.test/api/v1/", TOKEN, http, pauses=())

    await sut.health()
    with pytest.raises(NodeUnreachable) as caught:
        await sut.health()

    assert node.requests[0].headers["authorization"].startswith("Basic ")
    assert "pass9f8e" not in str(caught.value) + repr(sut) + caplog.text
    assert sut.url == URL


# --- looking -------------------------------------------------------------------------------------


async def test_a_payment_that_the_node_does_not_know_is_none() -> None:
    assert await client(Script(refusal(404, "Payment not found"))).look("Preprod", ID) is None


async def test_a_404_for_any_other_reason_is_no_absence() -> None:
    with pytest.raises(NodeNotFound):
        await client(Script(refusal(404, "Can not POST /payment/resolve"))).look("Preprod", ID)


async def test_a_look_that_answers_with_another_payment_is_unreadable() -> None:
    other = issued(purchaser_id="00" * 7).encode()

    with pytest.raises(NodeUnreadable, match="another payment"):
        await client(Script(success(row()))).look("Preprod", other)


async def test_a_look_needs_no_more_of_a_row_than_its_state() -> None:
    sparse = {key: value for key, value in row().items() if not key.endswith(("Time", "Wallet"))}

    view = await client(Script(success(sparse))).look("Preprod", ID)

    assert view is not None
    assert view.on_chain_state is None


# --- handing in, and the rest --------------------------------------------------------------------


def acting(action: str, result_hash: str | None = None) -> dict[str, Any]:
    return row(
        onChainState="FundsLocked",
        NextAction={"requestedAction": action, "resultHash": result_hash},
    )


async def test_a_hash_is_handed_in_as_given_and_seen_in_the_answer_in_either_case() -> None:
    node = Script(success(acting("SubmitResultRequested", "CD" * 32)))

    view = await client(node).submit("Preprod", ID, "cd" * 32)

    assert node.body()["submitResultHash"] == "cd" * 32
    assert view.action == "SubmitResultRequested"


@pytest.mark.parametrize("taken", [None, "", "ab" * 32])
async def test_an_answer_with_another_hash_than_ours_is_unreadable(taken: str | None) -> None:
    with pytest.raises(NodeUnreadable, match="another hash"):
        await client(Script(success(acting("SubmitResultRequested", taken)))).submit(
            "Preprod", ID, "cd" * 32
        )


async def test_a_refund_is_authorized_for_one_payment() -> None:
    node = Script(success(acting("AuthorizeRefundRequested")))

    view = await client(node).authorize_refund("Preprod", ID)

    assert str(node.requests[0].url) == f"{URL}/payment/authorize-refund"
    assert node.body() == {"network": "Preprod", "blockchainIdentifier": ID}
    assert view.action == "AuthorizeRefundRequested"


def transaction(status: str, state: str | None = None, tx_hash: str = "77" * 32) -> dict[str, Any]:
    return {"id": tx_hash, "status": status, "txHash": tx_hash, "newOnChainState": state}


PENDING, LOCK = transaction("Pending"), transaction("Confirmed", "FundsLocked")


def parked(
    current: dict[str, Any] | None = PENDING,
    past: tuple[dict[str, Any], ...] = (LOCK,),
    **note: Any,
) -> dict[str, Any]:
    """A payment whose node failed to send our hash, with its history."""
    action = {
        "requestedAction": "WaitingForManualAction",
        "errorType": "Unknown",
        "errorNote": "Submitting result failed",
        "resultHash": "ff" * 32,
        **note,
    }
    return row(
        onChainState="FundsLocked",
        NextAction=action,
        CurrentTransaction=current,
        TransactionHistory=list(past),
        ActionHistory=[],
    )


def asked(node: Script) -> list[str]:
    return [request.url.path.removeprefix("/api/v1") for request in node.requests]


RESOLVE, RECOVERY = "/payment/resolve-blockchain-identifier", "/payment/error-state-recovery"
READINESS = "/rail-readiness"
UNKNOWN_ROUTE = refusal(404, "Can not GET /api/v1/rail-readiness")


async def test_a_failure_behind_the_broadcast_is_recovered_after_a_look_at_its_history() -> None:
    node = Script(success(parked()), success(acting("SubmitResultRequested", "ff" * 32)))

    await client(node).resubmit("Preprod", ID, "ff" * 32)

    assert asked(node) == [RESOLVE, RECOVERY]
    assert node.body(0)["includeHistory"] == "true"
    assert node.body()["retryPreviousAction"] is True


@pytest.mark.parametrize(
    "unsafe",
    [
        parked(current=LOCK, past=()),
        parked(current=LOCK),
        parked(current=LOCK, past=(PENDING,)),
        parked(current=None),
        parked(past=()),
        parked(past=(transaction("Pending"), transaction("FailedViaTimeout"))),
        parked(past=({"status": "Confirmed", "txHash": None}, LOCK)),
        parked(past=(transaction("Confirmed", "Disputed"), LOCK)),
        parked(current=transaction("RolledBack")),
        parked(current=transaction("SomethingNew")),
        parked(errorNote="Rolled back transaction detected. Please check the transaction"),
    ],
)
@pytest.mark.parametrize("retry", [True, False])
async def test_recovery_that_could_lose_the_payment_is_not_called(
    unsafe: dict[str, Any], retry: bool
) -> None:
    node = Script(success(unsafe), UNKNOWN_ROUTE)

    with pytest.raises(RecoveryUnsafe) as refused:
        await client(node).recover("Preprod", ID, retry=retry)

    assert RECOVERY not in asked(node)
    assert ID[:16] in str(refused.value)
    assert ID not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        UNKNOWN_ROUTE,
        refusal(401, "Unauthorized, admin access required"),
        refusal(403, "Forbidden"),
        refusal(400, "network: Invalid input"),
        refusal(429, "Too many requests"),
        html(404),
        html(200),
        success({}, 500),
        httpx.Response(302, headers={"location": "/login"}),
    ],
)
async def test_only_a_node_that_surely_keeps_the_transaction_recovers_what_was_not_broadcast(
    answer: httpx.Response,
) -> None:
    node = Script(success(parked(current=LOCK, past=())), answer)

    with pytest.raises(RecoveryUnsafe, match="nothing was broadcast"):
        await client(node).resubmit("Preprod", ID, "ff" * 32)

    assert set(asked(node)) == {RESOLVE, READINESS}


async def test_a_node_that_keeps_the_transaction_recovers_what_was_not_broadcast() -> None:
    sent = success(acting("SubmitResultRequested", "ff" * 32))
    node = Script(success(parked(current=LOCK, past=())), success({}), sent)

    await client(node).resubmit("Preprod", ID, "ff" * 32)

    assert asked(node) == [RESOLVE, READINESS, RECOVERY]


async def test_even_such_a_node_is_not_asked_where_it_would_choose_an_older_transaction() -> None:
    node = Script(success(parked(current=LOCK)), success({}))

    with pytest.raises(RecoveryUnsafe):
        await client(node).resubmit("Preprod", ID, "ff" * 32)

    assert asked(node) == [RESOLVE]


@pytest.mark.parametrize("missing", ["TransactionHistory", "CurrentTransaction"])
async def test_a_node_that_does_not_tell_the_history_is_not_asked(missing: str) -> None:
    untold = parked()
    del untold[missing]
    node = Script(success(untold))

    with pytest.raises(NodeUnreadable, match=missing):
        await client(node).resubmit("Preprod", ID, "ff" * 32)

    assert asked(node) == [RESOLVE]


async def test_recovery_is_bound_to_the_row_as_it_was_seen() -> None:
    node = Script(success(parked()), success(acting("SubmitResultRequested", "ff" * 32)))

    await client(node).recover("Preprod", ID, retry=True)

    assert node.body()["updatedAt"] == "2026-11-21T20:00:01.500Z"
    assert node.body()["retryPreviousAction"] is True


async def test_recovery_of_an_unknown_payment_is_not_found() -> None:
    node = Script(refusal(404, "Payment not found"))

    with pytest.raises(NodeNotFound):
        await client(node).recover("Preprod", ID, retry=False)

    assert len(node.requests) == 1


async def test_a_page_of_changes_is_asked_for_with_its_source_type() -> None:
    node = Script(success({"Payments": [row()]}))

    found = await client(node).changed("Preprod", "Web3CardanoV2", T0, "row-7", 50)

    assert dict(node.requests[0].url.params) == {
        "network": "Preprod",
        "filterPaymentSourceType": "Web3CardanoV2",
        "limit": "50",
        "lastUpdate": T0,
        "cursorId": "row-7",
    }
    assert [changed.view and changed.view.blockchain_identifier for changed in found] == [ID]


async def test_the_key_and_the_sources_are_read() -> None:
    key = {"id": "k", "canRead": True, "canPay": False, "NetworkLimit": ["Preprod"]}
    status = await client(Script(success(key))).api_key_status()
    sources = await client(
        Script(success({"PaymentSources": [row()["PaymentSource"]]}))
    ).payment_sources()

    assert (status.can_read, status.can_pay, status.networks) == (True, False, ["Preprod"])
    assert [(source.network, source.type) for source in sources] == [("Preprod", "Web3CardanoV1")]


async def test_a_node_that_is_not_well_says_so() -> None:
    await client(Script(success({"status": "ok"}))).health()
    with pytest.raises(NodeUnreadable):
        await client(Script(success({"status": "starting"}))).health()


async def test_a_given_connection_is_left_open_and_an_own_one_closed() -> None:
    http = httpx.AsyncClient(transport=httpx.MockTransport(Script(success({"status": "ok"}))))
    await NodeClient(URL, TOKEN, http).aclose()
    own = NodeClient("http://payments.localhost:3001/api/v1", TOKEN)
    await own.aclose()

    assert not http.is_closed
    assert own._http.is_closed
    await http.aclose()


@pytest.mark.parametrize("host", ["localhost", "node.localhost", "127.0.0.1", "[::1]"])
def test_the_environments_proxy_is_not_asked_for_this_very_machine(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")

    here = NodeClient(f"http://{host}:3001/api/v1", TOKEN)
    away = NodeClient("http://node.test/api/v1", TOKEN)

    assert not here._http.trust_env
    assert away._http.trust_env
