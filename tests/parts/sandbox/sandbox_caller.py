"""A caller of the sandbox's HTTP face: a seller and a buyer with one key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from masumi_sumi.sandbox import Sandbox

V1_POLICY = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77"
V2_POLICY = "67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b"
V1_AGENT = V1_POLICY + "ab" * 32
V2_AGENT = V2_POLICY + "cd" * 32
MINUTE = 60
HOUR = 3600
INPUT_HASH = "aa" * 32
RESULT = "bb" * 32
NONCE = "ab" * 7
TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")


class Caller:
    def __init__(self, sandbox: Sandbox, token: str | None, client: httpx.Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self.headers = {"token": token} if token is not None else {}

    def at(self, seconds: float) -> str:
        """A moment so many seconds from the sandbox's now, as text that the node reads."""
        now = self.sandbox.node.clock.now() / 1000
        moment = datetime.fromtimestamp(now + seconds, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def get(self, path: str, **params: Any) -> httpx.Response:
        query = {"network": "Preprod", **params}
        sent = {name: value for name, value in query.items() if value is not None}
        return self.client.get(path, params=sent, headers=self.headers)

    def post(self, path: str, **body: Any) -> httpx.Response:
        sent = {"network": "Preprod", **body}
        sent = {name: value for name, value in sent.items() if value is not ...}
        return self.client.post(path, json=sent, headers=self.headers)

    def init(self, **changes: Any) -> httpx.Response:
        """POST /payment with sound terms, but for ``changes``; ``...`` leaves a field out."""
        sound = {
            "inputHash": INPUT_HASH,
            "agentIdentifier": V1_AGENT,
            "payByTime": self.at(HOUR),
            "submitResultTime": self.at(2 * HOUR),
            "identifierFromPurchaser": NONCE,
        }
        return self.post("/payment", **(sound | changes))

    def payment(self, **changes: Any) -> dict[str, Any]:
        return data(self.init(**changes))

    def terms(self, payment: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The body of POST /purchase that buys a payment."""
        sound = {
            "blockchainIdentifier": payment["blockchainIdentifier"],
            "inputHash": payment["inputHash"],
            "sellerVkey": payment["SmartContractWallet"]["walletVkey"],
            "agentIdentifier": payment["agentIdentifier"],
            "identifierFromPurchaser": NONCE,
            **{name: payment[name] for name in TIMES},
        }
        return sound | changes

    def buy(self, payment: dict[str, Any], **changes: Any) -> httpx.Response:
        return self.post("/purchase", **self.terms(payment, **changes))

    def on(self, path: str, payment: dict[str, Any], **body: Any) -> httpx.Response:
        """A call about one payment."""
        return self.post(path, blockchainIdentifier=payment["blockchainIdentifier"], **body)

    def submit(self, payment: dict[str, Any], result: str = RESULT) -> httpx.Response:
        return self.on("/payment/submit-result", payment, submitResultHash=result)

    def look(self, payment: dict[str, Any], side: str = "payment", **body: Any) -> dict[str, Any]:
        return data(self.on(f"/{side}/resolve-blockchain-identifier", payment, **body))

    def locked(self, **changes: Any) -> dict[str, Any]:
        """A payment that this caller has bought from itself."""
        payment = self.payment(**changes)
        index = changes.get("supportedPaymentSourceIndex", ...)
        assert self.buy(payment, supportedPaymentSourceIndex=index).status_code == 200
        self.sandbox.mine(2)
        return payment

    def delivered(self, **changes: Any) -> dict[str, Any]:
        """A locked payment whose result is on chain."""
        payment = self.locked(**changes)
        assert self.submit(payment).status_code == 200
        self.sandbox.mine(2)
        return payment

    def diff(self, kind: str = "", side: str = "payment", **params: Any) -> list[dict[str, Any]]:
        found = data(self.get(f"/{side}/diff{kind}", **params))
        return found[f"{side.capitalize()}s"]


def data(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["status"] == "success"
    return body["data"]


def refusal(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert body["status"] == "error"
    return response.status_code, body["error"]["message"]


def standing(row: dict[str, Any]) -> tuple[str | None, str]:
    """What the chain shows, and what the node does next."""
    return row["onChainState"], row["NextAction"]["requestedAction"]
