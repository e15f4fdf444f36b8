"""The rules of a job, as properties of every life that a job can have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masumi_sumi.jobs import events
from masumi_sumi.jobs.deadlines import result_due, worked
from masumi_sumi.jobs.machine import LAUNCH_TRIES, TABLE, Decision, decide
from masumi_sumi.jobs.model import (
    Job,
    JobState,
    Lock,
    Payment,
    PaymentFacts,
    PaymentState,
    PaymentView,
    Terms,
    Times,
)
from masumi_sumi.jobs.standing import funded, gave_up_sending, lost_hash

NOW = 1_800_000_000.0
HASH, OTHER = "ab" * 32, "cd" * 32
IDENTIFIER = "5e" * 40
CHAIN_STATES = (
    None,
    "FundsLocked",
    "ResultSubmitted",
    "WithdrawAuthorized",
    "RefundRequested",
    "RefundAuthorized",
    "Disputed",
    "Withdrawn",
    "RefundWithdrawn",
    "DisputedWithdrawn",
    "FundsOrDatumInvalid",
)
S, P = JobState, PaymentState
OF_PAYMENTS = (
    events.PaymentSeen,
    events.PaymentForgotten,
    events.ResultResent,
    events.ResendUnsafe,
)


def view(on_chain_state: str | None = "FundsLocked", **changes: Any) -> PaymentView:
    known = {"action": "WaitingForExternalAction", "changed_at": "2027-01-15T08:00:05.000Z"}
    return PaymentView(IDENTIFIER, on_chain_state, **{**known, **changes})


FACTS = PaymentFacts(
    blockchain_identifier=IDENTIFIER,
    agent_identifier="7e" * 60,
    input_hash="0" * 64,
    seller_vkey="c" * 56,
    times=Times(1_800_001_800_000, 1_800_016_800_000, 1_800_038_400_000, 1_800_060_000_000),
    source_type="Web3CardanoV1",
    price=(),
)


def a_job(*, free: bool = False, repeats: int = 0, **changes: Any) -> Job:
    pricing = "Free" if free else "Fixed"
    job = Job(
        id="6b49d200aaaaaaaaaaaaaaaa",
        flow="/",
        identifier="a1" * 8,
        input_hash="0" * 64,
        terms=Terms(pricing=pricing, network="" if free else "Preprod", repeats=repeats),
        user="buyer",
        created_at=NOW,
        updated_at=NOW,
        state=S.QUEUED if free else S.REQUESTED,
        payment=None if free else Payment("Preprod"),
    )
    return job.with_(**changes)


def a_paid_job(state: JobState, payment: PaymentState = P.LOCKED, **changes: Any) -> Job:
    """As far as ``state``, its payment seen at 08:00:00."""
    known: dict[str, Any] = {"facts": FACTS, "view": view(None, changed_at="2027-01-15T08:00:00Z")}
    in_payment = {name: changes.pop(name) for name in ("sent_hash", "view") if name in changes}
    return a_job(
        state=state, payment=Payment("Preprod", payment, **{**known, **in_payment}), **changes
    )


def a_delivering_job(**changes: Any) -> Job:
    return a_paid_job(S.DELIVERING, result="done", final="{}", sent_hash=HASH, **changes)


def states(job: Job) -> tuple[JobState, PaymentState]:
    assert job.payment is not None
    return job.state, job.payment.state


# --- every life a job can have -----------------------------------------------------------------

HAPPY: tuple[events.Event, ...] = (
    events.PaymentOpened(FACTS),
    events.PaymentSeen(view(None, changed_at="2027-01-15T08:00:00.000Z")),
    events.PaymentSeen(view()),
    events.SlotGranted(),
    events.RunnerStarted(1),
    events.WorkFinished('{"str": "done"}', "done", HASH),
    events.ResultTaken(),
    events.PaymentSeen(view("Withdrawn", changed_at="2027-01-15T10:00:00.000Z", result_hash=HASH)),
)

HASHES = (None, "", HASH, HASH.upper(), OTHER)
REASONS = ("so it is", "otherwise")


def a_look(chance: Random) -> events.PaymentSeen:
    any_of = chance.choice
    seen = PaymentView(
        IDENTIFIER,
        any_of((*CHAIN_STATES, *["FundsLocked"] * 4, "Moonshot")),
        action=any_of(
            ("WaitingForExternalAction",) * 3
            + ("WaitingForManualAction", "SubmitResultRequested", "None")
        ),
        error_type=any_of((None, None, None, "Unknown", "")),
        error_note=any_of((None, None, "", "look at me")),
        result_hash=any_of(HASHES),
        action_result_hash=any_of(HASHES),
        changed_at=f"2027-01-15T08:00:0{chance.randrange(7)}.000Z",
    )
    return events.PaymentSeen(seen)


def anything(chance: Random) -> events.Event:
    why, sent = chance.choice(REASONS), chance.choice((HASH, OTHER))
    return chance.choice(
        [
            a_look(chance),
            events.RunnerStarted(chance.randrange(5)),
            events.RunnerLost(why),
            events.LaunchTimedOut(chance.randrange(3), why),
            events.WorkFinished(chance.choice(REASONS), why, sent),
            events.WorkFailed(why),
            events.ResultNotTaken(why, NOW + 60),
            events.ResultHopeless(why),
            events.Cancelled(why),
            events.PaymentNotOpened(why),
            events.PaymentOpened(FACTS),
            events.PayWindowClosed(),
            events.SlotGranted(),
            events.TimeRanOut(),
            events.RunOverran(60.0),
            events.ResultTaken(),
            events.PaymentForgotten(),
            events.ResultResent(why, NOW + 60),
            events.ResendUnsafe(why, NOW + 60, why, "do something"),
        ]
    )


LATEST = events.RunnerStarted(-1)
"""Stands for the runner of the attempt that is the job's latest."""


