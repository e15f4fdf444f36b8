"""Questions of a running job and their answers; nobody is asked twice for what may have arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from masumi_sumi.buyer import values
from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.buyer.answers import Standing
from masumi_sumi.buyer.events import Answered, Asked, Event, Troubled
from masumi_sumi.errors import (
    AgentFailed,
    AgentRefused,
    AgentUnreachable,
    AgentUnreadable,
    AnswerUnverified,
    SignatureRefused,
)
from masumi_sumi.flows.questions import Form, Group
from masumi_sumi.hashing import input_hash
from masumi_sumi.signing import Taken, check

MOST_REFUSALS = 5

_CLOSED = (404, 409)

Ask = Callable[[Asked], Awaitable[Mapping[str, Any]]]
"""Gives the answers by field id, in wire or in plain words."""


class Talk:
    """``turn`` is called with each look at the job.

    Several questions at once come as groups. They are answered together, as MIP-003 has it, and
    one by one where the agent does not take that (or where two ask for fields of one name).
    """

    def __init__(
        self,
        agent: AgentClient,
        job_id: str,
        identifier: str,
        ask: Ask,
        key: str = "",
        vouched: bool = False,
    ) -> None:
        """``key`` is the agent's for signatures; without one no signature means anything.
        ``vouched``: the seller's wallet stands behind it.
        """
        self._agent, self._ask = agent, ask
        self._job_id, self._identifier, self._key = job_id, identifier, key
        self._vouched = vouched
        self._begin("")

    def _begin(self, question: str) -> None:
        self._question = question
        self._data: dict[str, dict[str, Any]] = {}
        self._left: list[Group] = []
        self._asked = self._apart = False
        self._refusal, self._refusals = "", 0

    async def turn(self, standing: Standing) -> AsyncIterator[Event]:
        """Ask and answer, if a question is open that has no answer yet.

        Raises AgentRefused when the agent takes none of several answers, AnswerUnverified, and
        what the callback raises.
        """
        form = standing.form
        if form is None:
            self._begin("")
            return
        question = f"{standing.status_id}:{form.digest}"
        if question != self._question:
            self._begin(question)
        while self._left or not self._asked:
            if not self._asked:
                async for event in self._gather(standing, form):
                    yield event
            try:
                yield await self._send(standing, form)
            except AgentRefused as error:
                if (told := self._refused(error, form)) is not None:
                    yield told
            except (AgentUnreachable, AgentFailed) as error:
                yield Troubled(str(error))  # it may have arrived: look, and else send it again
                return

    async def _gather(self, standing: Standing, form: Form) -> AsyncIterator[Event]:
        for group in form.groups:
            part = form.alone(group)
            asked = Asked(self._job_id, group.id or standing.status_id, part, self._refusal)
            yield asked
            self._data[group.id] = values.answers(part, await self._ask(asked))
        self._left, self._asked = list(form.groups), True

    async def _send(self, standing: Standing, form: Form) -> Answered:
        """The answers to all groups, or to the first that is left."""
        if self._together(form):
            data = {name: value for part in self._data.values() for name, value in part.items()}
            answered = await self._provide(data, standing.status_id, form.digest)
            self._left = []
            return answered
        group = self._left[0]
        answered = await self._provide(self._data[group.id], group.id)
        self._left = self._left[1:]
        return answered

    def _together(self, form: Form) -> bool:
        return len(form.groups) == 1 or (form.unmixed and not self._apart)

    async def _provide(
        self, data: Mapping[str, Any], status_id: str, schema_hash: str = ""
    ) -> Answered:
        try:
            receipt = await self._agent.provide_input(
                self._job_id, data, status_id=status_id, schema_hash=schema_hash
            )
        except AgentUnreadable as error:
            raise AnswerUnverified(self._job_id, error.reason) from error
        ours, said = input_hash(self._identifier, data), receipt.input_hash
        if said and said.lower() != ours:
            reason = "the agent took another answer than the one that was sent"
            raise AnswerUnverified(self._job_id, reason)
        if self._key:
            taken = Taken(self._job_id, status_id, self._identifier, ours)
            self._check_signature(receipt.signature, taken)
        signed = bool(self._key)
        return Answered(ours, bool(said), signed, signed and self._vouched)

    def _check_signature(self, signature: str, taken: Taken) -> None:
        try:
            check(signature, self._key, taken)
        except SignatureRefused as error:
            raise AnswerUnverified(self._job_id, str(error)) from error

    def _refused(self, error: AgentRefused, form: Form) -> Troubled | None:
        """Another way to send it, another answer, or a question that is no longer open."""
        if self._together(form) and len(form.groups) > 1:
            self._apart = True
            return None
        if error.status in _CLOSED:
            self._left = self._left[1:]
            return Troubled(str(error))
        self._refusal, self._refusals = error.detail, self._refusals + 1
        self._asked = False
        if self._refusals >= MOST_REFUSALS:
            raise error
        return None
