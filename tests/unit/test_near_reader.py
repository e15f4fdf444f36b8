"""Where a replica reads jobs: the store if it is the supervisor's own, else the supervisor."""

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
    id: str = ""
    asked: list[str] = field(default_factory=list)

    async def job(self, job_id: str) -> Job | None:
        self.asked.append("job")
        return self.held

    async def locks(self, job_id: str) -> list[Lock]:
        self.asked.append("locks")
        return self.questions

    async def store_id(self) -> str:
        self.asked.append("store_id")
        return self.id


def reader(near: Place, far: Place) -> NearReader:
    return NearReader(cast(Any, near), cast(Any, far))


@pytest.mark.parametrize("questions", [[], [LOCK]])
async def test_a_job_that_is_at_hand_is_read_without_the_supervisors_jobs(
    questions: list[Lock],
) -> None:
    near, far = Place(JOB, questions, id="one"), Place(id="one")

    assert await reader(near, far).job(JOB.id) == JOB
    assert await reader(near, far).locks(JOB.id) == questions
    assert set(far.asked) <= {"store_id"}


@pytest.mark.parametrize("near_id", ["", "another"])
async def test_what_is_not_at_hand_is_asked_of_the_supervisor(near_id: str) -> None:
    near, far = Place(id=near_id), Place(JOB, [LOCK], id="one")

    assert await reader(near, far).job(JOB.id) == JOB
    assert await reader(near, far).locks(JOB.id) == [LOCK]


async def test_unknown_ids_never_reach_the_supervisor_of_the_same_store() -> None:
    near, far = Place(id="one"), Place(id="one")
    both = reader(near, far)

    for number in range(100):
        assert await both.job(f"{number:024x}") is None
        assert await both.locks(f"{number:024x}") == []

    assert far.asked == ["store_id"]


@pytest.mark.parametrize(
    "job_id", ["", "x" * 65, "../x", "a b", "a\0b", "ä", "1'--", "a\n", "%2e", "a/b"]
)
async def test_what_cannot_be_an_id_is_looked_up_nowhere(job_id: str) -> None:
    near, far = Place(JOB, [LOCK]), Place(JOB, [LOCK])

    assert await reader(near, far).job(job_id) is None
    assert await reader(near, far).locks(job_id) == []
    assert (near.asked, far.asked) == ([], [])
