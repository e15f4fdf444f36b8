"""Where a replica reads jobs: the store if it is at hand, else the supervisor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from samples import a_job

from masumi_sumi.compose import NearReader
from masumi_sumi.jobs.model import Job, JobState, Lock

JOB = a_job(state=JobState.RUNNING)
LOCK = Lock("lock-1", JOB.id, "ask", 9e9, 100.0)


@dataclass
class Place:
    """A ``JobReader`` of one job, or of none."""

    held: Job | None = None
    questions: list[Lock] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def job(self, job_id: str) -> Job | None:
        self.asked.append("job")
        return self.held

    async def locks(self, job_id: str) -> list[Lock]:
        self.asked.append("locks")
        return self.questions


def reader(near: Place, far: Place) -> NearReader:
    return NearReader(near, cast(Any, far))


@pytest.mark.parametrize("questions", [[], [LOCK]])
async def test_a_job_that_is_at_hand_is_read_without_the_supervisor(questions: list[Lock]) -> None:
    near, far = Place(JOB, questions), Place()

    assert await reader(near, far).job(JOB.id) == JOB
    assert await reader(near, far).locks(JOB.id) == questions
    assert far.asked == []


async def test_what_is_not_at_hand_is_asked_of_the_supervisor() -> None:
    near, far = Place(), Place(JOB, [LOCK])

    assert await reader(near, far).job(JOB.id) == JOB
    assert await reader(near, far).locks(JOB.id) == [LOCK]
