"""Faults, the control panel, and a kill between two calls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_caller import HOUR, RESULT, V1_AGENT, Caller, data, refusal, standing

from masumi_sumi.sandbox import ConnectionDropped, Sandbox, create_app


@pytest.fixture
def panel(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.control_url, headers={"token": sandbox.token}) as client:
        yield client


def test_a_failing_endpoint_does_nothing_so_many_times(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.fail("POST", "/payment", status=503, times=2)
    answers = [pay.init().status_code for _ in range(3)]

    assert answers == [503, 503, 200]
    assert data(pay.get("/payment/count")) == {"total": 1}


def test_a_fault_strikes_its_method_and_path_only(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.fail("POST", "/payment/*", times=None)

    assert pay.init().status_code == 200
    assert pay.get("/payment/count").status_code == 200
    assert refusal(pay.submit(pay.payment())) == (500, "Internal Server Error")


def test_a_lost_answer_was_acted_upon(sandbox: Sandbox, pay: Caller) -> None:
    payment = pay.locked()
    sandbox.lose("POST", "/payment/submit-result")
    with pytest.raises(httpx.TransportError):
        pay.submit(payment)

    assert pay.look(payment)["NextAction"]["resultHash"] == RESULT
    assert pay.submit(payment).status_code == 404


def test_a_node_that_is_down_answers_nobody_and_does_nothing(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.down()
    for path in ("/health", "/payment/count"):
        with pytest.raises(httpx.TransportError):
            pay.get(path)
    with pytest.raises(httpx.TransportError):
        pay.init()
    sandbox.up()

    assert data(pay.get("/payment/count")) == {"total": 0}


def test_a_slow_endpoint_outlasts_an_impatient_caller(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.delay("GET", "/payment", seconds=0.5)
    with (
        httpx.Client(base_url=sandbox.url, timeout=0.05) as impatient,
        pytest.raises(httpx.ReadTimeout),
    ):
        impatient.get("/payment")
    sandbox.calm()

    assert pay.get("/payment").status_code == 200


async def test_in_one_process_a_dropped_connection_is_an_error_of_its_own() -> None:
    sandbox = Sandbox(frozen=True)
    sandbox.down()
    transport = httpx.ASGITransport(app=sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url=sandbox.url) as client:
        with pytest.raises(ConnectionDropped):
            await client.get("/health")


def test_requests_are_counted_by_method_and_path(sandbox: Sandbox, pay: Caller) -> None:
    sandbox.fail("GET", "/payment/diff")
    pay.get("/payment/diff")
    pay.get("/payment/diff/")
    pay.init()

    assert sandbox.requests() == {"GET /payment/diff": 2, "POST /payment": 1}
    sandbox.forget_requests()
    assert sandbox.requests() == {}


def test_a_reset_leaves_nothing_but_keys_and_wallets(sandbox: Sandbox, pay: Caller) -> None:
    wallet = pay.payment()["SmartContractWallet"]
    sandbox.advance(HOUR)
    sandbox.down()
    sandbox.reset()

    assert data(pay.get("/payment/count")) == {"total": 0}
    assert sandbox.state()["offsetSeconds"] == 0
    assert pay.payment()["SmartContractWallet"] == wallet


def test_time_passes_by_itself_unless_it_is_frozen() -> None:
    with (
        Sandbox(block_seconds=0.01) as sandbox,
        httpx.Client(base_url=sandbox.url) as client,
    ):
        caller = Caller(sandbox, sandbox.token, client)
        payment = caller.payment()
        caller.buy(payment)
        for _ in range(1000):
            if caller.look(payment)["onChainState"] == "FundsLocked":
                break

        assert standing(caller.look(payment)) == ("FundsLocked", "WaitingForExternalAction")


def test_the_panel_does_over_http_what_the_class_does(
    panel: httpx.Client, sandbox: Sandbox, pay: Caller
) -> None:
    def do(control: str, **body: Any) -> httpx.Response:
        response = panel.post(control, json=body)
        assert response.status_code == 200, response.text
        return response

    agent = do("/register", pricing="Fixed", amount=7, name="By Panel").json()
    payment = pay.payment(agentIdentifier=agent["agentIdentifier"])
    one = {"blockchainIdentifier": payment["blockchainIdentifier"]}
    do("/pay", **one)
    do("/mine")
    do("/spoil", note="because")
    pay.submit(payment)
    do("/advance", seconds=10)
    parked = pay.look(payment)["NextAction"]
    do("/force", **one, state="Disputed", resultHash=RESULT)
    do("/lag", seconds=1)
    do("/act", **one, step="arbitrate")
    do("/mine", blocks=2)

    assert payment["RequestedFunds"] == [{"amount": "7", "unit": ""}]
    assert (parked["errorType"], parked["errorNote"]) == ("Unknown", "because")
    assert pay.look(payment)["onChainState"] == "DisputedWithdrawn"
    state = panel.get("/state").json()
    assert state["rows"] == {"payment DisputedWithdrawn": 1}
    assert state["offsetSeconds"] == 10

    do("/fail", path="/health", times=1)
    assert pay.get("/health").status_code == 500
    do("/delay", path="/health", seconds=0)
    do("/lose", path="/health")
    with pytest.raises(httpx.TransportError):
        pay.get("/health")
    do("/down")
    with pytest.raises(httpx.TransportError):
        pay.get("/health")
    do("/up")
    do("/calm")
    assert pay.get("/health").status_code == 200
    assert panel.get("/requests").json()["GET /health"] == 4
    assert panel.delete("/requests").status_code == 200
    assert panel.get("/requests").json() == {}
    do("/reset")
    assert panel.get("/state").json()["rows"] == {}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/force", {"blockchainIdentifier": "ab", "state": "Nope"}, 400),
        ("/act", {"blockchainIdentifier": "ab", "step": "nope"}, 400),
        ("/act", {"blockchainIdentifier": "ab", "step": "withdraw"}, 404),
        ("/pay", {"blockchainIdentifier": "ab"}, 404),
        ("/advance", {"seconds": -1}, 422),
    ],
)
def test_the_panel_refuses_what_it_cannot_do(
    panel: httpx.Client, path: str, body: dict[str, Any], status: int
) -> None:
    assert panel.post(path, json=body).status_code == status


def test_the_panel_and_the_calls_are_in_the_openapi_document() -> None:
    paths = create_app().openapi()["paths"]

    assert "/sandbox/advance" in paths
    fields = paths["/api/v1/payment"]["post"]["requestBody"]["content"]["application/json"]
    assert "identifierFromPurchaser" in fields["schema"]["required"]


class Killable:
    """A sandbox in a process of its own, with a database."""

    def __init__(self, database: Path) -> None:
        command = [sys.executable, "-m", "masumi_sumi.sandbox", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--database", str(database)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split(" at ")[1].split(",")[0]
        self.headers = {"token": "sandbox"}

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=self.headers)

    def control(self, name: str, **body: Any) -> Any:
        url = f"{self.url.removesuffix('/api/v1')}/sandbox/{name}"
        answer = httpx.post(url, json=body, headers=self.headers)
        assert answer.is_success, answer.text
        return answer.json()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    first = Killable(tmp_path / "node.db")
    first.control("advance", seconds=HOUR)
    body = {
        "network": "Preprod",
        "inputHash": "aa" * 32,
        "agentIdentifier": V1_AGENT,
        "payByTime": "2999-01-01",
        "submitResultTime": "2999-01-02",
        "identifierFromPurchaser": "ab" * 7,
    }
    payment = data(first.post("/payment", **body))
    one = {"network": "Preprod", "blockchainIdentifier": payment["blockchainIdentifier"]}
    first.control("pay", **one)
    first.control("mine")
    wished = data(first.post("/payment/submit-result", **one, submitResultHash=RESULT))
    first.kill()

    second = Killable(tmp_path / "node.db")
    resolve = "/payment/resolve-blockchain-identifier"
    offset = second.control("mine", blocks=1)["offsetSeconds"]
    found = data(second.post(resolve, **one))
    second.control("mine", blocks=2)
    done = data(second.post(resolve, **one))
    second.kill()

    assert standing(wished) == ("FundsLocked", "SubmitResultRequested")
    assert found["NextAction"]["resultHash"] in (RESULT, None)
    assert found["CurrentTransaction"] is not None
    assert offset == HOUR
    assert (standing(done)[0], done["resultHash"]) == ("ResultSubmitted", RESULT)
    assert done["id"] == payment["id"]
    assert done["requestedById"] == payment["requestedById"]
