"""One sale as its buyer lives it, through the gateway; the demo's second act."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from masumi_sumi.cli.display import Display
from masumi_sumi.cli.escaping import escape_line
from masumi_sumi.cli.failures import DemoFailed
from masumi_sumi.hashing import input_hash, result_hash
from masumi_sumi.settings import SANDBOX_TOKEN

PATIENCE = 120.0
"""Seconds for which a step is waited for."""

TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
PRIMES = {"start": "0", "end": "100000", "tasks": "10"}


class Sale:
    """``panel`` is the gateway's address, ``node`` the buyer's payment node."""

    def __init__(self, console: Console, panel: str, node: str, login: tuple[str, str]) -> None:
        self._console, self._login = console, login
        self._panel, self._node = panel.rstrip("/"), node.rstrip("/")
        self._http = httpx.Client(timeout=30.0)
        self._began = time.monotonic()

    def run(self, priced: str, free: str) -> None:
        """Hire the flow of the expose ``priced``, and meanwhile the one of ``free``."""
        with self._http:
            self._log_in()
            self._find()
            primes = self._start(free, secrets.token_hex(13), PRIMES)
            self._tell("hired", f"{free}, for free: job {primes}")
            identifier = secrets.token_hex(13)
            job, data = self._hire(priced, identifier)
            payment = self._terms(job, identifier, data)
            self._pay(identifier, payment)
            self._greet(job, self._wait(job, "awaiting_input"))
            done = self._wait(job, "completed")
            self._tell("result", _text(done["result"]))
            self._check_result(identifier, job, payment, done)
            self._collect(payment)
            counted = self._wait(primes, "completed")["result"]
            self._tell("result", f"{free}, meanwhile: {json.dumps(counted)[:200]}")

    # --- the steps -----------------------------------------------------------------------------

    def _log_in(self) -> None:
        name, password = self._login
        self._http.post(
            f"{self._panel}/login", data={"name": name, "password": password}
        ).raise_for_status()

    def _find(self) -> None:
        found = self._get(f"{self._panel}/sumi", pp="50")["items"]
        names = ", ".join(str(item["display"]) for item in found)
        self._tell("found", f"{len(found)} flows at /sumi: {names}")

    def _hire(self, expose: str, identifier: str) -> tuple[str, dict[str, str]]:
        schema = self._get(f"{self._panel}/sumi/{expose}/input_schema")
        asked = [field["id"] for field in schema["input_data"] if field["type"] != "none"]
        day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
        data = {"name": "Ada", "date": day}
        self._tell("form", f"{expose} asks for {', '.join(asked)}; the buyer answers {data}")
        job = self._start(expose, identifier, data)
        self._tell("hired", f"{expose}: job {job}, purchaser {identifier}")
        return job, data

    def _start(self, expose: str, identifier: str, data: dict[str, str]) -> str:
        body = {"identifier_from_purchaser": identifier, "input_data": data}
        started = self._post(f"{self._panel}/sumi/{expose}/start_job", body)
        if started.get("error"):
            raise DemoFailed(f"{expose} took no job: {started['error']}")
        return str(started["job_id"])

    def _terms(self, job: str, identifier: str, data: dict[str, str]) -> dict[str, Any]:
        payment = self._event(job, "initialized")
        minutes = (int(payment["payByTime"]) / 1000 - time.time()) / 60
        price = self._price(payment)
        self._tell("terms", f"{price}, to be locked within {minutes:.0f} minutes")
        _same("input hash", input_hash(identifier, data), payment["inputHash"])
        self._tell("verified", f"input hash  {payment['inputHash']}", good=True)
        self._tell("status", f"{self._status(job)['status']}: nothing runs yet")
        return payment

    def _pay(self, identifier: str, payment: dict[str, Any]) -> None:
        purchase = {
            "identifierFromPurchaser": identifier,
            "sellerVkey": payment["sellerVKey"],
            **{name: payment[name] for name in ("network", "agentIdentifier", "inputHash")},
            **{name: payment[name] for name in ("blockchainIdentifier", *TIMES)},
        }
        bought = self._post(f"{self._node}/purchase", purchase)["data"]
        self._tell("purchase", f"{bought['NextAction']['requestedAction']} at the buyer's node")
        self._on_chain(payment, "FundsLocked")
        self._tell("chain", "FundsLocked: the escrow holds the money, the runner is made")

    def _greet(self, job: str, waiting: dict[str, Any]) -> None:
        question = waiting["input_schema"][0]
        field, lock = question["input_data"][-1], question["lock_id"]
        greeting = "Hello from the demo!"
        self._tell("status", f"awaiting_input: the agent asks for “{field['name']}”")
        body = {"input_data": {field["id"]: greeting}}
        answer = self._post(f"{self._panel}/sumi/lock/{job}/{lock}", body)
        self._tell("answered", f"“{greeting}” (input hash {answer['input_hash'][:16]}…)")

    def _check_result(
        self, identifier: str, job: str, payment: dict[str, Any], done: dict[str, Any]
    ) -> None:
        seen = self._payment(payment)
        at_node = seen["resultHash"] or seen["NextAction"]["resultHash"]
        _same("result hash", result_hash(identifier, _text(done["result"])), at_node)
        self._tell("verified", f"result hash {at_node}", good=True)
        _same("final_result event", at_node, self._event(job, "final_result")["resultHash"])
        self._on_chain(payment, "ResultSubmitted")
        self._tell("chain", "ResultSubmitted: the hash is on chain")

    def _collect(self, payment: dict[str, Any]) -> None:
        """Time is the sandbox's: let it be past unlockTime, and the seller collects."""
        seconds = int(payment["unlockTime"]) / 1000 - time.time() + 900
        self._post(f"{self._node.removesuffix('/api/v1')}/sandbox/advance", {"seconds": seconds})
        self._on_chain(payment, "Withdrawn")
        later = f"{seconds / 3600:.0f} hours of chain time later"
        price = self._price(payment)
        self._tell("chain", f"Withdrawn, {later}: {price} to the seller, less the network's fee")

    # --- looking -------------------------------------------------------------------------------

    def _event(self, job: str, step: str) -> dict[str, Any]:
        """A payment event, read from the job's event stream."""
        with self._http.stream("GET", f"{self._panel}/outputs/stream/{job}") as stream:
            for line in stream.iter_lines():
                if line.startswith("data:") and f'"{step}"' in line:
                    found: dict[str, Any] = json.loads(line.split(":", 2)[2])["dict"]
                    return found
        raise DemoFailed(f"the stream of job {job} ended without the payment event {step}")

    def _wait(self, job: str, wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def arrived() -> bool:
            found.update(self._status(job))
            if found["status"] == "failed":
                raise DemoFailed(f"job {job} failed: {found.get('error')}")
            return bool(found["status"] == wanted)

        self._until(arrived, f"job {job} {wanted}")
        return found

    def _on_chain(self, payment: dict[str, Any], state: str) -> None:
        self._until(lambda: self._payment(payment)["onChainState"] == state, state)

    def _until(self, arrived: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        with Display.spinner(self._console, f"waiting for {what}"):
            while not arrived():
                if time.monotonic() > end:
                    raise DemoFailed(f"{what} did not come within {PATIENCE:.0f} s")
                time.sleep(0.2)

    def _status(self, job: str) -> dict[str, Any]:
        return self._get(f"{self._panel}/sumi/status/{job}")

    def _payment(self, payment: dict[str, Any]) -> dict[str, Any]:
        asked = {name: payment[name] for name in ("network", "blockchainIdentifier")}
        url = f"{self._node}/payment/resolve-blockchain-identifier"
        answer: dict[str, Any] = self._post(url, asked)["data"]
        return answer

    def _price(self, payment: dict[str, Any]) -> str:
        funds = self._payment(payment)["RequestedFunds"]
        return ", ".join(f"{int(part['amount']) / 1_000_000:g} ADA" for part in funds)

    def _get(self, url: str, **params: str) -> dict[str, Any]:
        return _object(self._http.get(url, params=params, follow_redirects=True))

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"token": SANDBOX_TOKEN} if url.startswith(self._node[:20]) else {}
        return _object(self._http.post(url, json=body, headers=headers))

    def _tell(self, what: str, words: str, *, good: bool = False) -> None:
        line = Text(f"{time.monotonic() - self._began:5.1f} s  ", style="dim")
        line.append(f"{what:<9}", style="bold green" if good else "bold cyan")
        line.append(f" {escape_line(words)}", style="default")
        self._console.print(line, soft_wrap=True)


def _text(result: dict[str, Any]) -> str:
    """The text of a result, out of the dict that the notebook's dialect shows."""
    return str(result["Markdown"]["body"])


def _same(what: str, expected: str, found: str | None) -> None:
    if found != expected:
        raise DemoFailed(f"the {what} does not verify: expected {expected}, found {found}")


def _object(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise DemoFailed(f"{response.url} answered {response.status_code}: {response.text[:300]}")
    answer: dict[str, Any] = response.json()
    return answer