def launches(chance: Random) -> events.Event:
    return chance.choice([events.SlotGranted(), LATEST, events.RunnerLost("it died")])


@dataclass(frozen=True)
class Step:
    before: Job
    event: events.Event
    decision: Decision

    @property
    def after(self) -> Job:
        return self.decision.job

    @property
    def told(self) -> list[str]:
        return [o.step for o in self.decision.orders if isinstance(o, events.TellPayment)]


Life = Sequence[Step]


def a_story(chance: Random) -> list[events.Event]:
    """A good life up to some point; in between and after, anything at all, much of it twice."""
    story: list[events.Event] = []
    for event in HAPPY[: chance.randint(0, len(HAPPY))]:
        story += [anything(chance)] * (chance.random() < 0.3) + [event]
    then = chance.choice((anything, launches, a_look))
    story += [then(chance) for _ in range(chance.randrange(25))]
    story += [anything(chance) for _ in range(chance.randrange(8))]
    return [event for event in story for _ in range(chance.choice((1, 1, 2)))]


def a_life(chance: Random, free: bool | None = None) -> Life:
    is_free = chance.random() < 0.5 if free is None else free
    job = a_job(free=is_free, repeats=chance.randint(0, 2))
    steps = []
    for event in a_story(chance):
        met = events.RunnerStarted(job.attempts) if event is LATEST else event
        steps.append(Step(job, met, decide(job, met, NOW)))
        job = steps[-1].after
    return steps


def lives(free: bool | None = None) -> st.SearchStrategy[list[Life]]:
    """Ten lives at a time: one draw of hypothesis costs more than they do."""
    seeds = st.randoms(use_true_random=True)
    return seeds.map(lambda chance: [a_life(chance, free) for _ in range(10)])


def steps_of(many: list[Life]) -> list[Step]:
    return [step for life in many for step in life]


quick = settings(max_examples=25, deadline=None, database=None)


@quick
@given(lives(free=False))
def test_a_priced_job_runs_only_after_its_funds_were_seen_locked(many: list[Life]):
    is_paid = False
    for step in steps_of(many):
        is_paid = is_paid and step.before.state is not S.REQUESTED  # where a life begins
        if step.before.state is S.AWAITING_PAYMENT and isinstance(step.event, events.PaymentSeen):
            seen = step.event.view
            is_paid |= (
                seen.on_chain_state == "FundsLocked"
                and seen.action == "WaitingForExternalAction"
                and seen.error_type is None
                and not seen.error_note
            )
        if step.after.state in (S.QUEUED, S.LAUNCHING, S.RUNNING, S.DELIVERING, S.COMPLETED):
            assert is_paid


@quick
@given(lives())
def test_a_free_job_never_has_a_payment_and_a_priced_one_always(many: list[Life]):
    for step in steps_of(many):
        assert (step.after.payment is None) == step.after.terms.free
        assert not (step.after.payment is None and step.told)


