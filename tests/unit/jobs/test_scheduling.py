"""Which queued jobs get a runner: limits for free jobs and for each app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import a_job, a_payment

from masumi_sumi.jobs.model import Job, JobState, PaymentState, Terms
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import LiveCount
from masumi_sumi.jobs.running import needs_build
from masumi_sumi.jobs.scheduling import RunnerSlots

L, R = JobState.LAUNCHING, JobState.RUNNING


def free_job(app: str = "a") -> Job:
    return a_job(state=JobState.QUEUED, terms=Terms(), app_url=app)


def funded_job(app: str = "a") -> Job:
    payment = a_payment(state=PaymentState.LOCKED)
    return a_job(state=JobState.QUEUED, payment=payment, app_url=app)


def test_free_jobs_get_half_of_the_places_and_funded_ones_all() -> None:
    policy = Policy(runners_at_once=8, launches_at_once=8, max_runners_per_app=8)

    assert len(RunnerSlots.count(policy, []).choose(free_job() for _ in range(20))) == 4
    funded = [funded_job(app) for app in "ab" * 10]
    assert len(RunnerSlots.count(policy, []).choose(funded)) == 8


def test_one_place_is_left_for_free_jobs_of_a_small_machine() -> None:
    slots = RunnerSlots.count(Policy(runners_at_once=1), [])
    assert len(slots.choose([free_job(), free_job("b")])) == 1


def test_an_app_leaves_places_to_the_others() -> None:
    policy = Policy(runners_at_once=8, launches_at_once=8)
    live = [LiveCount("a", R, False, 6)]

    slots = RunnerSlots.count(policy, live)

    assert slots.full_apps == {"a"}
    wanted = [funded_job("a"), funded_job("b"), funded_job("b"), funded_job("c")]
    assert [job.app_url for job in slots.choose(wanted)] == ["b", "b"]


def test_an_app_whose_runners_do_not_start_leaves_a_launch_to_the_others() -> None:
    policy = Policy(runners_at_once=40, launches_at_once=4)
    slots = RunnerSlots.count(policy, [LiveCount("a", L, False, 3)])

    chosen = slots.choose([funded_job("a"), funded_job("b"), funded_job("b")])

    assert [job.app_url for job in chosen] == ["b"]


def test_a_machine_with_one_place_serves_any_app() -> None:
    slots = RunnerSlots.count(Policy(runners_at_once=1, launches_at_once=1), [])
    assert len(slots.choose([funded_job(), funded_job("b")])) == 1


_counts = st.builds(
    LiveCount,
    st.sampled_from("abc"),
    st.sampled_from([L, R]),
    st.booleans(),
    st.integers(min_value=1, max_value=5),
)
_jobs = st.lists(st.builds(lambda free, app: (free_job if free else funded_job)(app),
                           st.booleans(), st.sampled_from("abc")), max_size=12)  # fmt: skip


@given(st.integers(1, 12), st.integers(1, 6), st.lists(_counts, max_size=6), _jobs)
def test_no_limit_is_ever_passed_by_a_choice(
    runners: int, launches: int, live: list[LiveCount], jobs: list[Job]
) -> None:
    policy = Policy(runners_at_once=runners, launches_at_once=launches)
    before = RunnerSlots.count(policy, live)
    full, places, has_room = before.full_apps, before.open_places, before.has_room_for_free_jobs

    chosen = before.choose(jobs)

    assert len(chosen) <= places
    assert not any(job.app_url in full for job in chosen)
    assert has_room or not any(job.terms.free for job in chosen)
    assert chosen == [job for job in jobs if job in chosen]
    if chosen:
        assert before.live <= runners
        assert before.launching <= launches


@pytest.mark.parametrize("name", ["pip", "uv", "conda", "image_uri", "working_dir", "py_modules"])
def test_an_environment_that_must_be_built_gets_more_time(name: str) -> None:
    assert needs_build({name: ["x"]})
    assert not needs_build({name: []})
    assert not needs_build({"env_vars": {"A": "1"}})
