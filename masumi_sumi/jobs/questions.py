"""The open questions of a job: how they are shown at once, and which of them an answer is for."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from masumi_sumi import flows
from masumi_sumi.errors import BodyUnreadable, FieldsInvalid
from masumi_sumi.jobs.model import Job, JobState, Lock, LockOutcome
from masumi_sumi.jobs.ports import JobReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """An open lock with its form."""

    lock: Lock
    form: flows.Form


Questions = tuple[Question, ...]


async def locks_of(job: Job, reader: JobReader) -> list[Lock]:
    """The locks that a standing is made of: nothing is asked before a job runs, or at its end."""
    asks = job.state in (JobState.RUNNING, JobState.DELIVERING)
    return await reader.locks(job.id) if asks else []


def is_open(lock: Lock, now: float) -> bool:
    return lock.outcome is LockOutcome.OPEN and lock.expires_at > now


def tell_of_files(lock: Lock, form: list[dict[str, Any]]) -> None:
    """To the author, when the form is first seen: the buyer has no part in it, and sees a job that
    runs.
    """
    files = flows.required_files(flows.read_form(form))
    if files:
        note = f"the form of lock {lock.name!r} requires {', '.join(files)}"
        told = {"job_id": lock.job_id, "note": f"{note}: files can be sent at the start only"}
        log.error("question cannot be answered", extra=told)


def question_of(lock: Lock) -> Question | None:
    """None for one that nobody can answer: its form is not known yet, or requires a file, and
    Kodosumi brings no file to an execution after its start. Other file fields are not asked for.
    """
    if lock.form is None:
        return None
    form = flows.read_form(lock.form)
    return None if flows.required_files(form) else Question(lock, flows.without_files(form))


def schema_of(questions: Questions) -> dict[str, Any]:
    """The fields of one question, or a group for each of several."""
    if len(questions) == 1:
        return flows.mip003_schema(questions[0].form)
    return flows.groups_schema(_groups(questions))


def status_id(job_id: str, status: str, questions: Questions, asked: int) -> str:
    """Names the state, not the request: one question is named by its lock. ``asked`` is how many
    questions are over: a job that goes on after one is not where it was before.
    """
    if len(questions) == 1:
        return questions[0].lock.id
    locks = ",".join(question.lock.id for question in questions)
    return hashlib.sha256(f"{job_id}:{status}:{asked}:{locks}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Chooser:
    """What a buyer sent to say which questions its answer is for; both may be empty.

    ``named`` is a lock's id, or the status id of the state in which several are open.
    """

    named: str = ""
    schema_hash: str = ""

    def __call__(self, questions: Questions, state_id: str) -> Questions:
        """All of the open questions, or one; none when the named one, or any, is not open.

        Raises BodyUnreadable for a hash of anything else than what is asked, and for no choice
        among several.
        """
        if self.named:
            return self._by_name(questions, state_id)
        if self.schema_hash and questions:
            return self._by_hash(questions)
        if len(questions) > 1:
            several = ", ".join(question.lock.id for question in questions)
            raise BodyUnreadable("status_id", f"several questions are open, name one: {several}")
        return questions

    def _by_name(self, questions: Questions, state_id: str) -> Questions:
        chosen = tuple(q for q in questions if q.lock.id == self.named)
        if self.named == state_id:
            chosen = questions
        if chosen and self.schema_hash and not self._fits(chosen) and not self._fits(questions):
            raise _stale()
        return chosen

    def _by_hash(self, questions: Questions) -> Questions:
        """A hash that two questions have, each alone, is none of either."""
        if self._fits(questions):
            return questions
        alone = [question for question in questions if self._fits((question,))]
        if len(alone) != 1:
            raise _stale()
        return (alone[0],)

    def _fits(self, questions: Questions) -> bool:
        return self.schema_hash.lower() in flows.schema_hashes(schema_of(questions))


@dataclass(frozen=True, slots=True)
class Answer:
    """The values for one question, as its form posts them. ``group`` knows how its fields are
    called where several questions are open."""

    lock_id: str
    values: dict[str, str]
    group: flows.Group


def answers(chosen: Questions, questions: Questions, data: Any) -> tuple[Answer, ...]:
    """What ``data`` says to the chosen ones of the open questions: one of them, or all.

    Raises FieldsInvalid with every reason of every question, BodyUnreadable.
    """
    groups = _groups(questions)
    if len(chosen) > 1:
        parts = flows.parted(groups, data)
        return _checked([(group, parts[group.id]) for group in groups])
    return _checked([(g, g.own(data)) for g in groups if g.id == chosen[0].lock.id])


def _checked(said: Sequence[tuple[flows.Group, Any]]) -> tuple[Answer, ...]:
    given: list[Answer] = []
    errors: dict[str, list[str]] = {}
    for group, data in said:
        try:
            values = flows.submitted(group.form, data)
        except FieldsInvalid as refusal:
            errors |= group.told(refusal.errors)
        else:
            given.append(Answer(group.id, values, group))
    if errors:
        raise FieldsInvalid(errors)
    return tuple(given)


def _groups(questions: Questions) -> tuple[flows.Group, ...]:
    return flows.grouped([_group(question) for question in questions])


def _group(question: Question) -> flows.Group:
    lock = question.lock
    return flows.Group(lock.id, lock.name or lock.id, question.form)


def _stale() -> BodyUnreadable:
    return BodyUnreadable("input_schema_hash", "is not the hash of what is asked now")