@quick
@given(lives())
def test_what_has_ended_stays_as_it_is_but_for_its_payment(many: list[Life]):
    for step in steps_of(many):
        if not step.before.state.ended:
            continue
        if isinstance(step.event, OF_PAYMENTS):
            frozen = step.after.with_(payment=None, updated_at=0)
            assert frozen == step.before.with_(payment=None, updated_at=0)
            assert all(isinstance(order, events.Warn) for order in step.decision.orders)
        else:
            assert step.decision == Decision(step.before)


@quick
@given(lives())
def test_one_payment_gets_one_hash_and_one_job_one_result(many: list[Life]):
    for step in steps_of(many):
        before, after = step.before, step.after
        if before.result is not None:
            assert (after.result, after.final) == (before.result, before.final)
        if before.payment is not None and before.payment.sent_hash:
            assert after.payment is not None
            assert after.payment.sent_hash == before.payment.sent_hash
        if after.state in (S.DELIVERING, S.COMPLETED):
            assert after.result is not None
        assert after.result is None or after.runs > 0


@quick
@given(lives(free=False))
def test_a_paid_job_is_complete_only_when_the_node_has_its_hash(many: list[Life]):
    for step in steps_of(many):
        if step.after.state is not S.COMPLETED or step.before.state is S.COMPLETED:
            continue
        assert step.before.state is S.DELIVERING
        assert step.before.payment is not None
        ours = step.before.payment.sent_hash
        assert ours
        if isinstance(step.event, events.PaymentSeen):
            held = (step.event.view.result_hash, step.event.view.action_result_hash)
            assert ours in [(text or "").lower() for text in held]
        else:
            assert isinstance(step.event, events.ResultTaken)


@quick
@given(lives())
def test_the_authors_code_begins_as_often_as_the_author_allows_and_is_not_made_for_ever(
    many: list[Life],
):
    for step in steps_of(many):
        job = step.after
        assert job.runs <= 1 + job.terms.repeats
        assert job.attempts <= job.runs + LAUNCH_TRIES
        begun = step.before.state is not S.RUNNING and job.state is S.RUNNING
        assert job.runs == step.before.runs + begun
        assert (job.started_at is None) == (job.runs == 0)


@quick
@given(lives())
def test_every_end_has_its_moment_and_every_failure_its_reason(many: list[Life]):
    for step in steps_of(many):
        job = step.after
        assert (job.ended_at is not None) == job.state.ended
        assert (job.failure is not None) == (job.state is S.FAILED)
        if job.failure is not None and step.before.failure is None:
            assert "\n" not in job.failure


@quick
@given(lives(free=False))
def test_payment_events_are_told_in_their_order_and_each_once(many: list[Life]):
    for life in many:
        told = [said for step in life for said in step.told]

        assert told == ["funds_locked", "final_result"][: len(told)]


@quick
@given(lives())
def test_an_execution_is_written_when_its_job_is_funded_and_not_before(many: list[Life]):
    for step in steps_of(many):
        orders = step.decision.orders
        is_funded = step.before.state is S.AWAITING_PAYMENT and step.after.state is S.QUEUED
        assert (events.WriteExecution() in orders) == is_funded
        if step.before.state.unfunded and not is_funded:
            assert not [o for o in orders if isinstance(o, events.TellStatus | events.TellPayment)]


def test_launch_that_hangs_is_tried_again_and_its_process_stopped():
    launching = decide(a_job(free=True), events.SlotGranted(), NOW).job

    late = decide(launching, events.LaunchTimedOut(1, "it hangs"), NOW + 200)
    again = decide(late.job, events.SlotGranted(), NOW + 201).job

    assert late.job.state is S.QUEUED
    assert late.orders == (events.Warn("it hangs"), events.StopRunner())
    assert (again.launched_at, again.attempts) == (NOW + 201, 2)
    assert decide(again, events.LaunchTimedOut(1, "it hangs"), NOW + 202).job is again


@quick
@given(lives())
def test_what_changes_nothing_is_the_very_same_job(many: list[Life]):
    for step in steps_of(many):
        if step.after == step.before:
            assert step.after is step.before


