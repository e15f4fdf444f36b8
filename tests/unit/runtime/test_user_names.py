"""An execution is kept in a folder of its user: a name that could be a path is no user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import UserInvalid
from masumi_sumi.jobs.model import Job, JobState, Launch, Terms
from masumi_sumi.runtime.journal import ExecutionJournal
from masumi_sumi.runtime.operators import NOBODY, check_user

PATHS = ("../../x", "..", ".", "/tmp/x", "a/b", "a\\b", "", "a\0b", "a b", "x" * 129, "a\n")


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


@pytest.mark.parametrize("user", PATHS)
def test_what_could_be_a_path_is_refused(user: str) -> None:
    with pytest.raises(UserInvalid, match="expected up to 128 letters"):
        check_user(user)


@pytest.mark.parametrize("user", [NOBODY, "admin", "7b0f4f3e-6a6e-4a58-9d1e-8e0d5c3b2a10"])
def test_kodosumis_users_are_taken(user: str) -> None:
    assert check_user(user) == user


@pytest.mark.parametrize("user", PATHS)
async def test_a_journal_writes_nothing_for_such_a_user(tmp_path: Path, user: str) -> None:
    journal = ExecutionJournal(tmp_path / "deep" / "execution", ManualClock())
    job = Job(
        id="6b0226be2bf7957bb5ce22b6",
        flow="/",
        identifier="",
        input_hash="",
        terms=Terms(),
        user=user,
        created_at=1.0,
        updated_at=1.0,
        app_url="",
        state=JobState.QUEUED,
    )

    await journal.opened(job, Launch(spec=b"", runtime_env={}, meta={}, inputs=""))
    await journal.status(job, "finished")

    assert await journal.final(job) is None
    assert files_in(tmp_path) == []


async def test_a_journal_does_not_believe_the_name_that_a_runner_gives(tmp_path: Path) -> None:
    class Method:
        def __init__(self, *answers: object) -> None:
            self._answers = list(answers)

        async def remote(self, *args: object) -> object:
            return self._answers.pop(0)

    class Runner:
        get_username = Method("../../x")
        get_nowait_batch = Method([{"timestamp": 1.0, "kind": "final", "payload": "{}"}], [])

    journal = ExecutionJournal(tmp_path / "deep" / "execution", ManualClock())

    await journal.take_over("6b0226be2bf7957bb5ce22b6", Runner())

    assert files_in(tmp_path) == []
