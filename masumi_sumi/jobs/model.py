"""What a job and its payment are: frozen values, no behaviour beyond reading themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

Pricing = Literal["Fixed", "Dynamic", "Free"]
SourceType = Literal["Web3CardanoV1", "Web3CardanoV2"]


class JobState(StrEnum):
    REQUESTED = "requested"  # priced; the node is being asked for a payment
    AWAITING_PAYMENT = "awaiting_payment"
    QUEUED = "queued"  # free or funded; waits for a place to run
    LAUNCHING = "launching"  # a runner is being made
    RUNNING = "running"
    DELIVERING = "delivering"  # the result is stored; the node has not taken its hash yet
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (JobState.COMPLETED, JobState.FAILED)

    @property
    def unfunded(self) -> bool:
        """Whether a job in this state still waits for its payment."""
        return self in (JobState.REQUESTED, JobState.AWAITING_PAYMENT)


UNPAID = (JobState.REQUESTED, JobState.AWAITING_PAYMENT)
"""States in which a priced job waits for its buyer's money."""


class PaymentState(StrEnum):
    """Where the payment stands, as far as the seller knows."""

    REQUESTED = "requested"  # not at the node yet
    AWAITING_FUNDS = "awaiting_funds"
    LOCKED = "locked"
    RESULT_SENT = "result_sent"  # the node took our hash; the chain has not confirmed it
    RESULT_CONFIRMED = "result_confirmed"
    REFUND_REQUESTED = "refund_requested"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"  # end: the seller was paid
    REFUNDED = "refunded"  # end: the buyer took the funds back
    SETTLED = "settled"  # end: arbitrated
    INVALID = "invalid"  # end: never paid, or paid wrongly
    ABANDONED = "abandoned"  # end: never opened at the node
    FORGOTTEN = "forgotten"  # end: its node does not know it, after the last of its deadlines

    @property
    def ended(self) -> bool:
        return self in _PAYMENT_ENDS


_PAYMENT_ENDS = frozenset(
    {
        PaymentState.WITHDRAWN,
        PaymentState.REFUNDED,
        PaymentState.SETTLED,
        PaymentState.INVALID,
        PaymentState.ABANDONED,
        PaymentState.FORGOTTEN,
    }
)


@dataclass(frozen=True, slots=True)
class Amount:
    """``amount`` in the smallest unit of the asset; ``unit`` is "" for lovelace."""

    amount: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a flow is sold. Times in seconds from the job's start."""

    pricing: Pricing = "Free"
    network: str = ""
    agent_identifier: str = ""
    source_type: SourceType = "Web3CardanoV1"
    source_index: int | None = None  # None: the one source that is priced so
    price: tuple[Amount, ...] = ()  # Dynamic only: what this job costs
    pay_by: float = 1800.0
    submit_by: float = 16800.0
    run: float | None = None  # None: as long as it takes
    repeats: int = 0  # how often a run whose process died may be repeated

    @property
    def free(self) -> bool:
        return self.pricing == "Free"


@dataclass(frozen=True, slots=True)
class Times:
    """The four deadlines of a payment, epoch milliseconds, as the node gave them."""

    pay_by: int
    submit_result: int
    unlock: int
    external_dispute_unlock: int


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What the seller asks the node for. ``pay_by`` and ``submit_by`` are epoch seconds."""

    network: str
    agent_identifier: str
    identifier_from_purchaser: str
    input_hash: str
    pay_by: float
    submit_by: float
    price: tuple[Amount, ...] = ()
    source_index: int | None = None
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """What the node answered to an order: all that a buyer needs to pay."""

    blockchain_identifier: str
    agent_identifier: str
    input_hash: str
    seller_vkey: str
    times: Times
    source_type: SourceType
    price: tuple[Amount, ...]
    source_index: int | None = None  # of Web3CardanoV2 only


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One look at a payment: state on chain, and what the node does next."""

    blockchain_identifier: str
    on_chain_state: str | None
    action: str
    error_type: str | None = None
    error_note: str | None = None
    result_hash: str | None = None  # on chain
    action_result_hash: str | None = None  # taken by the node, not yet on chain
    row_id: str = ""
    changed_at: str = ""  # ISO text as the node wrote it
    is_detached: bool = False  # seen on chain, but the node holds no transaction of it any more


@dataclass(frozen=True, slots=True)
class Payment:
    """A job's payment. ``view`` is the last look that told something new."""

    network: str
    state: PaymentState = PaymentState.REQUESTED
    facts: PaymentFacts | None = None
    view: PaymentView | None = None
    sent_hash: str = ""  # the one hash that this payment ever gets
    tries: int = 0  # of sending the hash
    next_try: float = 0.0  # epoch seconds
    resent: int = 0  # how often the node was asked to send the hash again
    resent_for: str = ""  # changed_at of the failure that it was last asked for
    told_for: str = ""  # changed_at of the failure that the operator was told to mend
    attention: str = ""  # what an operator must look at, in the node's words

    @property
    def blockchain_identifier(self) -> str:
        return self.facts.blockchain_identifier if self.facts else ""


@dataclass(frozen=True, slots=True)
class Job:
    """One hire of one flow. Times are epoch seconds."""

    id: str
    flow: str  # path of the flow below its host, e.g. "/two-stage/"
    identifier: str  # identifier_from_purchaser, as sent
    input_hash: str  # over the input as sent, which the launch holds
    terms: Terms
    user: str  # under whose name Kodosumi keeps the execution
    created_at: float
    updated_at: float
    app_url: str = ""
    caller: str = ""  # who started it (``unpaid.caller_of``); forgotten when it is unpaid no more
    state: JobState = JobState.REQUESTED
    payment: Payment | None = None
    funded_at: float | None = None  # when the funds were seen to be locked
    launched_at: float | None = None  # of the latest attempt to make a runner
    started_at: float | None = None  # of the first run
    begun_at: float | None = None  # of the latest run
    ended_at: float | None = None
    attempts: int = 0  # runners made
    runs: int = 0  # how often the author's code began
    result: str | None = None  # the text that the buyer gets
    final: str | None = None  # Kodosumi's final event, as the runner sent it
    failure: str | None = None  # one line, fit for the buyer
    version: int = 0  # counts the writes; each is guarded by it

    def with_(self, **changes: Any) -> Job:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Launch:
    """How a job's runner is made. ``spec`` holds the buyer's input, which is kept nowhere else
    before the run; it is packed by ``runtime.spec`` and opened only in the app's own environment.
    """

    spec: bytes
    runtime_env: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)  # the execution's meta event
    inputs: str = ""  # of a free job: its execution's inputs event, written at once, never stored


class LockOutcome(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Lock:
    """A question of a running job to its buyer. ``expires_at`` in epoch seconds."""

    id: str
    job_id: str
    name: str
    expires_at: float
    opened_at: float
    outcome: LockOutcome = LockOutcome.OPEN
    closed_at: float | None = None
    form: list[dict[str, Any]] | None = None  # Kodosumi elements, once the app was asked
    input_hash: str = ""  # of the answer