@quick
@given(lives())
def test_a_runner_is_stopped_when_its_job_ends_under_it(many: list[Life]):
    for step in steps_of(many):
        ended = step.before.state in (S.LAUNCHING, S.RUNNING) and step.after.state is S.FAILED
        by_itself = isinstance(step.event, events.WorkFailed | events.RunnerLost)
        hangs = isinstance(step.event, events.LaunchTimedOut) and step.after is not step.before
        assert (events.StopRunner() in step.decision.orders) == (hangs or (ended and not by_itself))


# --- the table ---------------------------------------------------------------------------------


def test_the_table_knows_every_event_in_every_state():
    assert set(TABLE) == {(state, event) for state in JobState for event in events.EVENTS}


@pytest.mark.parametrize("state", [S.COMPLETED, S.FAILED])
def test_an_ended_job_hears_of_its_payment_alone(state: JobState):
    absorbs = TABLE[S.REQUESTED, events.PaymentSeen]

    heard = {event for event in events.EVENTS if TABLE[state, event] is not absorbs}

    of_its_payment = {events.PaymentSeen, events.PaymentForgotten}
    of_its_hash = {events.ResultResent, events.ResendUnsafe}
    assert heard == of_its_payment | (of_its_hash if state is S.COMPLETED else set())


def test_a_good_life_goes_through_all_states_in_order():
    job, seen = a_job(), []

    for event in HAPPY:
        job = decide(job, event, NOW).job
        seen.append(states(job))

    assert seen == [
        (S.AWAITING_PAYMENT, P.AWAITING_FUNDS),
        (S.AWAITING_PAYMENT, P.AWAITING_FUNDS),
        (S.QUEUED, P.LOCKED),
        (S.LAUNCHING, P.LOCKED),
        (S.RUNNING, P.LOCKED),
        (S.DELIVERING, P.LOCKED),
        (S.COMPLETED, P.RESULT_SENT),
        (S.COMPLETED, P.WITHDRAWN),
    ]


def test_a_free_job_is_complete_with_its_result():
    job = a_job(free=True)

    for event in (
        events.SlotGranted(),
        events.RunnerStarted(1),
        events.WorkFinished("{}", "x", ""),
    ):
        job = decide(job, event, NOW).job

    assert (job.state, job.result, job.ended_at) == (S.COMPLETED, "x", NOW)


# --- payment before the run --------------------------------------------------------------------


@pytest.mark.parametrize(
    "seen",
    [
        view(None),
        view(action="WaitingForManualAction"),
        view(action="SubmitResultRequested"),
        view(error_type="Unknown"),
        view(error_type=""),
        view(error_note="amount mismatch"),
        view("Moonshot"),
        view("ResultSubmitted"),
        view("Disputed"),
        view(is_detached=True),
    ],
)
def test_a_look_that_is_not_funds_locked_and_well_starts_nothing(seen: PaymentView):
    job = a_paid_job(S.AWAITING_PAYMENT, P.AWAITING_FUNDS)

    decision = decide(job, events.PaymentSeen(seen), NOW)

    assert decision.job.state is S.AWAITING_PAYMENT


@pytest.mark.parametrize("state", [S.AWAITING_PAYMENT, S.QUEUED])
@pytest.mark.parametrize(
    ("on_chain", "payment", "reason"),
    [
        ("RefundRequested", P.REFUND_REQUESTED, "asked for the funds back"),
        ("RefundAuthorized", P.REFUND_REQUESTED, "asked for the funds back"),
        ("RefundWithdrawn", P.REFUNDED, "asked for the funds back"),
        ("DisputedWithdrawn", P.SETTLED, "ended before the job began"),
        ("Withdrawn", P.WITHDRAWN, "ended before the job began"),
        ("FundsOrDatumInvalid", P.INVALID, "not valid"),
    ],
)
def test_a_payment_lost_before_the_run_fails_the_job(
    state: JobState, on_chain: str, payment: PaymentState, reason: str
):
    decision = decide(a_paid_job(state), events.PaymentSeen(view(on_chain)), NOW)

    assert states(decision.job) == (S.FAILED, payment)
    assert reason in str(decision.job.failure)


@pytest.mark.parametrize(
    ("state", "event"),
    [(S.QUEUED, events.SlotGranted()), (S.LAUNCHING, events.RunnerStarted(1))],
    ids=["queued again", "launching"],
)
def test_a_refund_asked_for_meanwhile_lets_no_run_begin(state: JobState, event: events.Event):
    job = a_paid_job(state, P.REFUND_REQUESTED, attempts=1)

    decision = decide(job, event, NOW)

    assert decision.job.state is S.FAILED
    assert "asked for the funds back" in str(decision.job.failure)


