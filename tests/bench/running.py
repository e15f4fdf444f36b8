"""What running costs through Sumi, against a plain Kodosumi launch on the same stack."""

from __future__ import annotations

import sqlite3
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil

from masumi_sumi.cli.stack import Stack
from tests.bench.table import Row

ROUNDS = 7
HOLD = 45.0
"""Seconds for which the jobs live whose memory is measured."""

MOST_LATENCY, MOST_MEMORY = 1.0, 0.7
ALONE, BURST = 0.1, 0.7


class Both:
    """The same app, asked through Sumi and through Kodosumi's panel."""

    def __init__(self, stack: Stack) -> None:
        self.app = stack.urls["measured"].rstrip("/")
        self.panel = stack.urls["panel"]
        self.executions = Path(stack.environment["KODO_EXEC_DIR"])
        self.http = httpx.Client(timeout=60.0)
        name, password = stack.panel_login
        login = self.http.post(f"{self.panel}/login", data={"name": name, "password": password})
        login.raise_for_status()
        self._routes = self._panel_routes()

    def _panel_routes(self) -> dict[str, str]:
        flows = self.http.get(f"{self.panel}/flow").json()
        items = flows["items"] if isinstance(flows, dict) else flows
        return {flow["url"].rsplit("/", 1)[-1]: flow["url"] for flow in items}

    def sumi(self, flow: str, data: dict[str, Any], identifier: str = "") -> str:
        body: dict[str, Any] = {"input_data": data}
        if identifier:
            body["identifier_from_purchaser"] = identifier
        answer = self.http.post(f"{self.app}/{flow}/start_job", json=body)
        answer.raise_for_status()
        return str(answer.json()["job_id"])

    def plain(self, flow: str, data: dict[str, Any]) -> str:
        answer = self.http.post(self.panel + self._routes[flow], json=data)
        answer.raise_for_status()
        return str(answer.json()["result"])

    def until_final(self, job_id: str, seconds: float = 120.0) -> None:
        """Until the final event stands in Kodosumi's own store."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._has(job_id, "final"):
                return
            time.sleep(0.02)
        raise TimeoutError(f"job {job_id} gave no result within {seconds:.0f} s")

    def until_running(self, job_id: str) -> None:
        end = time.monotonic() + 60.0
        while time.monotonic() < end and not self._has(job_id, "status", "running"):
            time.sleep(0.1)

    def _has(self, job_id: str, kind: str, message: str | None = None) -> bool:
        for file in self.executions.glob(f"*/{job_id}/sqlite3.db"):
            query = "SELECT 1 FROM monitor WHERE kind = ? AND (? IS NULL OR message = ?)"
            try:
                connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
                try:
                    found = connection.execute(query, (kind, message, message)).fetchone()
                finally:
                    connection.close()
            except sqlite3.OperationalError:
                return False
            return found is not None
        return False


def latency(both: Both) -> list[Row]:
    """Launch to final event of a flow that does nothing, in turns."""
    taken: dict[str, list[float]] = {"sumi": [], "plain": []}
    for _ in range(ROUNDS):
        for name, start in (("plain", both.plain), ("sumi", both.sumi)):
            began = time.monotonic()
            both.until_final(start("trivial", {}))
            taken[name].append(time.monotonic() - began)
            time.sleep(1.0)
    sumi, plain = (statistics.median(taken[name]) for name in ("sumi", "plain"))
    figure = f"{sumi:.2f} s against {plain:.2f} s: ratio {sumi / plain:.2f}"
    what = f"launch to final, median of {ROUNDS}"
    return [Row(what, figure, f"ratio at most {MOST_LATENCY}", sumi / plain <= MOST_LATENCY)]


def memory(both: Both, ray_pid: int) -> list[Row]:
    """Proportional set size of the processes that one more running job brings."""
    brought = {}
    for name, start in (("plain", both.plain), ("sumi", both.sumi)):
        before = _processes(ray_pid)
        jobs = [start("idle", {"seconds": str(HOLD)}) for _ in range(2)]
        for job in jobs:
            both.until_running(job)
        time.sleep(3.0)
        brought[name] = _brought(before, _processes(ray_pid)) / len(jobs)
        for job in jobs:
            both.until_final(job)
        time.sleep(5.0)
    sumi, plain = brought["sumi"] / 2**20, brought["plain"] / 2**20
    figure = f"{sumi:.0f} MiB against {plain:.0f} MiB: ratio {sumi / plain:.2f}"
    goal = f"ratio at most {MOST_MEMORY}"
    return [Row("memory of a running job (PSS)", figure, goal, sumi / plain <= MOST_MEMORY)]


def _processes(ray_pid: int) -> dict[int, tuple[str, int]]:
    """Runners and queues below Ray, by pid: (title, PSS bytes)."""
    found = {}
    for process in psutil.Process(ray_pid).children(recursive=True):
        try:
            title = " ".join(process.cmdline())
            if "Runner" in title or "_QueueActor" in title:
                found[process.pid] = (title, process.memory_full_info().pss)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _brought(before: dict[int, Any], after: dict[int, tuple[str, int]]) -> int:
    return sum(size for pid, (_, size) in after.items() if pid not in before)


def start_job(both: Both) -> list[Row]:
    """Time of start_job of a priced flow, its payment opened at the node."""
    alone = [_timed(both, number) for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        bursts = [
            list(pool.map(lambda n: _timed(both, n), range(first, first + 8)))
            for first in range(100, 140, 8)
        ]
    p50 = statistics.median(alone)
    burst = statistics.median(time for times in bursts for time in times)
    return [
        Row("start_job alone, p50 of 30", f"{p50:.3f} s", f"{ALONE} s", p50 <= ALONE),
        Row("start_job in bursts of 8, p50", f"{burst:.3f} s", f"{BURST} s", burst <= BURST),
    ]


def _timed(both: Both, number: int) -> float:
    began = time.monotonic()
    both.sumi("priced", {}, f"{number:026x}")
    return time.monotonic() - began


def lost(both: Both, count: int) -> list[Row]:
    """Launches in bursts of 8 that never came to a result."""
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: both.sumi("trivial", {}), range(count)))
    missing = 0
    for job in jobs:
        try:
            both.until_final(job, seconds=60.0 + 4.0 * count)
        except TimeoutError:
            missing += 1
    what = f"launches lost of {count}, in bursts of 8"
    return [Row(what, str(missing), "0", missing == 0)]
