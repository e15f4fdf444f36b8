"""Which jobs start next, by what runs already and what waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from samples import a_job, a_payment

from masumi_sumi.jobs.model import Job, JobState, PaymentState, Terms
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.slots import Slots

S = JobState
A, B = "http://host/a", "http://host/b"


def funded(app: str = A, due: int = 0, state: JobState = S.QUEUED) -> Job:
    payment = a_payment(state=PaymentState.LOCKED)
    assert payment.facts is not None
    times = replace(payment.facts.times, submit_result=payment.facts.times.submit_result + due)
    facts = replace(payment.facts, times=times)
    return a_job(app_url=app, state=state, payment=replace(payment, facts=facts))


def free(app: str = A, state: JobState = S.QUEUED) -> Job:
    return a_job(app_url=app, state=state, payment=None, terms=Terms())


def chosen(ready: list[Job], live: list[Job], *, rivals: bool = False, **policy: Any) -> list[Job]:
    known = {"runners_at_once": 4, "launches_at_once": 4, **policy}
    return Slots(Policy(**known), live, has_rivals=rivals).choose(ready)


def test_funded_jobs_come_first_by_their_deadline_then_free_ones_in_their_order():
    late, early, first, second = funded(due=9000), funded(due=1), free(), free()
    assert chosen([first, late, second, early], []) == [early, late, first, second]


def test_free_jobs_have_half_of_the_slots_and_of_the_starts():
    waiting = [free() for _ in range(9)]
    assert len(chosen(waiting, [])) == 2
    assert chosen(waiting, [free(state=S.RUNNING)] * 2) == []
    assert len(chosen(waiting, [], free_at_once=3, launches_at_once=8)) == 3
    assert len(chosen(waiting, [], runners_at_once=1)) == 1


def test_one_app_alone_takes_all_slots():
    assert len(chosen([funded() for _ in range(9)], [])) == 4


def test_app_whose_runners_never_start_leaves_a_start_to_the_others():
    hanging = [funded(A, state=S.LAUNCHING)] * 3
    more = [funded(A) for _ in range(5)]
    other = funded(B, due=9999)

    assert chosen(more, hanging, rivals=True) == []
    assert chosen([*more, other], hanging, rivals=True) == [other]


def test_app_whose_runners_never_end_leaves_a_slot_to_the_others():
    running = [funded(A, state=S.RUNNING)] * 3
    assert chosen([funded(A)], running, rivals=True) == []
    assert len(chosen([funded(A), funded(B)], running, rivals=True)) == 1


def test_app_without_its_share_goes_before_one_that_has_it():
    urgent, other = funded(A, due=-9999), funded(B)
    assert chosen([urgent, other], [funded(A, state=S.RUNNING)] * 2, rivals=True)[0] == other


def test_app_never_has_more_than_its_limit():
    assert len(chosen([funded() for _ in range(9)], [], runners_per_app=3)) == 3


@given(
    st.lists(st.builds(funded, st.sampled_from([A, B]), st.integers(0, 999)), max_size=6),
    st.lists(st.builds(free, st.sampled_from([A, B])), max_size=6),
    st.lists(
        st.sampled_from(
            [
                f(app, state=s)
                for f in (free, funded)
                for app in (A, B)
                for s in (S.LAUNCHING, S.RUNNING)
            ]
        ),
        max_size=6,
    ),
    st.integers(1, 6),
    st.integers(1, 6),
    st.booleans(),
)
def test_limits_hold_and_no_funded_job_waits_beside_two_free_slots(
    paying: list[Job], giving: list[Job], live: list[Job], runners: int, starts: int, rivals: bool
):
    limits = {"runners_at_once": runners, "launches_at_once": starts}

    begun = chosen([*giving, *paying], live, rivals=rivals, **limits)

    launching = sum(job.state is S.LAUNCHING for job in live) + len(begun)
    if begun:
        assert len(live) + len(begun) <= runners
        assert launching <= starts
    if any(job not in begun for job in paying):
        assert len(live) + len(begun) >= runners - 1 or launching >= starts - 1


def test_free_jobs_of_an_app_do_not_hold_up_its_funded_ones():
    paid = funded()

    assert chosen([paid], [free(state=S.RUNNING)], rivals=True, runners_at_once=2) == [paid]
    # what one app may have is not for its free jobs alone
    live = chosen([free(), free()], [], runners_at_once=8, runners_per_app=2)
    assert len(live) == 1
    running = [job.with_(state=S.RUNNING) for job in live]
    assert chosen([paid], running, rivals=True, runners_at_once=8, runners_per_app=2) == [paid]