def test_an_invalid_payment_is_told_in_the_nodes_words():
    seen = view("FundsOrDatumInvalid", action="WaitingForManualAction", error_note="late lock")

    decision = decide(a_paid_job(S.AWAITING_PAYMENT), events.PaymentSeen(seen), NOW)

    assert decision.job.failure == "the payment is not valid: late lock"
    assert events.Warn("late lock") in decision.orders


@pytest.mark.parametrize(
    ("event", "left_at_node"),
    [(events.PaymentNotOpened("refused"), "refused"), (events.Cancelled("by the operator"), "")],
)
def test_a_payment_that_was_never_opened_is_not_followed(event: events.Event, left_at_node: str):
    job = decide(a_job(), event, NOW).job

    assert states(job) == (S.FAILED, P.ABANDONED)
    assert job.payment is not None
    assert job.payment.attention == left_at_node


# --- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.AWAITING_PAYMENT, S.QUEUED, S.RUNNING, S.COMPLETED])
def test_older_looks_change_nothing(state: JobState):
    job = a_paid_job(state, view=view("FundsLocked", action="WaitingForManualAction"))
    older = view("RefundWithdrawn", changed_at="2027-01-15T08:00:04.999Z")

    assert decide(job, events.PaymentSeen(older), NOW) == Decision(job)


def test_a_lock_stamped_before_its_payment_was_made_counts():
    """The row bears the start of a transaction that was long."""
    job = a_paid_job(S.AWAITING_PAYMENT, P.AWAITING_FUNDS, view=view(None))
    stamped_early = view("FundsLocked", changed_at="2027-01-15T07:59:40.000Z")

    decision = decide(job, events.PaymentSeen(stamped_early), NOW)

    assert states(decision.job) == (S.QUEUED, P.LOCKED)


@pytest.mark.parametrize("state", [s for s in JobState if s is not S.REQUESTED])
def test_unknown_chain_states_are_kept_out_and_told(state: JobState):
    job = a_paid_job(state)

    decision = decide(job, events.PaymentSeen(view("Moonshot")), NOW)
    again = decide(decision.job, events.PaymentSeen(view("Moonshot")), NOW)

    assert states(decision.job) == (state, P.LOCKED)
    assert decision.orders == (events.Warn("unknown state Moonshot"),)
    assert again == Decision(decision.job)


@pytest.mark.parametrize("on_chain", CHAIN_STATES)
def test_no_state_of_the_chain_is_unknown(on_chain: str | None):
    decision = decide(a_paid_job(S.COMPLETED), events.PaymentSeen(view(on_chain)), NOW)

    assert not any("unknown" in order.note for order in decision.orders)  # type: ignore[union-attr]


# --- while it runs, and after ------------------------------------------------------------------


@pytest.mark.parametrize("on_chain", ["RefundRequested", "Disputed", "FundsLocked"])
def test_a_wish_for_a_refund_does_not_stop_a_run(on_chain: str):
    decision = decide(a_paid_job(S.RUNNING), events.PaymentSeen(view(on_chain)), NOW)

    assert decision.job.state is S.RUNNING


def test_a_result_that_the_node_holds_in_any_case_of_letters_is_delivered():
    taken = view("FundsLocked", action="SubmitResultRequested", action_result_hash=HASH.upper())

    decision = decide(a_delivering_job(), events.PaymentSeen(taken), NOW)

    assert states(decision.job) == (S.COMPLETED, P.RESULT_SENT)
    assert decision.orders == (events.TellPayment("final_result"),)


def test_a_foreign_hash_at_the_node_delivers_nothing():
    foreign = view("FundsLocked", action="SubmitResultRequested", action_result_hash=OTHER)

    assert decide(a_delivering_job(), events.PaymentSeen(foreign), NOW).job.state is S.DELIVERING


def test_tries_to_deliver_are_counted_and_a_new_reason_is_told_once():
    not_taken = events.ResultNotTaken("node is away", NOW + 4)

    first = decide(a_delivering_job(), not_taken, NOW)
    second = decide(first.job, not_taken, NOW)

    assert first.job.payment is not None
    assert second.job.payment is not None
    assert (first.job.payment.tries, second.job.payment.tries) == (1, 2)
    assert first.job.payment.next_try == NOW + 4
    assert (first.orders, second.orders) == ((events.Warn("node is away"),), ())


