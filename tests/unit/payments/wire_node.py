"""What the tests know of the node's wire: rows and answers in the node's own shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from masumi_sumi.jobs.model import PaymentOrder
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.payments.wire import epoch
from masumi_sumi.sandbox.identifier import Identifier, Terms, issue
from masumi_sumi.sandbox.wallet import Wallet

URL = "http://node.test/api/v1"
TOKEN = "top-secret-token-9f8e"
T0 = "2026-11-21T20:00:00.000Z"
V1_AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "92" * 32
V2_AGENT = "67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b" + "fb" * 32
V1_CONTRACT = "addr_test1wz7j4kmg2cs7yf92uat3ed4a3u97kr7axxr4avaz0lhwdsqukgwfm"
V2_CONTRACT = "addr_test1wzs4e6wc95hkwezlccjw9mdvq0r0rsgx6zk34avptga3ftgn37w4g"
WALLET = Wallet.derive("tests of payments", "selling")

ORDER = PaymentOrder(
    network="Preprod",
    agent_identifier=V1_AGENT,
    identifier_from_purchaser="b69a06808228fd",
    input_hash="aa" * 32,
    pay_by=epoch("2026-11-21T21:00:23.139Z"),
    submit_by=epoch("2026-11-21T22:00:23.139Z"),
    metadata="{}",
)


def terms(**changes: Any) -> Terms:
    """What the seller of ORDER signs; V2 with ``contract_address``."""
    known: dict[str, Any] = {
        "input_hash": ORDER.input_hash,
        "agent_identifier": V1_AGENT,
        "purchaser_id": ORDER.identifier_from_purchaser,
        "requested_funds": None,
        "pay_by": "1795294823139",
        "submit_result": "1795298423139",
        "unlock": "1795320023139",
        "dispute_unlock": "1795341623139",
        "seller_address": WALLET.address,
    }
    known |= changes
    known.setdefault("seller_id", "5e" * 32 + known["agent_identifier"])
    return Terms(**known)


def issued(**changes: Any) -> Identifier:
    return issue(terms(**changes), WALLET)


def row(**changes: Any) -> dict[str, Any]:
    """A payment as it stands right after ORDER, with a few fields that nobody needs."""
    return {
        "id": "cmwqu1hkv000nf37d09pai9oj",
        "createdAt": T0,
        "updatedAt": "2026-11-21T20:00:01.500Z",
        "blockchainIdentifier": changes.pop("blockchainIdentifier", None) or issued().encode(),
        "agentIdentifier": V1_AGENT,
        "pricingType": "Fixed",
        "payByTime": "1795294823139",
        "submitResultTime": "1795298423139",
        "unlockTime": "1795320023139",
        "externalDisputeUnlockTime": "1795341623139",
        "resultHash": "",
        "nextActionOrOnChainStateOrResultLastChangedAt": T0,
        "inputHash": ORDER.input_hash,
        "totalSellerCardanoFees": 0.201234,
        "onChainState": None,
        "NextAction": {
            "requestedAction": "WaitingForExternalAction",
            "errorType": None,
            "errorNote": None,
            "resultHash": None,
        },
        "CurrentTransaction": None,
        "RequestedFunds": [{"amount": "2000000", "unit": ""}],
        "PaymentSource": {
            "id": "cmwqtu1w90005nz7djrliwagt",
            "network": "Preprod",
            "paymentSourceType": "Web3CardanoV1",
            "smartContractAddress": V1_CONTRACT,
            "policyId": V1_AGENT[:56],
        },
        "BuyerWallet": None,
        "SmartContractWallet": {"id": "w", "walletVkey": WALLET.vkey, "walletAddress": "..."},
        **changes,
    }


def success(data: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={"status": "success", "data": data})


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"status": "error", "error": {"message": message}})


class Script:
    """A node that answers from a list; the last answer stays. Exceptions are raised."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[..., Any]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return await answer(request) if callable(answer) else answer

    def body(self, index: int = -1) -> dict[str, Any]:
        return json.loads(self.requests[index].content)


def client(handler: Callable[..., Any], **settings: Any) -> NodeClient:
    """A client whose only network is ``handler``; reads are repeated without pauses."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    settings.setdefault("pauses", (0.0, 0.0))
    return NodeClient(URL, TOKEN, http, **settings)
