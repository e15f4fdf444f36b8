"""The rules of a job: (state, event) -> (job, orders), as tables and pure functions.

``decide`` never does anything. What must happen in the world comes back as orders; all of them
may be carried out twice. Every pair of state and event is in the table: either with a rule, or
named as absorbed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from masumi_sumi.jobs.deadlines import LAUNCH_PAUSES
from masumi_sumi.jobs.events import (
    EVENTS,
    Cancelled,
    Event,
    LaunchTimedOut,
    Order,
    PaymentForgotten,
    PaymentNotOpened,
    PaymentOpened,
    PaymentSeen,
    PayWindowClosed,
    ResendUnsafe,
    ResultHopeless,
    ResultNotTaken,
    ResultResent,
    ResultTaken,
    RunnerLost,
    RunnerStarted,
    RunOverran,
    SlotGranted,
    StopRunner,
    TellPayment,
    TellStatus,
    TimeRanOut,
    Warn,
    WorkFailed,
    WorkFinished,
    WriteExecution,
)
from masumi_sumi.jobs.model import UNPAID, Job, JobState, Payment, PaymentState, PaymentView
from masumi_sumi.jobs.standing import funded, holds_result, is_in_doubt, lost_to_seller, seen
from masumi_sumi.masking import mask_text

LAUNCH_TRIES = len(LAUNCH_PAUSES) + 1
"""How often a runner is made before its job fails, while the author's code has not begun."""


@dataclass(frozen=True, slots=True)
class Decision:
    job: Job
    orders: tuple[Order, ...] = ()


Rule = Callable[[Job, Any, float], Decision]


def decide(job: Job, event: Event, now: float) -> Decision:
    """What follows from an event. ``now`` is epoch seconds."""
    decision = TABLE[job.state, type(event)](job, event, now)
    if decision.job is job:
        return decision
    caller = decision.job.caller if decision.job.state in UNPAID else ""
    return replace(decision, job=decision.job.with_(updated_at=now, caller=caller))


def _look(job: Job, view: PaymentView) -> tuple[Job, tuple[Order, ...]]:
    """Take a look into the job; a note that is new is a warning."""
    if job.payment is None or job.payment.facts is None:
        return job, ()
    after = seen(job.payment, view)
    if after == job.payment:
        return job, ()
    news = after.attention and after.attention != job.payment.attention
    return job.with_(payment=after), ((Warn(after.attention),) if news else ())


# --- rules -------------------------------------------------------------------------------------


def _absorb(job: Job, event: Event, now: float) -> Decision:
    return Decision(job)


def _payment_of(job: Job) -> Payment:
    assert job.payment is not None, f"job {job.id} in {job.state} has no payment"
    return job.payment


def _fail(job: Job, reason: str, now: float, *orders: Order) -> Decision:
    """End the job. Its buyer reads the reason, which may be in the node's words."""
    failed = job.with_(state=JobState.FAILED, failure=mask_text(reason), ended_at=now)
    if job.state.unfunded:  # it has no execution that could be told
        return Decision(failed, orders)
    return Decision(failed, (*orders, TellStatus("error", reason)))


def _payment_opened(job: Job, event: PaymentOpened, now: float) -> Decision:
    payment = replace(_payment_of(job), facts=event.facts, state=PaymentState.AWAITING_FUNDS)
    opened = job.with_(state=JobState.AWAITING_PAYMENT, payment=payment)
    return Decision(opened)


def _payment_not_opened(job: Job, event: PaymentNotOpened, now: float) -> Decision:
    payment = replace(_payment_of(job), state=PaymentState.ABANDONED, attention=event.reason)
    return _fail(job.with_(payment=payment), "the payment could not be initialised", now)


def _seen_while_awaiting(job: Job, event: PaymentSeen, now: float) -> Decision:
    after, orders = _look(job, event.view)
    payment = _payment_of(after)
    if payment.view is event.view and funded(event.view):
        queued = after.with_(state=JobState.QUEUED, funded_at=now)
        return Decision(queued, (*orders, WriteExecution(), TellPayment("funds_locked")))
    return _unless_lost(after, orders, now)


def _seen_before_run(job: Job, event: PaymentSeen, now: float) -> Decision:
    after, orders = _look(job, event.view)
    return _unless_lost(after, orders, now)


def _unless_lost(job: Job, orders: tuple[Order, ...], now: float) -> Decision:
    payment = job.payment
    if payment is None or not lost_to_seller(payment.state):
        return Decision(job, orders)
    return _fail(job, _lost_reason(payment), now, *orders)