def test_a_runner_of_an_earlier_attempt_may_not_begin():
    job = a_paid_job(S.LAUNCHING, attempts=2)

    assert decide(job, events.RunnerStarted(1), NOW) == Decision(job)


def test_a_runner_that_ends_before_it_began_counts_as_one_that_could_not_be_made():
    job = a_paid_job(S.LAUNCHING, attempts=1)

    first = decide(job, events.WorkFailed("not to be run"), NOW)
    last = decide(job.with_(attempts=LAUNCH_TRIES), events.WorkFailed("not to be run"), NOW)

    assert first.job.state is S.QUEUED
    assert last.job.state is S.FAILED


def test_the_end_of_an_earlier_run_is_taken_when_it_comes_late():
    begun = a_paid_job(S.LAUNCHING, attempts=2, runs=1)
    never = a_paid_job(S.LAUNCHING, attempts=2)
    finished = events.WorkFinished("{}", "done", HASH)

    assert decide(begun, finished, NOW).job.state is S.DELIVERING
    assert decide(never, finished, NOW) == Decision(never)


def test_a_result_is_due_ten_minutes_before_the_chain_wants_it():
    assert result_due(a_paid_job(S.RUNNING)) == 1_800_016_800 - 600
    assert result_due(a_job()) is None
    assert result_due(a_job(free=True)) is None


# --- how long a run may take -------------------------------------------------------------------


def a_lock(opened: float, expires: float = 1e6, closed: float | None = None) -> Lock:
    closed_at = None if closed is None else NOW + closed
    return Lock("l", "j", "n", NOW + expires, NOW + opened, closed_at=closed_at)


@pytest.mark.parametrize(
    ("locks", "seconds"),
    [
        ([], 100),
        ([a_lock(10, closed=30)], 80),
        ([a_lock(10, closed=30), a_lock(20, closed=50)], 60),  # two at once are waited for once
        ([a_lock(20, closed=25), a_lock(10, closed=50)], 60),
        ([a_lock(90)], 90),  # still open
        ([a_lock(40, expires=60)], 80),  # nobody closed it, but it has expired
        ([a_lock(-50, closed=-10)], 100),  # of an earlier run
        ([a_lock(-50, closed=40)], 60),
    ],
)
def test_time_in_which_a_question_is_open_is_not_worked(locks: list[Lock], seconds: float):
    job = a_paid_job(S.RUNNING, begun_at=NOW)

    assert worked(job, locks, NOW + 100) == pytest.approx(seconds)


def test_a_run_counts_from_its_own_beginning():
    job = a_paid_job(S.LAUNCHING, attempts=2, runs=1, started_at=NOW)

    again = decide(job, events.RunnerStarted(2), NOW + 500).job

    assert (again.started_at, again.begun_at) == (NOW, NOW + 500)


def test_a_run_that_takes_too_long_fails_with_its_measure():
    job = a_paid_job(S.RUNNING)

    decision = decide(job, events.RunOverran(90.0), NOW)

    assert decision.job.state is S.FAILED
    assert "90 s" in str(decision.job.failure)
    assert events.StopRunner() in decision.orders


@pytest.mark.parametrize("state", [S.COMPLETED, S.FAILED])
def test_a_payment_that_its_node_forgot_has_ended(state: JobState):
    decision = decide(a_paid_job(state), events.PaymentForgotten(), NOW)

    assert states(decision.job) == (state, P.FORGOTTEN)
    assert any(isinstance(order, events.Warn) for order in decision.orders)
    assert decide(decision.job, events.PaymentForgotten(), NOW).orders == ()


PARKED = {
    "action": "WaitingForManualAction",
    "error_type": "Unknown",
    "error_note": "no funds for the fee",
    "action_result_hash": HASH.upper(),
}


