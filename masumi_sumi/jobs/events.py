"""What can happen to a job, and what must be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from masumi_sumi.jobs.model import PaymentFacts, PaymentView

# --- events ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PaymentOpened:
    facts: PaymentFacts


@dataclass(frozen=True, slots=True)
class PaymentNotOpened:
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    view: PaymentView


@dataclass(frozen=True, slots=True)
class PayWindowClosed:
    """Asked directly, well after payByTime, the node knows of no funds."""


@dataclass(frozen=True, slots=True)
class PaymentForgotten:
    """Asked directly, long after the last of its deadlines, the node knows no such payment."""


@dataclass(frozen=True, slots=True)
class ResultResent:
    """The node was asked to send the hash again, after the failure of ``changed_at``; the next
    time not before ``again_at``, in epoch seconds."""

    changed_at: str
    again_at: float


@dataclass(frozen=True, slots=True)
class ResendUnsafe:
    """The node was not asked to send the hash again after the failure of ``changed_at``, since
    that could lose the payment: its operator must act. Looked at again at ``again_at``."""

    changed_at: str
    again_at: float
    note: str
    advice: str


@dataclass(frozen=True, slots=True)
class SlotGranted:
    pass


@dataclass(frozen=True, slots=True)
class RunnerStarted:
    """The runner of this attempt asks whether it may begin the author's code."""

    attempt: int


@dataclass(frozen=True, slots=True)
class LaunchTimedOut:
    """The runner of this attempt has not begun the author's code in time."""

    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunnerLost:
    reason: str


@dataclass(frozen=True, slots=True)
class WorkFinished:
    final: str
    result: str
    result_hash: str  # "" for a free job


@dataclass(frozen=True, slots=True)
class WorkFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The job cannot end before the result must be at the node."""


@dataclass(frozen=True, slots=True)
class RunOverran:
    """The author's code has worked for longer than ``limit`` seconds."""

    limit: float


@dataclass(frozen=True, slots=True)
class ResultTaken:
    pass


@dataclass(frozen=True, slots=True)
class ResultNotTaken:
    """The hash did not get through this time; ``again_at`` in epoch seconds."""

    reason: str
    again_at: float


@dataclass(frozen=True, slots=True)
class ResultHopeless:
    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    reason: str


Event = (
    PaymentOpened
    | PaymentNotOpened
    | PaymentSeen
    | PayWindowClosed
    | PaymentForgotten
    | ResultResent
    | ResendUnsafe
    | SlotGranted
    | RunnerStarted
    | LaunchTimedOut
    | RunnerLost
    | WorkFinished
    | WorkFailed
    | TimeRanOut
    | RunOverran
    | ResultTaken
    | ResultNotTaken
    | ResultHopeless
    | Cancelled
)

# --- orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WriteExecution:
    """Write the execution, with what happened to the job before its funds were locked."""


@dataclass(frozen=True, slots=True)
class TellPayment:
    """Write a payment event into the execution: funds_locked, final_result."""

    step: str


@dataclass(frozen=True, slots=True)
class TellStatus:
    status: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StopRunner:
    pass


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that an operator must see, and where it is known what he is to do."""

    note: str
    advice: str = ""


Order = WriteExecution | TellPayment | TellStatus | StopRunner | Warn

EVENTS: tuple[type[Event], ...] = Event.__args__
