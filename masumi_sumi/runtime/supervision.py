"""The supervisor as a face sees it: found by name, its errors as ours."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from masumi_sumi.clock import Clock
from masumi_sumi.errors import SellerUnavailable, SumiError
from masumi_sumi.jobs.model import Job, Launch, Lock
from masumi_sumi.runtime import supervisor
from masumi_sumi.runtime.operators import BUYERS_ROLE
from masumi_sumi.signing import Taken

log = logging.getLogger(__name__)

BEYOND = 2.0
"""Seconds that a call may take longer than the payment node may: a supervisor that died is back in
less, and what is the longest by default is still below the 15 s that marketplaces wait."""

LEAST = 3.0
"""Seconds for a start whose input took long to check: the node has two of them."""


SIGN_ATTEMPTS = 3
SIGN_PAUSE = 1.0
"""Seconds between them: Ray restarts a supervisor that died in about as long."""


class RaySupervision:
    """Raises SellerUnavailable when there is no supervisor or it does not answer in time: in the
    ``start_timeout`` seconds that the payment node has, and a little.
    """

    def __init__(self, start_timeout: float, clock: Clock) -> None:
        self._patience, self._clock = start_timeout + BEYOND, clock
        self._handle: Any = None
        self._user = ""

    async def start(self, job: Job, launch: Launch) -> Job:
        gone = self._clock.now() - job.created_at
        answer: Job = await self._ask("start", job, launch, patience=self._patience - gone)
        return answer

    async def buyer_user(self) -> str:
        """Asked again until it is the role of buyers: the gateway may create that later."""
        if self._user != BUYERS_ROLE:
            self._user = str(await self._ask("buyer_user"))
        return self._user

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None:
        answer: Lock | None = await self._ask("describe_lock", lock_id, form)
        return answer

    async def job(self, job_id: str) -> Job | None:
        answer: Job | None = await self._ask("job", job_id)
        return answer

    async def locks(self, job_id: str) -> list[Lock]:
        answer: list[Lock] = await self._ask("locks", job_id)
        return answer

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._ask("launch_meta", job_id)
        return answer

    async def opening(self) -> str:
        return str(await self._ask("opening"))

    async def cancel(self, job_id: str, reason: str) -> None:
        """End a job that has not ended. ``reason`` is for its buyer."""
        await self._ask("cancel", job_id, reason)

    async def sign(self, taken: Taken, network: str, public_key: str) -> str:
        """Return the signature in hex; an empty text when the supervisor stays away.

        The answer was taken already, so a supervisor that is about to be back is waited for, and
        an error would only make the buyer answer again.
        """
        for attempt in range(SIGN_ATTEMPTS):
            try:
                return str(await self._ask("sign", taken, network, public_key))
            except SellerUnavailable as error:
                log.warning("an answer is not signed", extra={"note": str(error)})
            if attempt + 1 < SIGN_ATTEMPTS:
                await asyncio.sleep(SIGN_PAUSE)
        return ""

    async def ping(self) -> None:
        await self._ask("ping")

    async def _ask(self, method: str, *args: Any, patience: float | None = None) -> Any:
        seconds = self._patience if patience is None else max(patience, LEAST)
        try:
            call = getattr(self._found(), method).remote(*args)
            return await asyncio.wait_for(_result(call), seconds)
        except RayTaskError as error:
            if isinstance(error.cause, SumiError):
                raise error.cause from None
            raise
        except (RayActorError, GetTimeoutError, TimeoutError) as error:
            self._handle = None
            raise SellerUnavailable("its supervisor does not answer") from error

    def _found(self) -> Any:
        if self._handle is None:
            try:
                self._handle = supervisor.find()
            except (ValueError, RayError) as error:
                raise SellerUnavailable(
                    "no supervisor runs in this cluster (masumi-sumi up starts one)"
                ) from error
        return self._handle


async def _result(reference: Any) -> Any:
    return await reference
