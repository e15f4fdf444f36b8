"""A running stack as its buyers, its operator and its payment node see it: HTTP, files, pids."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from masumi_sumi.cli.panel import HEADER, login
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import SANDBOX_TOKEN

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ab" * 32
"""Under which the test agents are sold; its first part is the policy of the sandbox's agents."""

EXPOSE = "bazaar"
"""The expose of the test agents, where there is one."""

FAIR = "fair"
"""The expose of the wares, which are sold by their author alone: it has no network."""

PATIENCE = 90.0
"""Seconds for what needs a new process or a block of the chain, on a machine that is busy."""

TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
SOURCE = ("paymentSourceType", "supportedPaymentSourceIndex")
ENDS = ("completed", "failed")


def until[Found](look: Callable[[], Found], what: str, seconds: float = PATIENCE) -> Found:
    """The first look that finds something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Hired:
    """A job as its buyer holds it; ``terms`` is what start_job answered."""

    flow: str
    identifier: str
    data: dict[str, Any]
    terms: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.terms["job_id"])


@dataclass(frozen=True)
class Event:
    """A row of Kodosumi's event store. ``value`` is the payload without its type."""

    kind: str
    message: str

    @property
    def value(self) -> Any:
        return next(iter(json.loads(self.message).values()))


class Shop:
    """One app of a stack, and what stands around it: the payment node at ``node_url``."""

    def __init__(
        self,
        stack: Stack,
        app: str = "agents",
        node_url: str = "",
        node_token: str = SANDBOX_TOKEN,
    ) -> None:
        self.stack = stack
        self.url = f"{stack.urls['serve']}/{app}"
        self.node = Node(node_url or stack.urls["sandbox"], node_token)
        self.cluster = Cluster(stack)
        self.http = httpx.Client(timeout=60.0, trust_env=False)

    # --- the buyer -----------------------------------------------------------------------------

    def ask_to_hire(self, flow: str, identifier: str = "", **data: Any) -> httpx.Response:
        body = {"input_data": data}
        if identifier:
            body |= {"identifier_from_purchaser": identifier}
        return self.http.post(f"{self.url}{flow}/start_job", json=body)

    def hire(self, flow: str, identifier: str = "", **data: Any) -> Hired:
        identifier = identifier or secrets.token_hex(13)
        answer = self.ask_to_hire(flow, identifier, **data)
        assert answer.status_code == 200, answer.text
        return Hired(flow, identifier, data, answer.json())

    def status(self, job: Hired) -> dict[str, Any]:
        answer = self.http.get(f"{self.url}{job.flow}/status", params={"job_id": job.id})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def wait(self, job: Hired, *wanted: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The status once it is one of the wanted; an end that is not wanted fails the test."""

        def arrived() -> dict[str, Any] | None:
            found = self.status(job)
            assert found["status"] in wanted or found["status"] not in ENDS, found
            return found if found["status"] in wanted else None

        return until(arrived, f"{job.flow} {job.id} is {wanted}", seconds) or {}

    def result(self, job: Hired) -> str:
        return str(self.wait(job, "completed")["result"])

    def failure(self, job: Hired) -> str:
        return str(self.wait(job, "failed")["error"])

    def provide(self, job: Hired, data: Any, **more: Any) -> httpx.Response:
        body = {"job_id": job.id, "input_data": data, **more}
        return self.http.post(f"{self.url}{job.flow}/provide_input", json=body)

    # --- the execution -------------------------------------------------------------------------

    def provide_in_path(self, job: Hired, data: dict[str, Any]) -> httpx.Response:
        """As a bridge to MPP answers: the job in the path, and the bare data."""
        return self.http.post(f"{self.url}{job.flow}/provide_input/{job.id}", json=data)

    def job_ids(self) -> set[str]:
        """All jobs in the store."""
        file = self.stack.settings.data_dir / "sumi.db"
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10.0)) as store:
            return {job_id for (job_id,) in store.execute("SELECT id FROM jobs")}

    def events(self, job_id: str) -> list[Event]:
        files = list((self.stack.settings.data_dir / "execution").glob(f"*/{job_id}/sqlite3.db"))
        if not files:
            return []
        connection = sqlite3.connect(f"{files[0].as_uri()}?mode=ro", uri=True, timeout=10.0)
        try:
            rows = connection.execute("SELECT kind, message FROM monitor ORDER BY id").fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()
        return [Event(*row) for row in rows]

    def kinds(self, job_id: str, *kinds: str) -> list[Event]:
        return [event for event in self.events(job_id) if event.kind in kinds]

    def statuses(self, job_id: str) -> list[str]:
        return [event.message for event in self.kinds(job_id, "status")]

    def payments(self, job_id: str) -> list[dict[str, Any]]:
        return [event.value for event in self.kinds(job_id, "payment")]


class Cluster:
    """The stack's Ray, through its state API; dead actors are told too."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.environment['KODO_RAY_DASHBOARD']}/api/v0/actors"
        headers = stack.get_ray_headers()
        self._http = httpx.Client(timeout=30.0, trust_env=False, headers=headers)

    def actors(self, key: str, value: str) -> list[dict[str, Any]]:
        asked = {"filter_keys": key, "filter_predicates": "=", "filter_values": value}
        answer = self._http.get(self._url, params={**asked, "detail": "1", "limit": "1000"})
        found: list[dict[str, Any]] = answer.json()["data"]["result"]["result"]
        return found

    def runners(self, job: Hired) -> list[dict[str, Any]]:
        """All runners that a job ever had."""
        return self.actors("name", job.id)

    def runner_pid(self, job: Hired) -> int:
        alive = [each["pid"] for each in self.runners(job) if each["state"] == "ALIVE"]
        assert len(alive) == 1, self.runners(job)
        return int(alive[0])

    def wait_gone(self, job: Hired) -> None:
        """Until the job has neither an actor nor a process."""

        def gone() -> bool:
            found = self.runners(job)
            dead = all(each["state"] == "DEAD" for each in found)
            return dead and not any(psutil.pid_exists(each["pid"]) for each in found)

        until(gone, f"the runner of {job.id} is gone")

    def supervisor_pid(self) -> int:
        return self._alive("name", "supervisor")

    def replica_pid(self, deployment: str) -> int:
        return self._alive("class_name", f"ServeReplica:{deployment}")

    def kill_supervisor(self) -> None:
        """SIGKILL. Ray starts it again by itself."""
        os.kill(self.supervisor_pid(), signal.SIGKILL)

    def _alive(self, key: str, value: str) -> int:
        def pid() -> int:
            alive = [each for each in self.actors(key, value) if each["state"] == "ALIVE"]
            return int(alive[0]["pid"]) if alive else 0

        return until(pid, f"{value} lives")


class Node:
    """The sandbox: the buyer's side of it, and its controls."""

    def __init__(self, url: str, token: str = SANDBOX_TOKEN) -> None:
        self._url = url
        self._control = self._url.removesuffix("/api/v1") + "/sandbox"
        self._http = httpx.Client(timeout=60.0, trust_env=False, headers={"token": token})

    def buy(self, job: Hired) -> None:
        terms = job.terms
        purchase = {
            "identifierFromPurchaser": job.identifier,
            "network": terms["network"],
            "sellerVkey": terms["sellerVKey"],
            "blockchainIdentifier": terms["blockchainIdentifier"],
            "agentIdentifier": terms["agentIdentifier"],
            "inputHash": terms["input_hash"],
            **{name: str(terms[name]) for name in TIMES},
            **{name: terms[name] for name in SOURCE if name in terms},
        }
        self._post(f"{self._url}/purchase", purchase)

    def payment(self, job: Hired) -> dict[str, Any]:
        asked = {
            "network": job.terms["network"],
            "blockchainIdentifier": job.terms["blockchainIdentifier"],
        }
        answer = self._post(f"{self._url}/payment/resolve-blockchain-identifier", asked)
        found: dict[str, Any] = answer["data"]
        return found

    def hash_of(self, job: Hired) -> str | None:
        """The result's hash that the node has, on chain or about to send it."""
        payment = self.payment(job)
        return payment["resultHash"] or payment["NextAction"]["resultHash"]

    def control(self, name: str, **body: Any) -> Any:
        return self._post(f"{self._control}/{name}", body)

    def requests(self, call: str) -> int:
        """How often ``METHOD /path`` was asked since ``forget``."""
        return int(self._http.get(f"{self._control}/requests").json().get(call, 0))

    def forget(self) -> None:
        self._http.delete(f"{self._control}/requests")

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(url, json=body)
        assert answer.is_success, answer.text
        return answer.json()


class Panel:
    """Kodosumi's panel as its admin uses it."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.urls["panel"]
        key = login(self._url, *stack.panel_login)
        self.http = httpx.Client(
            base_url=self._url, headers={HEADER: key}, timeout=60.0, trust_env=False
        )

    def status(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/outputs/status/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def boot(self, expose: dict[str, Any]) -> str:
        """Save an expose and bring it to Ray Serve. The gateway's address."""
        assert self.http.post("/expose/", json=expose).status_code == 201
        with self.http.stream("POST", "/boot/", timeout=300.0) as answer:
            lines = [line for line in answer.iter_lines() if line]
        assert lines[-1].startswith("✔ Boot completed"), lines
        assert not [line for line in lines if line.startswith("⚠")], lines
        return self._url.rstrip("/")

    def timeline(self) -> dict[str, dict[str, Any]]:
        """What the timeline lists, by execution."""
        items = self.http.get("/timeline/list", params={"pp": 500}).json()["items"]
        return {item["fid"]: item for item in items}

    def flow(self, summary: str) -> str:
        """The address of a flow in the panel."""
        listed = self.http.get("/flow", params={"pp": 500}).json()["items"]
        return str(next(flow["url"] for flow in listed if flow["summary"] == summary))