def _lost_reason(payment: Payment) -> str:
    if payment.state is PaymentState.INVALID:
        note = payment.view.error_note if payment.view else None
        return f"the payment is not valid: {note}" if note else "the payment is not valid"
    if payment.state in (PaymentState.WITHDRAWN, PaymentState.SETTLED):
        return "the payment ended before the job began"
    return "the buyer asked for the funds back before the job began"


def _seen_while_running(job: Job, event: PaymentSeen, now: float) -> Decision:
    after, orders = _look(job, event.view)
    payment = after.payment
    if payment is None or not payment.state.ended:
        return Decision(after, orders)
    reason = "the funds of this job were taken back while it ran"
    return _fail(after, reason, now, *orders, StopRunner())


def _seen_while_delivering(job: Job, event: PaymentSeen, now: float) -> Decision:
    after, orders = _look(job, event.view)
    payment = _payment_of(after)
    if holds_result(event.view, payment.sent_hash):
        return _taken(after, now, *orders)
    if payment.state.ended:
        return _fail(after, "the funds were taken back before the result arrived", now, *orders)
    return Decision(after, orders)


def _seen_after_end(job: Job, event: PaymentSeen, now: float) -> Decision:
    return Decision(*_look(job, event.view))


def _window_closed(job: Job, event: Event, now: float) -> Decision:
    return _fail(job, "no funds were locked in time", now)


def _slot_granted(job: Job, event: Event, now: float) -> Decision:
    if (payment := job.payment) and lost_to_seller(payment.state):
        return _fail(job, _lost_reason(payment), now)
    if is_in_doubt(job.payment):
        return Decision(job)
    launching = job.with_(state=JobState.LAUNCHING, attempts=job.attempts + 1)
    return Decision(launching.with_(launched_at=now))


def _runner_started(job: Job, event: RunnerStarted, now: float) -> Decision:
    if event.attempt != job.attempts or is_in_doubt(job.payment):
        return Decision(job)  # a runner that is not told that it may begin ends
    if (payment := job.payment) and lost_to_seller(payment.state):
        return _fail(job, _lost_reason(payment), now, StopRunner())
    started = job.started_at if job.started_at is not None else now
    running = job.with_(state=JobState.RUNNING, runs=job.runs + 1)
    return Decision(running.with_(started_at=started, begun_at=now))


def _not_made(job: Job, event: RunnerLost | WorkFailed, now: float) -> Decision:
    if job.attempts < job.runs + LAUNCH_TRIES:
        return Decision(job.with_(state=JobState.QUEUED), (Warn(event.reason),))
    return _fail(job, "the job could not be started", now, Warn(event.reason))


def _launch_timed_out(job: Job, event: LaunchTimedOut, now: float) -> Decision:
    """The process that hangs must go: the next attempt would find it by its name."""
    if event.attempt != job.attempts:
        return Decision(job)
    decision = _not_made(job, RunnerLost(event.reason), now)
    return replace(decision, orders=(*decision.orders, StopRunner()))


def _runner_lost(job: Job, event: RunnerLost, now: float) -> Decision:
    if job.runs <= job.terms.repeats:
        return Decision(job.with_(state=JobState.QUEUED), (Warn(event.reason),))
    return _fail(job, "the process that ran the job died", now, Warn(event.reason))


def _finished(job: Job, event: WorkFinished, now: float) -> Decision:
    done = job.with_(final=event.final, result=event.result)
    if job.payment is None:
        return Decision(done.with_(state=JobState.COMPLETED, ended_at=now))
    sent = job.payment.sent_hash or event.result_hash
    payment = replace(job.payment, sent_hash=sent, next_try=now)
    return Decision(done.with_(state=JobState.DELIVERING, payment=payment))


def _finished_before(job: Job, event: WorkFinished, now: float) -> Decision:
    """The end of an earlier run, found late; a job that never began has none."""
    return _finished(job, event, now) if job.runs else Decision(job)


def _work_failed(job: Job, event: WorkFailed, now: float) -> Decision:
    # The runner has written its own error events.
    return Decision(job.with_(state=JobState.FAILED, failure=event.reason, ended_at=now))


def _time_ran_out(job: Job, event: Event, now: float) -> Decision:
    reason = "the job took longer than its payment allows"
    return _fail(job, reason, now, StopRunner())


def _overran(job: Job, event: RunOverran, now: float) -> Decision:
    reason = f"the job worked for longer than the {event.limit:.0f} s that it may"
    return _fail(job, reason, now, StopRunner())


def _no_time_left(job: Job, event: Event, now: float) -> Decision:
    return _fail(job, "no time was left to run the job before its result is due", now)


def _taken(job: Job, now: float, *orders: Order) -> Decision:
    payment = _payment_of(job)
    if payment.state is PaymentState.LOCKED:
        payment = replace(payment, state=PaymentState.RESULT_SENT)
    ended = job.with_(state=JobState.COMPLETED, ended_at=now, payment=payment)
    return Decision(ended, (*orders, TellPayment("final_result")))


