"""Runners by job id, over Ray: the ``Launcher`` of the jobs."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError

from masumi_sumi.flows import error_text
from masumi_sumi.jobs.deadlines import result_due
from masumi_sumi.jobs.model import Job, Launch
from masumi_sumi.jobs.ports import Outcome, RunnerGone
from masumi_sumi.runtime import runner
from masumi_sumi.runtime.downloads import FileRules
from masumi_sumi.runtime.journal import ExecutionJournal

log = logging.getLogger(__name__)

KODOSUMI = "kodosumi"
HAND_OVER = 10.0
"""Seconds that a spooler is given to take a finished runner's last events."""


class RayLauncher:
    """Holds the handles of the runners it made, so that a call is not lost with its handle."""

    def __init__(self, journal: ExecutionJournal, files: FileRules) -> None:
        self._journal, self._files = journal, files
        self._handles: dict[str, Any] = {}
        self._runs: dict[str, Any] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def launch(self, job: Job, launch: Launch) -> None:
        try:
            handle = await asyncio.to_thread(
                runner.make,
                job.id,
                launch.spec,
                job.attempts,
                result_due(job),
                launch.runtime_env,
                self._files,
            )
        except (RayError, ValueError) as error:
            raise RunnerGone(f"no runner could be made: {_line(error)}") from error
        self._handles[job.id] = handle
        self._runs[job.id] = handle.run.remote()

    async def outcome(self, job_id: str) -> Outcome:
        handle = self._handle(job_id)
        while True:
            try:
                told = await handle.done.remote()
            except ActorUnavailableError:
                await asyncio.sleep(1.0)
                continue
            except RayError as error:
                self._forget(job_id)
                raise RunnerGone(_line(error)) from error
            if "unbegun" in told:
                await self.stop(job_id)
                raise RunnerGone(error_text(told["unbegun"]))
            return Outcome(final=told.get("final"), error=told.get("error"))

    async def runners(self) -> list[str]:
        """Job ids of all runners that live in the cluster, whoever made them."""
        named = await asyncio.to_thread(ray.util.list_named_actors, all_namespaces=True)
        return [each["name"] for each in named if each["namespace"] == KODOSUMI]

    async def release(self, job_id: str) -> None:
        """Returns at once; the runner leaves when its events are in the execution."""
        task = asyncio.create_task(self._see_off(job_id))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _see_off(self, job_id: str) -> None:
        try:
            await self._let_go(job_id)
        except (RunnerGone, RayActorError) as error:
            log.debug("runner left by itself", extra={"job_id": job_id, "note": _line(error)})
        finally:
            self._forget(job_id)

    async def _let_go(self, job_id: str) -> None:
        """Once the runner can be reached. Raises RunnerGone, RayActorError."""
        handle = self._handle(job_id)
        while True:
            spooled = _spooler_is_there()
            try:
                taken = await handle.release.remote(HAND_OVER if spooled else 0.0)
                if not taken:
                    await self._journal.take_over(job_id, handle)
            except ActorUnavailableError:
                await asyncio.sleep(1.0)
                continue
            if not (spooled and taken):  # else the spooler ends it
                ray.kill(handle)
            return

    async def stop(self, job_id: str) -> None:
        try:
            ray.kill(self._handle(job_id))
        except RunnerGone:
            return
        finally:
            self._forget(job_id)

    def _handle(self, job_id: str) -> Any:
        if job_id not in self._handles:
            try:
                self._handles[job_id] = ray.get_actor(job_id, namespace=KODOSUMI)
            except ValueError as error:
                raise RunnerGone("its process is gone") from error
        return self._handles[job_id]

    def _forget(self, job_id: str) -> None:
        self._handles.pop(job_id, None)
        self._runs.pop(job_id, None)


def _spooler_is_there() -> bool:
    try:
        ray.get_actor("Spooler", namespace=KODOSUMI)
    except ValueError:
        return False
    return True


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
