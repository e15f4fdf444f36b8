"""``masumi-sumi demo``: sell one job of examples/two_stage.py here, from hire to payout.

It plays the buyer over plain HTTP, as any buyer would, and shows every step as it happens.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.status import Status

from masumi_sumi.cli.display import Display
from masumi_sumi.cli.failures import DemoFailed
from masumi_sumi.cli.foreground import ends_on_signals, ignore_signals
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.stack import Stack
from masumi_sumi.hashing import input_hash, result_hash
from masumi_sumi.settings import SANDBOX_TOKEN, Settings

APP = "examples.two_stage:fast_app"
PATIENCE = 120.0
"""Seconds for which the demo waits for a job to come to its next state."""

TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")


def run_demo() -> None:
    """Raises StackFailed or DemoFailed, after all that was started has ended."""
    if not Path("examples/two_stage.py").exists():
        raise DemoFailed(
            "examples/two_stage.py is not here: run the demo in a clone of the project"
        )
    console = Console()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="sumi-demo-") as folder,
        ends_on_signals(),
        Display(console) as display,
    ):
        stack = Stack(_settings(Path(folder)), [APP], report=display)
        try:
            stack.start()
            console.rule("a sale", align="left")
            Sale(console, stack.urls["two-stage"], stack.urls["sandbox"]).run()
            console.rule("the end", align="left")
        except KeyboardInterrupt:
            raise DemoFailed("interrupted") from None
        finally:
            ignore_signals()
            stack.stop()
    console.print(f"[bold green]sold, verified and paid[/] in {time.monotonic() - began:.0f} s")


def _settings(folder: Path) -> Settings:
    """Everything on free ports and in a folder of its own, whatever else runs here."""
    names = ("panel_port", "serve_port", "sandbox_port", "ray_port", "dashboard_port")
    ports: dict[str, Any] = dict(zip(names, free_ports(len(names)), strict=True))
    return Settings(data_dir=folder, **ports).model_copy(update={"nodes": {}})


class Sale:
    """One hire, as its buyer lives it."""

    def __init__(self, console: Console, agent: str, node: str) -> None:
        self._console = console
        self._agent, self._node = agent.rstrip("/"), node.rstrip("/")
        self._http = httpx.Client(timeout=30.0)
        self._began = time.monotonic()
        self._waiting: Status | None = None

    def run(self) -> None:
        with self._http:
            available = self._get(f"{self._agent}/availability")
            self._tell("agent", f"{available['message']} ({available['agentIdentifier'][:16]}…)")
            identifier = secrets.token_hex(13)
            data = self._fill_in()
            job = self._hire(identifier, data)
            self._pay(identifier, job)
            self._greet(self._wait(job, "awaiting_input"))
            done = self._wait(job, "completed")
            self._tell("result", done["result"])
            self._check_result(identifier, job, done)
            self._collect(job)

    # --- the steps -----------------------------------------------------------------------------

    def _fill_in(self) -> dict[str, str]:
        schema = self._get(f"{self._agent}/input_schema")
        asked = [field["id"] for field in schema["input_data"] if field["type"] != "none"]
        day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
        data = {"name": "Ada", "date": day}
        self._tell("form", f"asks for {', '.join(asked)}; the buyer answers {data}")
        return data

    def _hire(self, identifier: str, data: dict[str, str]) -> dict[str, Any]:
        body = {"identifier_from_purchaser": identifier, "input_data": data}
        job = self._post(f"{self._agent}/start_job", body)
        self._tell("hired", f"job {job['job_id']}, purchaser {identifier}")
        price = ", ".join(_price(part) for part in job["amounts"])
        minutes = (job["payByTime"] / 1000 - time.time()) / 60
        self._tell("terms", f"{price}, to be locked within {minutes:.0f} minutes")
        _same("input hash", input_hash(identifier, data), job["input_hash"])
        self._tell("verified", f"input hash  {job['input_hash']}", good=True)
        status = self._status(job)
        self._tell("status", f"{status['status']}: nothing runs yet")
        return job

    def _pay(self, identifier: str, job: dict[str, Any]) -> None:
        purchase = {
            "identifierFromPurchaser": identifier,
            "network": job["network"],
            "sellerVkey": job["sellerVKey"],
            "blockchainIdentifier": job["blockchainIdentifier"],
            "agentIdentifier": job["agentIdentifier"],
            "inputHash": job["input_hash"],
            **{name: str(job[name]) for name in TIMES},
        }
        bought = self._post(f"{self._node}/purchase", purchase)["data"]
        self._tell("purchase", f"{bought['NextAction']['requestedAction']} at the buyer's node")
        with self._spinner("waiting for the chain to lock the funds"):
            self._until(lambda: self._payment(job)["onChainState"] == "FundsLocked", "FundsLocked")
        self._tell("chain", "FundsLocked: the escrow holds the money, the runner is made")

    def _greet(self, waiting: dict[str, Any]) -> None:
        field = waiting["input_schema"]["input_data"][-1]
        greeting = "Hello from the demo!"
        self._tell("status", f"awaiting_input: the agent asks for “{field['name']}”")
        body = {
            "job_id": waiting["job_id"],
            "status_id": waiting["id"],
            "input_data": {field["id"]: greeting},
        }
        answer = self._post(f"{self._agent}/provide_input", body)
        self._tell("answered", f"“{greeting}” (input hash {answer['input_hash'][:16]}…)")

    def _check_result(self, identifier: str, job: dict[str, Any], done: dict[str, Any]) -> None:
        payment = self._payment(job)
        at_node = payment["resultHash"] or payment["NextAction"]["resultHash"]
        _same("result hash", result_hash(identifier, done["result"]), at_node)
        self._tell("verified", f"result hash {at_node}", good=True)
        with self._spinner("waiting for the chain to confirm the result"):
            confirmed = "ResultSubmitted"
            self._until(lambda: self._payment(job)["onChainState"] == confirmed, confirmed)
        self._tell("chain", "ResultSubmitted: the hash is on chain")

    def _collect(self, job: dict[str, Any]) -> None:
        """Time is the sandbox's: let it be past unlockTime, and the seller collects."""
        seconds = job["unlockTime"] / 1000 - time.time() + 900
        control = self._node.removesuffix("/api/v1")
        self._post(f"{control}/sandbox/advance", {"seconds": seconds})
        with self._spinner("waiting for the seller to collect"):
            self._until(lambda: self._payment(job)["onChainState"] == "Withdrawn", "Withdrawn")
        paid = ", ".join(_price(part) for part in self._payment(job)["RequestedFunds"])
        later = f"{seconds / 3600:.0f} hours of chain time later"
        self._tell("chain", f"Withdrawn, {later}: {paid} to the seller, less the network's fee")

    # --- calls ---------------------------------------------------------------------------------

    def _wait(self, job: dict[str, Any], wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def arrived() -> bool:
            found.update(self._status(job))
            if found["status"] == "failed":
                raise DemoFailed(f"the job failed: {found.get('error')}")
            return bool(found["status"] == wanted)

        with self._spinner(f"waiting until the job is {wanted}"):
            self._until(arrived, wanted)
        return found

    def _until(self, true: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                raise DemoFailed(f"{what} did not come within {PATIENCE:.0f} s")
            time.sleep(0.2)

    def _status(self, job: dict[str, Any]) -> dict[str, Any]:
        return self._get(f"{self._agent}/status", job_id=job["job_id"])

    def _payment(self, job: dict[str, Any]) -> dict[str, Any]:
        asked = {"network": job["network"], "blockchainIdentifier": job["blockchainIdentifier"]}
        url = f"{self._node}/payment/resolve-blockchain-identifier"
        answer: dict[str, Any] = self._post(url, asked)["data"]
        return answer

    def _get(self, url: str, **params: str) -> dict[str, Any]:
        return _object(self._http.get(url, params=params))

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        return _object(self._http.post(url, json=body, headers={"token": SANDBOX_TOKEN}))

    # --- showing -------------------------------------------------------------------------------

    def _tell(self, what: str, words: str, *, good: bool = False) -> None:
        style = "bold green" if good else "bold cyan"
        seconds = f"[dim]{time.monotonic() - self._began:5.1f} s[/]"
        shown = words.replace("[", r"\[")
        self._console.print(
            f"{seconds}  [{style}]{what:<9}[/] {shown}", highlight=False, soft_wrap=True
        )

    @contextmanager
    def _spinner(self, words: str) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(words):
            yield


def _price(amount: dict[str, str]) -> str:
    if amount["unit"] == "":
        return f"{int(amount['amount']) / 1_000_000:g} ADA"
    return f"{amount['amount']} {amount['unit'][:12]}…"


def _same(what: str, expected: str, found: str | None) -> None:
    if found != expected:
        raise DemoFailed(f"the {what} does not verify: expected {expected}, found {found}")


def _object(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise DemoFailed(f"{response.url} answered {response.status_code}: {response.text[:300]}")
    answer: dict[str, Any] = response.json()
    return answer