@pytest.mark.parametrize(
    ("seen", "parked"),
    [
        (PARKED, True),
        (PARKED | {"on_chain_state": "Disputed"}, True),
        (PARKED | {"on_chain_state": "ResultSubmitted"}, False),
        (PARKED | {"error_type": None}, False),
        (PARKED | {"action": "SubmitResultRequested"}, False),
        (PARKED | {"action_result_hash": OTHER}, False),
        (PARKED | {"action_result_hash": None}, False),
        (PARKED | {"result_hash": HASH}, False),
    ],
)
def test_only_the_failure_to_send_our_own_hash_is_one_to_repeat(seen: dict[str, Any], parked: bool):
    job = a_paid_job(S.COMPLETED, sent_hash=HASH, view=view(**seen))

    assert job.payment is not None
    assert gave_up_sending(job.payment) is parked


# --- funds in doubt, and what only an operator can mend ----------------------------------------

ROLLED_BACK = {
    "action": "WaitingForManualAction",
    "error_type": "Unknown",
    "error_note": "Rolled back transaction detected. Please check the transaction",
    "changed_at": "2027-01-15T08:00:06.000Z",
}


@pytest.mark.parametrize("doubt", [ROLLED_BACK, {"is_detached": True}])
def test_a_job_that_has_not_begun_waits_while_its_funds_are_in_doubt(doubt: dict[str, Any]):
    queued = decide(a_paid_job(S.QUEUED, view=view()), events.PaymentSeen(view(**doubt)), NOW).job
    launching = a_paid_job(S.LAUNCHING, view=view(**doubt), attempts=1)

    assert states(queued) == (S.QUEUED, P.LOCKED)
    assert decide(queued, events.SlotGranted(), NOW) == Decision(queued)
    assert decide(launching, events.RunnerStarted(1), NOW) == Decision(launching)


def test_a_job_goes_on_when_its_funds_are_beyond_doubt_again():
    doubted = a_paid_job(S.QUEUED, view=view(**ROLLED_BACK))
    cleared = view(changed_at="2027-01-15T08:00:07.000Z")
    sound = decide(doubted, events.PaymentSeen(cleared), NOW)

    assert decide(sound.job, events.SlotGranted(), NOW).job.state is S.LAUNCHING
    assert sound.orders == ()


@quick
@given(lives(free=False))
def test_no_run_begins_while_its_funds_are_in_doubt(many: list[Life]):
    for step in steps_of(many):
        begins = {S.LAUNCHING: S.QUEUED, S.RUNNING: S.LAUNCHING}.get(step.after.state)
        if begins is step.before.state:
            assert step.after.payment is not None
            seen = step.after.payment.view
            assert seen is not None
            assert seen.on_chain_state != "FundsLocked" or funded(seen)


def test_an_operator_is_told_once_of_a_failure_that_only_he_can_mend():
    parked = view(**PARKED)
    job = a_paid_job(S.COMPLETED, sent_hash=HASH, view=parked)
    unsafe = events.ResendUnsafe(parked.changed_at, NOW + 600, "nothing was broadcast", "refill it")
    first = decide(job, unsafe, NOW)
    seen_again = decide(first.job, events.PaymentSeen(parked), NOW + 1)
    again = decide(seen_again.job, unsafe, NOW + 600)
    other = replace(unsafe, changed_at="2027-01-15T08:09:00.000Z")

    assert first.orders == (events.Warn("nothing was broadcast", "refill it"),)
    assert (seen_again.orders, again.orders) == ((), ())
    assert again.job.payment is not None
    assert again.job.payment.attention == "nothing was broadcast"
    assert again.job.payment.resent == 0
    assert decide(again.job, other, NOW).orders == first.orders


def test_an_operator_is_told_of_a_hash_that_the_node_dropped():
    job = a_paid_job(S.COMPLETED, sent_hash=HASH)
    dropped = view("RefundRequested", action="SubmitResultRequested")

    [told] = decide(job, events.PaymentSeen(dropped), NOW).orders

    assert isinstance(told, events.Warn)
    assert "dropped the result's hash" in told.note


@pytest.mark.parametrize(
    ("seen", "lost"),
    [
        ({}, True),
        ({"action_result_hash": HASH}, False),
        ({"result_hash": HASH.upper()}, False),
        ({"on_chain_state": "RefundRequested"}, False),
        ({"is_detached": True}, False),
        (ROLLED_BACK, False),
    ],
)
def test_a_hash_is_lost_when_the_node_waits_well_without_it(seen: dict[str, Any], lost: bool):
    job = a_paid_job(S.COMPLETED, sent_hash=HASH, view=view(**seen))

    assert job.payment is not None
    assert lost_hash(job.payment) is lost
