"""What every face does with a job: start it, tell where it stands, answer its questions.

No HTTP and no wire words here; a face parses, calls, and words the answer.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from masumi_sumi import flows, hashing
from masumi_sumi.clock import Clock
from masumi_sumi.errors import (
    FieldsInvalid,
    HandlerFailed,
    IdentifierInvalid,
    JobNotAwaitingInput,
    LockReleased,
    UnknownJob,
    UnknownLock,
)
from masumi_sumi.jobs.model import Job, JobState, Launch, Lock, LockOutcome, Payment, Terms
from masumi_sumi.jobs.ports import Agent, JobReader, Sale, Supervision
from masumi_sumi.jobs.questions import (
    Answer,
    Chooser,
    Question,
    Questions,
    answers,
    is_open,
    locks_of,
    question_of,
    status_id,
    tell_of_files,
)
from masumi_sumi.jobs.standing import is_in_doubt
from masumi_sumi.jobs.starts import StartLimit
from masumi_sumi.jobs.unpaid import caller_of

log = logging.getLogger(__name__)

Settle = Callable[[Any], Terms]
"""The terms of a job by its handler's inputs; of None: all but a price that hangs on them.

Raises ConfigurationError while the flow cannot be sold, HandlerFailed where the input has no price.
"""

Status = Literal["awaiting_payment", "awaiting_input", "running", "completed", "failed"]

_PRICED_IDENTIFIER = re.compile(r"(?:[0-9a-fA-F]{2}){7,13}")
_LONGEST_IDENTIFIER = 250

_STATUS: dict[JobState, Status] = {
    JobState.REQUESTED: "awaiting_payment",
    JobState.AWAITING_PAYMENT: "awaiting_payment",
    JobState.QUEUED: "running",
    JobState.LAUNCHING: "running",
    JobState.RUNNING: "running",
    JobState.DELIVERING: "running",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Hire:
    """A buyer's request for a job, parsed but not yet checked. ``input_data`` is as sent.

    ``author_first`` lets the author's own validation speak first of required fields. ``address`` is
    the caller's.
    """

    flow: str
    identifier: str
    input_data: Any
    app_url: str
    author_first: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands for its buyer. ``result`` and ``failure`` only at the end; ``asked`` is
    how many of its questions are over.
    """

    job: Job
    status: Status
    questions: Questions = ()
    asked: int = 0

    @property
    def id(self) -> str:
        """Of this state: another one after each change that a buyer sees."""
        return status_id(self.job.id, self.status, self.questions, self.asked)

    @property
    def result(self) -> str | None:
        return self.job.result if self.status == "completed" else None

    @property
    def failure(self) -> str | None:
        return self.job.failure if self.status == "failed" else None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was taken. ``status_id`` names the question, or the state of several, that it
    is for; ``input_hash`` is over the answer as sent."""

    job: Job
    status_id: str
    input_hash: str


class JobService:
    """Serves the jobs of one app."""

    def __init__(
        self,
        agent: Agent,
        supervision: Supervision,
        reader: JobReader,
        clock: Clock,
        token: Callable[[], str],
        start_timeout: float = 12.0,
        starts: StartLimit | None = None,
    ) -> None:
        """``token`` gives 16 unguessable hex digits a call; ``start_timeout`` is the seconds that
        the author's code and a look at the buyer's files may take together.
        """
        self._agent, self._supervision, self._reader = agent, supervision, reader
        self._clock, self._token, self._start_timeout = clock, token, start_timeout
        self._starts = starts or StartLimit()

    async def form(self, flow: str) -> flows.Form:
        """Raises UnknownFlow."""
        return flows.read_form(await self._agent.form(flow))

    async def start(self, hire: Hire, settle: Settle) -> Job:
        """Start a job: at once when it is free, else with its payment opened.

        The author's handler has taken the input before a price is asked for it. Raises
        ConfigurationError, IdentifierInvalid, FieldsInvalid, LaunchError, NodeError, SellerBusy,
        SellerUnavailable; no job is there to run then.
        """
        async with self._starts.place():
            return await self._start(hire, settle)

    async def _start(self, hire: Hire, settle: Settle) -> Job:
        terms = settle(None)
        _check_identifier(hire.identifier, terms)
        digest = hashing.input_hash(hire.identifier, hire.input_data)
        now, user = self._clock.now(), await self._supervision.buyer_user()
        job_id = f"{int(now):08x}{self._token()}"
        endpoint = f"{hire.app_url.rstrip('/')}{hire.flow.rstrip('/')}"
        sale = Sale(job_id, user, hire.identifier, digest, terms.agent_identifier, endpoint)
        async with self._in_time(hire.flow):
            values, launch = await self._launched(hire, sale)
            if terms.pricing == "Dynamic":
                inputs = await self._agent.inputs(hire.flow, values)
                terms = await asyncio.to_thread(settle, inputs)  # the author's code: may block
        job = Job(
            id=job_id,
            flow=hire.flow,
            identifier=hire.identifier,
            input_hash=digest,
            terms=terms,
            user=user,
            created_at=now,
            updated_at=now,
            app_url=hire.app_url,
            caller="" if terms.free else caller_of(hire.address),
            state=JobState.QUEUED if terms.free else JobState.REQUESTED,
            payment=None if terms.free else Payment(terms.network),
        )
        if not terms.free:  # its execution is written when it is funded; the runner has the input
            launch = replace(launch, inputs="")
        return await self._supervision.start(job, launch)

    @asynccontextmanager
    async def _in_time(self, flow: str) -> AsyncIterator[None]:
        """Raises HandlerFailed: a buyer does not wait for longer."""
        limit = asyncio.timeout(self._start_timeout)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            reason = f"it took longer than {self._start_timeout:g} s to check the input"
            raise HandlerFailed(flow, reason) from error

    async def _launched(self, hire: Hire, sale: Sale) -> tuple[dict[str, Any], Launch]:
        """The values that the author's handler took, and what it would launch."""
        form = await self.form(hire.flow)
        values = flows.submitted(form, hire.input_data, required=not hire.author_first)
        sale = replace(sale, files=flows.attachments(form, values))
        launch = await self._agent.launch(hire.flow, values, sale)
        if hire.author_first:  # and who lets an empty field pass does not waive the form's rule
            flows.submitted(form, hire.input_data)
        return values, launch

    async def standing(self, job_id: str, flow: str | None = None) -> Standing:
        """Raises UnknownJob, also for a job of another flow than the one asked."""
        job = await self._reader.job(job_id)
        if job is None or (flow is not None and job.flow != flow):
            raise UnknownJob(job_id)
        locks, now = await locks_of(job, self._reader), self._clock.now()
        known = [await self._described(lock) if is_open(lock, now) else lock for lock in locks]
        return standing_of(job, known, now)

    async def question(self, job_id: str, lock_id: str, flow: str | None = None) -> Question:
        """An open question of a job. Raises UnknownJob, UnknownLock, LockReleased."""
        standing = await self.standing(job_id, flow)
        for question in standing.questions:
            if question.lock.id == lock_id:
                return question
        raise await self._nothing_to_answer(standing, lock_id)

    async def answer(
        self,
        job_id: str,
        data: Any,
        flow: str | None,
        chosen: Chooser,
        *,
        over_lock: bool = False,
    ) -> Answered:
        """Answer the questions that ``chosen`` picks, all of them or none.

        The hash is taken over the purchaser's identifier, or ``over_lock`` over ``job:lock``.
        Raises UnknownJob, UnknownLock, LockReleased, JobNotAwaitingInput, InputRefused.
        """
        standing = await self.standing(job_id, flow)
        questions = chosen(standing.questions, standing.id)
        if not questions:
            raise await self._nothing_to_answer(standing, chosen.named)
        given = answers(questions, standing.questions, data)
        named = questions[0].lock.id if len(questions) == 1 else standing.id
        over = f"{job_id}:{named}" if over_lock else standing.job.identifier
        digest = hashing.input_hash(over, data)
        await self._release(job_id, await self._leased(job_id, given), digest)
        return Answered(standing.job, named, digest)

    async def _leased(self, job_id: str, given: tuple[Answer, ...]) -> list[tuple[str, Any]]:
        """What the author's code makes of each answer; a refusal of one refuses them all."""
        leases: list[tuple[str, Any]] = []
        for answer in given:
            try:
                lease = await self._agent.lease(job_id, answer.lock_id, answer.values)
            except FieldsInvalid as refusal:
                raise FieldsInvalid(answer.group.told(refusal.errors)) from refusal
            leases.append((answer.lock_id, lease))
        return leases

    async def _release(self, job_id: str, leases: list[tuple[str, Any]], digest: str) -> None:
        """In the order in which they were asked: of two who answer the same questions at once,
        one gets all of them and the other none.
        """
        for lock_id, lease in leases:
            if not await self._agent.release(job_id, lock_id, lease, digest):
                raise LockReleased(lock_id)

    async def _nothing_to_answer(self, standing: Standing, named: str) -> Exception:
        if named:
            locks = {lock.id: lock for lock in await self._reader.locks(standing.job.id)}
            return LockReleased(named) if named in locks else UnknownLock(named)
        return JobNotAwaitingInput(standing.job.id, standing.status)

    async def _described(self, lock: Lock) -> Lock:
        """The lock with its form, which is asked of the app once and kept; without, if the app
        has none or the lock was closed meanwhile.
        """
        if lock.form is not None:
            return lock
        try:
            form = await self._agent.lock_form(lock.job_id, lock.id)
        except (UnknownLock, HandlerFailed) as error:
            log.warning("lock has no form", extra={"job_id": lock.job_id, "note": str(error)})
            return lock
        tell_of_files(lock, form)
        kept = await self._supervision.describe_lock(lock.id, form)
        return kept if kept is not None and kept.outcome is LockOutcome.OPEN else lock


def standing_of(job: Job, locks: Sequence[Lock], now: float) -> Standing:
    """Where a job stands, given its locks; an open one that nobody can answer asks nothing."""
    opened = [lock for lock in locks if is_open(lock, now)]
    asked = len(locks) - len(opened)
    if job.state is JobState.QUEUED and is_in_doubt(job.payment):
        return Standing(job, "awaiting_payment", asked=asked)
    if job.state is not JobState.RUNNING:
        return Standing(job, _STATUS[job.state], asked=asked)
    found = [question_of(lock) for lock in opened]
    questions = tuple(question for question in found if question is not None)
    return Standing(job, "awaiting_input" if questions else "running", questions, asked)


def _check_identifier(identifier: str, terms: Terms) -> None:
    """Raises IdentifierInvalid."""
    if terms.free:
        fine = len(identifier) <= _LONGEST_IDENTIFIER
    else:
        fine = _PRICED_IDENTIFIER.fullmatch(identifier) is not None
    if not fine:
        raise IdentifierInvalid(identifier)