def _result_taken(job: Job, event: Event, now: float) -> Decision:
    return _taken(job, now)


def _result_not_taken(job: Job, event: ResultNotTaken, now: float) -> Decision:
    before = _payment_of(job)
    payment = replace(
        before, tries=before.tries + 1, next_try=event.again_at, attention=event.reason
    )
    news = event.reason != before.attention
    return Decision(job.with_(payment=payment), (Warn(event.reason),) if news else ())


def _result_hopeless(job: Job, event: ResultHopeless, now: float) -> Decision:
    payment = replace(_payment_of(job), attention=event.reason)
    reason = "the result could not be submitted in time"
    return _fail(job.with_(payment=payment), reason, now, Warn(event.reason))


def _resent(job: Job, event: ResultResent, now: float) -> Decision:
    before = job.payment
    if before is None:
        return Decision(job)
    counted = replace(before, resent=before.resent + 1, resent_for=event.changed_at)
    payment = replace(counted, next_try=event.again_at)
    return Decision(job.with_(payment=payment), (Warn("the node sends the result's hash again"),))


def _resend_unsafe(job: Job, event: ResendUnsafe, now: float) -> Decision:
    """Tell the operator once for each failure; the look at it is repeated."""
    before = job.payment
    if before is None:
        return Decision(job)
    is_new = before.told_for != event.changed_at
    payment = replace(
        before, told_for=event.changed_at, next_try=event.again_at, attention=event.note
    )
    if payment == before:
        return Decision(job)
    orders = (Warn(event.note, event.advice),) if is_new else ()
    return Decision(job.with_(payment=payment), orders)


def _forgotten(job: Job, event: Event, now: float) -> Decision:
    payment = job.payment
    if payment is None or payment.state.ended:
        return Decision(job)
    note = "its node does not know this payment any more: whether it was paid is not known"
    gone = replace(payment, state=PaymentState.FORGOTTEN, attention=note)
    return Decision(job.with_(payment=gone), (Warn(note),))


def _cancel_unopened(job: Job, event: Cancelled, now: float) -> Decision:
    payment = replace(_payment_of(job), state=PaymentState.ABANDONED)
    return _fail(job.with_(payment=payment), event.reason, now)


def _cancel(job: Job, event: Cancelled, now: float) -> Decision:
    return _fail(job, event.reason, now)


def _cancel_run(job: Job, event: Cancelled, now: float) -> Decision:
    return _fail(job, event.reason, now, StopRunner())


# --- the table ---------------------------------------------------------------------------------

S = JobState

_RULES: dict[JobState, dict[type[Event], Rule]] = {
    S.REQUESTED: {
        PaymentOpened: _payment_opened,
        PaymentNotOpened: _payment_not_opened,
        Cancelled: _cancel_unopened,
    },
    S.AWAITING_PAYMENT: {
        PaymentSeen: _seen_while_awaiting,
        PayWindowClosed: _window_closed,
        TimeRanOut: _no_time_left,
        Cancelled: _cancel,
    },
    S.QUEUED: {
        PaymentSeen: _seen_before_run,
        SlotGranted: _slot_granted,
        TimeRanOut: _no_time_left,
        Cancelled: _cancel,
    },
    S.LAUNCHING: {
        PaymentSeen: _seen_while_running,
        RunnerStarted: _runner_started,
        LaunchTimedOut: _launch_timed_out,
        RunnerLost: _not_made,
        WorkFailed: _not_made,
        WorkFinished: _finished_before,
        TimeRanOut: _time_ran_out,
        Cancelled: _cancel_run,
    },
    S.RUNNING: {
        PaymentSeen: _seen_while_running,
        RunnerLost: _runner_lost,
        WorkFinished: _finished,
        WorkFailed: _work_failed,
        TimeRanOut: _time_ran_out,
        RunOverran: _overran,
        Cancelled: _cancel_run,
    },
    S.DELIVERING: {
        PaymentSeen: _seen_while_delivering,
        ResultTaken: _result_taken,
        ResultNotTaken: _result_not_taken,
        ResultHopeless: _result_hopeless,
    },
    S.COMPLETED: {
        PaymentSeen: _seen_after_end,
        PaymentForgotten: _forgotten,
        ResultResent: _resent,
        ResendUnsafe: _resend_unsafe,
    },
    S.FAILED: {PaymentSeen: _seen_after_end, PaymentForgotten: _forgotten},
}

TABLE: dict[tuple[JobState, type[Event]], Rule] = {
    (state, event): _RULES[state].get(event, _absorb) for state in JobState for event in EVENTS
}
