"""A hire as lines of JSON, for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from masumi_sumi.buyer import (
    Asked,
    Bought,
    Caution,
    Event,
    Form,
    Hire,
    Offer,
    Terms,
)
from masumi_sumi.buyer.purchases import told
from masumi_sumi.buyer.records import Record
from masumi_sumi.cli.clerks import Said, answers_said
from masumi_sumi.errors import FieldsInvalid, SettingInvalid, SumiError
from masumi_sumi.jobs.model import PaymentView


class Machine:
    """One JSON object a line, its ``event`` first. What is missing is an error, not a question."""

    def __init__(self) -> None:
        self.paid = False

    def offered(self, offer: Offer, url: str) -> None:
        registered = offer.registration
        self._say(
            "offered",
            url=url,
            agentIdentifier=offer.availability.agent_identifier or None,
            name=registered.name if registered else None,
            fields=_fields(offer.form),
            warnings=_warnings(offer.cautions),
        )

    def fill(self, form: Form, given: Mapping[str, Any], *, everything: bool) -> Mapping[str, Any]:
        return given

    def hired(self, hire: Hire) -> None:
        self._hire("hired", hire)

    def resumed(self, hire: Hire, url: str) -> None:
        self.paid = hire.is_bought
        self._hire("resumed", hire, url=url, bought=hire.is_bought)

    def _hire(self, event: str, hire: Hire, **more: Any) -> None:
        self._say(
            event,
            **more,
            job_id=hire.job_id,
            identifier_from_purchaser=hire.identifier,
            input_data=hire.input_data,
            input_hash=hire.input_hash,
            terms=_terms(hire.terms),
            warnings=_warnings(hire.cautions),
        )

    def interrupted(self, hire: Hire) -> None:
        named = {"identifier_from_purchaser": hire.identifier, "paid": self.paid}
        self._say("interrupted", job_id=hire.job_id, **named)

    def unfinished(self, hires: Sequence[Record]) -> None:
        for record in hires:
            self._say(
                "unfinished",
                job_id=record.job_id,
                identifier_from_purchaser=record.identifier,
                url=record.agent_url,
                bought=record.bought,
                deadline=record.deadline,
                terms=_terms(record.terms),
            )

    def agrees(self, terms: Terms, limit: Mapping[str, int] | None) -> bool:
        if limit is None:
            rule = "without --yes, a machine pays only within a limit; nothing was paid"
            raise SettingInvalid("--max-price", "nothing", rule)
        return True

    def ask(self, asked: Asked, said: Said) -> Mapping[str, Any]:
        if asked.refusal:
            raise FieldsInvalid({"--answer": [asked.refusal]})
        return answers_said(asked.form, said)

    def tell(self, event: Event) -> None:
        self.paid = self.paid or isinstance(event, Bought)
        if isinstance(event, Asked):
            fields = _fields(event.form)
            self._say("asked", job_id=event.job_id, status_id=event.status_id, fields=fields)
            return
        self._say(type(event).__name__.lower(), **dataclasses.asdict(event))

    def refund(self, view: PaymentView, *, cancel: bool) -> None:
        self._say("refund_cancelled" if cancel else "refunding", standing=told(view))

    def failed(self, error: SumiError) -> None:
        facts = {"blockchain_identifier": getattr(error, "blockchain_identifier", None)}
        facts |= {"fields": dict(error.fields)} if isinstance(error, FieldsInvalid) else {}
        facts = {name: value for name, value in facts.items() if value is not None}
        self._say("error", error=type(error).__name__, message=str(error), paid=self.paid, **facts)

    def _say(self, event: str, **facts: Any) -> None:
        print(json.dumps({"event": event, **facts}), flush=True)


def _fields(form: Form) -> list[dict[str, Any]]:
    asked = [question for question in form.questions if question.asks]
    return [{"id": q.id, "type": str(q.type), "required": q.required} for q in asked]


def _warnings(cautions: Iterable[Caution]) -> list[dict[str, Any]]:
    """``identity``: with --yes it is not paid."""
    return [
        {"code": each.code, "text": each.words, "identity": each.is_of_identity}
        for each in cautions
    ]


def _terms(terms: Terms | None) -> dict[str, Any] | None:
    if terms is None:
        return None
    order, times = terms.order, terms.times
    return {
        "price": [{"amount": part.amount, "unit": part.unit} for part in terms.price],
        "pricing": terms.pricing,
        "registered": terms.registered,
        "registeredUrl": terms.agent_url,
        "network": order.network,
        "agentIdentifier": order.agent_identifier,
        "sellerVKey": order.seller_vkey,
        "sellerVKeyRegistered": terms.wallet_named,
        "blockchainIdentifier": order.blockchain_identifier,
        "payByTime": times.pay_by,
        "submitResultTime": times.submit_result,
        "unlockTime": times.unlock,
        "externalDisputeUnlockTime": times.external_dispute_unlock,
    }
