"""Where a replica reads jobs: the store if it is at hand, else the supervisor."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from samples import a_job

from masumi_sumi.compose import NearReader
from masumi_sumi.errors import SellerUnavailable
from masumi_sumi.jobs.model import Job, JobState, Lock

JOB = a_job(state=JobState.RUNNING)
LOCK = Lock("lock-1", JOB.id, "ask", 9e9, 100.0)


@dataclass
class Place:
    """A reader of one job, or of none; its store was opened as ``name``."""

    held: Job | None = None
    questions: list[Lock] = field(default_factory=list)
    name: str = ""
    asked: list[str] = field(default_factory=list)
    failure: Exception | None = None

    async def job(self, job_id: str) -> Job | None:
        self.asked.append("job")
        return self.held

    async def locks(self, job_id: str) -> list[Lock]:
        self.asked.append("locks")
        return self.questions

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        self.asked.append("launch_meta")
        return {"fid": job_id} if self.held else {}

    async def opening(self) -> str:
        self.asked.append("opening")
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        return self.name


@pytest.mark.parametrize("questions", [[], [LOCK]])
async def test_a_job_that_is_at_hand_is_read_without_the_supervisor(questions: list[Lock]) -> None:
    near, far = Place(JOB, questions, name="opened here"), Place(name="opened here")
    reader = NearReader(near, far)

    assert await reader.job(JOB.id) == JOB
    assert await reader.locks(JOB.id) == questions
    assert await reader.launch_meta(JOB.id) == {"fid": JOB.id}
    assert far.asked == ["opening"]


async def test_a_job_is_read_while_the_supervisor_is_away() -> None:
    near, far = Place(JOB, [LOCK], name="first"), Place(failure=SellerUnavailable("away"))
    reader = NearReader(near, far)

    assert await reader.job(JOB.id) == JOB
    assert await reader.locks(JOB.id) == [LOCK]


@pytest.mark.parametrize("held", [None, JOB.with_(state=JobState.AWAITING_PAYMENT)])
@pytest.mark.parametrize("name", ["", "an old copy"])
async def test_what_is_not_at_hand_is_asked_of_the_supervisor(name: str, held: Job | None) -> None:
    """No store at all, one that the reader itself made, or one that another supervisor opened."""
    near, far = Place(held, name=name), Place(JOB, [LOCK], name="opened here")
    reader = NearReader(near, far)

    assert await reader.job(JOB.id) == JOB
    assert await reader.locks(JOB.id) == [LOCK]
    assert await reader.launch_meta(JOB.id) == {"fid": JOB.id}


async def test_thousand_unknown_ids_ask_the_supervisor_once() -> None:
    near, far = Place(name="opened here"), Place(name="opened here")
    reader = NearReader(near, far)

    found = await asyncio.gather(*(reader.job(f"{number:024x}") for number in range(1000)))
    locks = [await reader.locks(f"{number:024x}") for number in range(10)]

    assert found == [None] * 1000
    assert locks == [[]] * 10
    assert far.asked == ["opening"]


async def test_supervisor_that_opened_the_store_anew_is_asked_again() -> None:
    near, far = Place(name="first"), Place(name="first")
    reader = NearReader(near, far)
    assert await reader.job(JOB.id) is None
    near.name = far.name = "second"

    assert await reader.job(JOB.id) is None

    assert far.asked == ["opening", "opening"]


async def test_store_is_not_taken_for_the_supervisors_while_it_does_not_answer() -> None:
    near, far = Place(name="first"), Place(failure=SellerUnavailable("away"))
    reader = NearReader(near, far)

    with pytest.raises(SellerUnavailable):
        await reader.job(JOB.id)

    far.failure, far.name = None, "first"
    assert await reader.job(JOB.id) is None


@pytest.mark.parametrize("job_id", ["", "a" * 65, "../x", "a b", "a\0", "\ud800", "é", "x\n"])
async def test_id_that_no_job_can_have_is_looked_up_nowhere(job_id: str) -> None:
    near, far = Place(JOB, name="first"), Place(JOB, name="first")
    assert await NearReader(near, far).job(job_id) is None
    assert near.asked == far.asked == []
