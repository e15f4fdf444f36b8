"""Kodosumi's Runner, extended: it asks before it begins, serves its own events, keeps its outcome.

The class must be called ``Runner``: Kodosumi's Spooler finds runners by that class name. Its
event queue is a concurrency group of the runner itself, with an event loop of its own, so events,
locks and the outcome are at hand while the author's code blocks; no second process is needed.
"""

from __future__ import annotations

import asyncio
import collections
import sys
from concurrent.futures import Future
from traceback import format_exc
from typing import Any

import kodosumi.runner.main as kodosumi_runner
import ray
import ray.util.queue
from kodosumi.config import InternalSettings
from kodosumi.const import (
    EVENT_ERROR,
    EVENT_FINAL,
    EVENT_INPUTS,
    EVENT_META,
    EVENT_STATUS,
    NAMESPACE,
    STATUS_END,
    STATUS_ERROR,
    STATUS_STARTING,
)
from kodosumi.helper import now
from kodosumi.runner.tracer import Tracer

from masumi_sumi.runtime.cluster import exec_dir
from masumi_sumi.runtime.downloads import Downloads, FileRules
from masumi_sumi.runtime.folder import ExecutionFolder
from masumi_sumi.runtime.names import NAMESPACE as OURS
from masumi_sumi.runtime.names import SUPERVISOR
from masumi_sumi.runtime.operators import check_user
from masumi_sumi.runtime.spec import unpack

CONTROL = "control"

_STARTING = (EVENT_STATUS, STATUS_STARTING)

# The class as it was before Ray made an actor of it. Ray would take a child of its own class as it
# is and, in a process that looks up a runner, write another module into it: what such a process
# exports afterwards is broken.
_KodosumiRunner = kodosumi_runner.Runner.__ray_metadata__.modified_class.__ray_actor_class__


class EventBox:
    """The runner's event queue as the code inside the runner sees it.

    Where it travels to another process it becomes an ordinary Ray queue whose actor is the runner.
    """

    def __init__(self, handle: Any, box: collections.deque[dict[str, Any]]) -> None:
        self.actor, self.maxsize, self._box = handle, 0, box

    async def put_async(self, item: Any, block: bool = True, timeout: Any = None) -> None:
        self._box.append(item)

    def put(self, item: Any, block: bool = True, timeout: Any = None) -> None:
        self._box.append(item)

    def __reduce__(self) -> Any:
        return _queue_of, (self.actor,)


def _queue_of(actor: Any) -> Any:
    queue = ray.util.queue.Queue.__new__(ray.util.queue.Queue)
    queue.maxsize, queue.actor = 0, actor
    return queue


class SumiTracer(Tracer):
    """A tracer whose locks end before the job's payment does, and that needs no panel."""

    username = ""
    due: float | None = None

    def __reduce__(self) -> Any:
        facts = (self.fid, self.queue, self.panel_url, self.jwt, self.username, self.due)
        return tracer_of, facts

    def _put(self, kind: str, payload: Any) -> None:
        self.init()
        item = {"timestamp": now(), "kind": kind, "payload": payload}
        if isinstance(self.queue, EventBox):
            self.queue.put(item)
        else:
            self.queue.actor.put.remote(item)

    async def lock(
        self, name: str, data: dict[str, Any] | None = None, timeout: float | None = None
    ) -> Any:
        """As Kodosumi's; the lock expires no later than the job's result is due."""
        seconds = timeout or InternalSettings().LOCK_EXPIRES
        if self.due is not None:
            seconds = max(1.0, min(seconds, self.due - now()))
        return await super().lock(name, data, seconds)

    async def fs(self) -> Any:
        return self._folder() or await super().fs()

    def fs_sync(self) -> Any:
        folder = self._folder()
        return folder.sync if folder else super().fs_sync()

    def _folder(self) -> ExecutionFolder | None:
        """For a job that has no session at the panel to ask for its files."""
        if self.jwt and self.panel_url not in ("", "None"):
            return None
        return ExecutionFolder(exec_dir() / self.username / self.fid)


def tracer_of(
    fid: str, queue: Any, panel_url: str, jwt: str, username: str, due: float | None
) -> SumiTracer:
    tracer = SumiTracer(fid, queue, panel_url, jwt)
    tracer.username, tracer.due = username, due
    return tracer


