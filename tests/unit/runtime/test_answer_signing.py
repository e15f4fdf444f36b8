"""The supervisor signs answers that were taken, and nothing else that it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from samples import a_job

from masumi_sumi.jobs.model import Job, Lock, LockOutcome
from masumi_sumi.runtime.answer_signing import sign_answer
from masumi_sumi.signing import AgentKey, Taken, check

KEY, OTHER = AgentKey(b"k" * 32), AgentKey(b"o" * 32)
HASH = "ab" * 32
JOB = a_job()
TAKEN = Taken(JOB.id, "status-1", JOB.identifier, HASH)
LOCK = Lock("lock-1", JOB.id, "name", 2.0, 1.0, outcome=LockOutcome.ANSWERED, input_hash=HASH)


class Store:
    def __init__(self, job: Job | None, *locks: Lock) -> None:
        self._job, self._locks = job, list(locks)

    async def job(self, job_id: str) -> Job | None:
        return self._job if self._job and self._job.id == job_id else None

    async def locks(self, job_id: str) -> list[Lock]:
        return self._locks


async def sign(store: Any, taken: Taken = TAKEN, key: AgentKey | None = KEY) -> str:
    return await sign_answer(store, key, taken, "Preprod", KEY.public_key)


async def test_answer_that_was_taken_is_signed():
    signature = await sign(Store(JOB, LOCK))

    check(signature, KEY.public_key, TAKEN)


@pytest.mark.parametrize("key", [None, OTHER])
async def test_another_key_than_the_app_shows_signs_nothing(key: AgentKey | None):
    assert await sign(Store(JOB, LOCK), key=key) == ""


@pytest.mark.parametrize(
    "store",
    [
        Store(None, LOCK),
        Store(JOB),
        Store(JOB, replace(LOCK, outcome=LockOutcome.OPEN)),
        Store(JOB, replace(LOCK, outcome=LockOutcome.EXPIRED)),
        Store(JOB, replace(LOCK, input_hash="cd" * 32)),
        Store(JOB.with_(identifier="c3" * 9), LOCK),
    ],
)
async def test_answer_that_nobody_gave_is_not_signed(store: Store):
    assert await sign(store) == ""
