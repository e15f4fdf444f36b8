"""Executions: deleting one cancels its job, and streams of those without a runner."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counter import USER, Counter

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import SellerUnavailable
from masumi_sumi.gateway.executions import LINGER, Execution, Life, Wanted, follow
from masumi_sumi.jobs.model import JobState, Payment

# --- deleting ------------------------------------------------------------------------------------


async def test_a_deleted_execution_is_cancelled_before_the_panel_archives_it(
    counter: Counter,
) -> None:
    job = counter.jobs.has(JobState.AWAITING_PAYMENT)
    answer = await counter.client("operator").delete(f"/outputs/{job.id}")
    assert counter.jobs.cancelled == [(job.id, "The seller cancelled this job.")]
    assert answer.json() == {"panel": f"/outputs/{job.id}", "method": "DELETE", "body": ""}


async def test_a_list_is_cancelled_and_reaches_the_panel_whole(counter: Counter) -> None:
    for name in ("one", "two"):
        counter.jobs.has(JobState.RUNNING, id=name)
    body = {"fid": ["one", "two", "stranger"]}
    answer = await counter.client("operator").request("DELETE", "/outputs/", json=body)
    assert [job_id for job_id, _ in counter.jobs.cancelled] == ["one", "two"]
    assert answer.json()["body"] == '{"fid": ["one", "two", "stranger"]}'


async def test_a_job_without_an_execution_is_cancelled_and_the_panel_is_not_asked(
    counter: Counter,
) -> None:
    job = counter.jobs.has(JobState.AWAITING_PAYMENT, payment=Payment("Preprod"))
    counter.jobs.unwritten = {job.id}
    answer = await counter.client("operator").delete(f"/outputs/{job.id}")
    assert counter.jobs.cancelled == [(job.id, "The seller cancelled this job.")]
    assert (answer.status_code, answer.content) == (204, b"")


async def test_of_a_list_the_panel_gets_those_that_have_an_execution(counter: Counter) -> None:
    for name in ("one", "two"):
        counter.jobs.has(JobState.AWAITING_PAYMENT, id=name, payment=Payment("Preprod"))
    counter.jobs.unwritten = {"one"}
    body = {"fid": ["one", "two", "stranger"]}
    answer = await counter.client("operator").request("DELETE", "/outputs/", json=body)
    assert [job_id for job_id, _ in counter.jobs.cancelled] == ["one", "two"]
    assert answer.json()["body"] == '{"fid": ["two", "stranger"]}'


async def test_nobody_cancels_what_is_not_his_or_has_ended(counter: Counter) -> None:
    mine = counter.jobs.has(JobState.AWAITING_PAYMENT)
    ended = counter.jobs.has(JobState.COMPLETED, id="ended")
    await counter.client().delete(f"/outputs/{mine.id}")
    await counter.client("user").delete(f"/outputs/{mine.id}")
    await counter.client("operator").delete(f"/outputs/{ended.id}")
    assert counter.jobs.cancelled == []
    assert mine.user != USER.id


async def test_without_its_supervisor_nothing_is_archived(counter: Counter) -> None:
    job = counter.jobs.has(JobState.AWAITING_PAYMENT)
    counter.jobs.failure = SellerUnavailable("its supervisor does not answer")
    answer = await counter.client("operator").delete(f"/outputs/{job.id}")
    assert answer.status_code == 503
    assert "panel" not in answer.json()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"no json", b"[]", b'{"fid": 1}', b'{"fid": [1]}', b'{"fid": "one"}'),
        *(b'{"fid": ["../b99882e9/one"]}', b'{"fid": ["one/"]}', b'{"fid": ["."]}'),
    ],
)
async def test_a_list_of_anything_but_ids_archives_nothing(counter: Counter, body: bytes) -> None:
    counter.jobs.has(JobState.RUNNING, id="one")
    answer = await counter.client("operator").request("DELETE", "/outputs", content=body)
    assert answer.status_code == 400
    assert "panel" not in answer.json()
    assert counter.jobs.cancelled == []


async def test_a_list_that_two_readers_read_differently_is_the_same_for_both(
    counter: Counter,
) -> None:
    for name in ("one", "two"):
        counter.jobs.has(JobState.RUNNING, id=name)
    body = b'{"fid": ["one"], "fid": ["two"]}'
    answer = await counter.client("operator").request("DELETE", "/outputs", content=body)
    assert [job_id for job_id, _ in counter.jobs.cancelled] == ["two"]
    assert answer.json()["body"] == '{"fid": ["two"]}'


async def test_a_stranger_who_deletes_is_not_read(counter: Counter) -> None:
    answer = await counter.client().request("DELETE", "/outputs", content=b"no json")
    assert answer.json()["panel"] == "/outputs"


@pytest.mark.parametrize(
    "path",
    ["/outputs/{}", "/outputs/{}/", "/%6futputs/{}", "/output%73/{}"],
)
async def test_every_way_to_write_its_path_cancels_the_job(counter: Counter, path: str) -> None:
    job = counter.jobs.has(JobState.AWAITING_PAYMENT)
    answer = await counter.client("operator").delete(path.format(job.id))
    assert "panel" in answer.json()
    assert [job_id for job_id, _ in counter.jobs.cancelled] == [job.id]


@pytest.mark.parametrize(
    "path",
    [
        *("//outputs/{}", "/outputs//{}", "/outputs/{}//", "/./outputs/{}", "/outputs/./{}"),
        *("/x/../outputs/{}", "/outputs%2f{}", "/outputs/%2e/{}", "/outputs/{};x", "///outputs/{}"),
        *("/outputs/{}%00", "/outputs/{}%5c", "/%2foutputs/{}", "/outputs/%252e/{}"),
    ],
)
async def test_no_other_spelling_reaches_the_panel(counter: Counter, path: str) -> None:
    job = counter.jobs.has(JobState.AWAITING_PAYMENT)
    answer = await counter.delete_raw(path.format(job.id))
    assert answer.status_code == 400
    assert set(answer.json()) == {"detail", "error", "path", "status_code"}
    assert counter.jobs.cancelled == []


# --- streams -------------------------------------------------------------------------------------


class Written:
    """An execution on disk, and what happens to it while a stream sleeps."""

    def __init__(self, file: Path, clock: ManualClock) -> None:
        self.clock, self.file = clock, file
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute(
            "CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL NOT NULL, "
            "kind TEXT NOT NULL, message TEXT NOT NULL)"
        )
        self._later: list[tuple[float, Callable[[], None]]] = []
        self.looks = 0

    def write(self, kind: str, message: str, at: float | None = None) -> None:
        query = "INSERT INTO monitor (timestamp, kind, message) VALUES (?, ?, ?)"
        self._connection.execute(query, (at or self.clock.now(), kind, message))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((self.clock.now() + seconds, act))

    async def pause(self, seconds: float) -> None:
        self.looks += 1
        self.clock.advance(seconds)
        due = [act for at, act in self._later if at <= self.clock.now()]
        self._later = [each for each in self._later if each[0] > self.clock.now()]
        for act in due:
            act()

    async def stream(self, life: Life = "live", **wanted: Any) -> list[tuple[str, str]]:
        """All of it, without the times."""

        async def lives() -> Life:
            return life

        execution = Execution(sqlite3.connect(self.file, isolation_level=None))
        events = follow(execution, Wanted(**wanted), lives, self.clock.now, self.pause)
        return [(each["event"], each["data"].partition(":")[2]) async for each in events]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    written = Written(tmp_path / "sqlite3.db", ManualClock())
    written.write("status", "starting")
    return written


async def test_a_waiting_job_goes_over_into_the_running_one_without_a_break(
    written: Written,
) -> None:
    written.write("payment", '{"dict": {"step": "initialized"}}')
    written.later(60, lambda: written.write("status", "running"))
    written.later(61, lambda: written.write("final", '{"str": "done"}'))
    written.later(61, lambda: written.write("status", "finished"))

    events = await written.stream()

    told = [event for event in events if event[0] != "alive"]
    assert told == [
        ("status", "starting"),
        ("payment", '{"dict": {"step": "initialized"}}'),
        ("status", "running"),
        ("final", '{"str": "done"}'),
        ("status", "finished"),
        ("eof", ""),
    ]
    assert 15 <= events.count(("alive", "service alive")) <= 25


async def test_late_events_still_come_after_the_end(written: Written) -> None:
    written.write("status", "finished")
    written.later(LINGER / 2, lambda: written.write("payment", "{}"))
    events = await written.stream()
    assert ("payment", "{}") in events
    assert events[-1][0] == "eof"


async def test_events_come_in_the_order_of_writing_and_once(written: Written) -> None:
    written.write("debug", "late clock", at=written.clock.now() - 100)
    written.later(1, lambda: written.write("status", "finished"))
    told = [event for event in await written.stream() if event[0] != "alive"]
    assert told == [
        ("status", "starting"),
        ("debug", "late clock"),
        ("status", "finished"),
        ("eof", ""),
    ]


async def test_kinds_are_chosen_and_the_end_is_seen_all_the_same(written: Written) -> None:
    written.write("stdout", "hello")
    written.write("status", "finished")
    events = await written.stream(kinds=("stdout",))
    assert [kind for kind, _ in events if kind != "alive"] == ["stdout", "eof"]


async def test_a_runner_that_is_gone_without_a_word_ends_as_an_error(written: Written) -> None:
    events = await written.stream(life="lost")
    assert ("error", "actor not found") in events
    assert ("status", "error") in events
    assert events[-1][0] == "eof"


async def test_a_job_that_ended_without_saying_so_ends_the_stream(written: Written) -> None:
    assert (await written.stream(life="over"))[-1][0] == "eof"


async def test_an_archived_execution_ends_at_once(written: Written) -> None:
    written.later(5, lambda: written.file.rename(f"{written.file}.archive") and None)
    await written.stream()
    assert written.looks == 20