class Runner(_KodosumiRunner):  # type: ignore[misc,valid-type]
    """One run of one job. ``spec`` is the captured launch, packed."""

    def __init__(self, spec: bytes, attempt: int, due: float | None, files: FileRules):
        launch = unpack(spec)
        self.fid, self.username = launch["fid"], check_user(launch["username"])
        self.app_url = launch["app_url"].rstrip("/")
        self.panel_url = str(launch.get("panel_url") or "").rstrip("/")
        self.entry_point, self.inputs = launch["entry_point"], launch.get("inputs")
        self.extra = launch.get("extra")
        self._files, self._file_rules = launch.get("files", ()), files
        self.active = True
        self._attempt = attempt
        self._locks: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, Future[Any]] = {}
        self._begun, self._run = False, 0
        self._outcome: Future[dict[str, str]] = Future()
        self._box: collections.deque[dict[str, Any]] = collections.deque()
        self.message_queue = EventBox(ray.get_runtime_context().current_actor, self._box)
        jwt = launch.get("jwt") or ""
        self.tracer = tracer_of(
            self.fid, self.message_queue, self.panel_url, jwt, self.username, due
        )
        self.tracer.init()

    # --- the run -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask whether to begin, run the author's code, keep the outcome. May be called again."""
        if self._begun:
            return
        self._begun = True
        try:
            self._run = await self._supervisor().runner_started.remote(self.fid, self._attempt)
            if not self._run:
                self._settle({"unbegun": "the job was not to be run"})
                return
            outcome, status = await self._work()
            await self._put_async(EVENT_STATUS, status)
        except BaseException:
            self._settle({"unbegun": format_exc()})  # nobody reads what run() raises
            raise
        self._settle(outcome)

    async def _work(self) -> tuple[dict[str, str], str]:
        try:
            await self._fetch_files()
            await self.start()
        except BaseException:  # noqa: BLE001 - the author's code may raise anything, or exit
            trace = format_exc()
            await self._put_async(EVENT_ERROR, trace)
            return {"error": trace}, STATUS_ERROR
        return {"final": self._final}, STATUS_END

    async def _fetch_files(self) -> None:
        """A stranger's server may be slow: it takes the time of the run, not of the start, which
        few jobs may be in at once.
        """
        if self._files:
            folder = exec_dir() / self.username / self.fid / "in"
            await Downloads(self._file_rules).fetch(self._files, folder)

    def _settle(self, outcome: dict[str, str]) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def _put_async(self, kind: str, payload: Any) -> None:
        if kind == EVENT_META or (kind, payload) == _STARTING:
            return  # the journal wrote them when the job was funded
        if kind == EVENT_INPUTS and (self.tracer.due is None or self._run > 1):
            return  # the journal wrote those of a free job, and the first run those of a paid one
        if kind == EVENT_FINAL:
            self._final = payload
        await super()._put_async(kind, payload)

    def _supervisor(self) -> Any:
        return ray.get_actor(SUPERVISOR, namespace=OURS)

    @ray.method(concurrency_group=CONTROL)
    async def done(self) -> dict[str, str]:
        """Wait for the outcome: {"final": event}, {"error": traceback} of the author's code, or
        {"unbegun": reason} when the runner itself did not get that far. Many may wait."""
        return await asyncio.shield(asyncio.wrap_future(self._outcome))

    @ray.method(concurrency_group=CONTROL)
    async def release(self, grace: float = 10.0) -> bool:
        """The outcome is stored. True when a spooler took all events within ``grace`` seconds."""
        self.active = False
        end = now() + grace
        while self._box and now() < end:
            await asyncio.sleep(0.05)
        self._give_back_stdout()
        return not self._box

    def _give_back_stdout(self) -> None:
        if sys.stdout is not self.tracer._original_stdout:
            self.tracer.shutdown()

    # --- locks ---------------------------------------------------------------------------------

    @ray.method(concurrency_group=CONTROL)
    async def get_locks(self) -> dict[str, dict[str, Any]]:
        return self._locks

    @ray.method(concurrency_group=CONTROL)
    async def lock(
        self, name: str, lid: str, expires: float, data: dict[str, Any] | None = None
    ) -> Any:
        """Wait for the answer. Raises TimeoutError at ``expires`` (epoch seconds)."""
        answer = self._answers.setdefault(lid, Future())
        self._locks[lid] = {
            "name": name,
            "data": data,
            "result": None,
            "app_url": self.app_url,
            "expires": expires,
        }
        await self._supervisor().lock_opened.remote(self.fid, lid, name, expires)
        waiting = asyncio.wrap_future(answer)
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), max(0.0, expires - now()))
        except TimeoutError:
            if await self._supervisor().lock_closed.remote(self.fid, lid, "expired", ""):
                raise TimeoutError(f"Lock {lid} expired at {expires}") from None
            return await waiting  # the answer won the race and is on its way
        finally:
            self._locks.pop(lid, None)
            self._answers.pop(lid, None)

    @ray.method(concurrency_group=CONTROL)
    async def lease(self, lid: str, result: Any, input_hash: str = "") -> bool:
        """Answer a lock, once. None is no answer: the panel sends it for a form with errors."""
        answer = self._answers.get(lid)
        if result is None or answer is None or answer.done():
            return False
        if not await self._supervisor().lock_closed.remote(self.fid, lid, "answered", input_hash):
            return False
        if answer.done():
            return False
        self._locks[lid]["result"] = result
        answer.set_result(result)
        return True

    # --- what ray.util.queue and the spooler ask for --------------------------------------------

    @ray.method(concurrency_group=CONTROL)
    async def get_queue(self) -> EventBox:
        return self.message_queue

    @ray.method(concurrency_group=CONTROL)
    async def get_username(self) -> str:
        return str(self.username)

    @ray.method(concurrency_group=CONTROL)
    async def is_active(self) -> bool:
        return self.active or bool(self._box)

    @ray.method(concurrency_group=CONTROL)
    async def qsize(self) -> int:
        return len(self._box)

    @ray.method(concurrency_group=CONTROL)
    async def empty(self) -> bool:
        return not self._box

    @ray.method(concurrency_group=CONTROL)
    async def put(self, item: Any, timeout: float | None = None) -> None:
        self._box.append(item)

    @ray.method(concurrency_group=CONTROL)
    async def put_nowait(self, item: Any) -> None:
        self._box.append(item)

    @ray.method(concurrency_group=CONTROL)
    async def get_nowait_batch(self, count: int) -> list[Any]:
        taken: list[Any] = []
        while self._box and len(taken) < count:
            taken.append(self._box.popleft())
        return taken


ActorClass = ray.remote(concurrency_groups={CONTROL: 64})(Runner)


def make(
    job_id: str,
    spec: bytes,
    attempt: int,
    due: float | None,
    runtime_env: dict[str, Any],
    files: FileRules,
) -> Any:
    """The runner's handle: the one that is there, or a new one in the app's own environment."""
    options: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": job_id,
        "lifetime": "detached",
        "get_if_exists": True,
        "enable_task_events": False,
        "num_cpus": 0,
    }
    if runtime_env:
        options["runtime_env"] = runtime_env
    return ActorClass.options(**options).remote(spec, attempt, due, files)
