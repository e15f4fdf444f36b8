"""Who tells a hire and asks for it: a terminal for people, or lines of JSON for machines."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import typer
from rich.console import Console
from rich.status import Status
from rich.text import Text

from masumi_sumi.buyer import (
    Answered,
    Asked,
    Bought,
    Delivered,
    Event,
    Form,
    Hire,
    Locked,
    Moved,
    Offer,
    Proven,
    Refunding,
    Terms,
    Troubled,
    money,
    values,
)
from masumi_sumi.buyer.purchases import told
from masumi_sumi.cli.prompts import fill_in, plain
from masumi_sumi.errors import FieldsInvalid, PurchaseUnsettled, SettingInvalid, SumiError
from masumi_sumi.jobs.model import PaymentView

Said = Mapping[str, list[str]]
"""``--answer`` options: the texts for each key."""


class Clerk(Protocol):
    """``paid``: whether money may be on its way."""

    paid: bool

    def offered(self, offer: Offer, url: str) -> None: ...

    def fill(
        self, form: Form, given: Mapping[str, Any], *, everything: bool
    ) -> Mapping[str, Any]: ...

    def hired(self, hire: Hire) -> None: ...

    def agrees(self, terms: Terms, limit: Mapping[str, int] | None) -> bool: ...

    def ask(self, asked: Asked, said: Said) -> Mapping[str, Any]: ...

    def tell(self, event: Event) -> None: ...

    def refund(self, view: PaymentView, *, cancel: bool) -> None: ...

    def failed(self, error: SumiError) -> None: ...


# --- people ------------------------------------------------------------------------------------


class Terminal:
    """Lines with the seconds since the start, and a spinner while one waits."""

    def __init__(self) -> None:
        self.paid = False
        self._console, self._errors = Console(), Console(stderr=True)
        self._began = time.monotonic()
        self._waiting: Status | None = None
        self._url = ""

    def offered(self, offer: Offer, url: str) -> None:
        self._url = url
        name = offer.registration.name if offer.registration else ""
        self._line("agent", " ".join(filter(None, [name, f"at {url}"])))
        if offer.availability.message:
            self._line("says", offer.availability.message)

    def fill(self, form: Form, given: Mapping[str, Any], *, everything: bool) -> Mapping[str, Any]:
        return fill_in(self._console, form, given, everything=everything)

    def hired(self, hire: Hire) -> None:
        self._line("hired", f"job {hire.job_id}")
        if hire.terms is None:
            self._line("price", "free")
            return
        terms, times = hire.terms, hire.terms.times
        source = "registered on chain" if terms.registered else "as the agent says"
        if terms.pricing == "Dynamic":
            source = "for this job, signed by the seller"
        self._line("price", f"{money.told(terms.price)} ({source}), and the network's fee")
        self._line("to pay", _until(times.pay_by))
        self._line("result", _until(times.submit_result))
        self._line("refund", f"can be asked for {_until(times.unlock)}")
        seller = f"input, price and times, by the wallet {terms.order.seller_vkey[:16]}…"
        self._line("verified", f"the seller's signature over {seller}", "bold green")
        self._line("agent id", terms.order.agent_identifier)
        if terms.agent_url and terms.agent_url.rstrip("/") != self._url.rstrip("/"):
            self._line("beware", f"it is registered at {terms.agent_url}", "bold yellow")

    def agrees(self, terms: Terms, limit: Mapping[str, int] | None) -> bool:
        if typer.confirm(f"Pay {money.told(terms.price)}?", default=False):
            return True
        self._line("declined", "nothing was paid", "bold yellow")
        return False

    def ask(self, asked: Asked, said: Said) -> Mapping[str, Any]:
        self._rest()
        self._line("asks", "the agent has a question", "bold yellow")
        if asked.refusal:
            self._line("refused", asked.refusal, "bold red")
            return fill_in(self._console, asked.form, {}, everything=True)
        found = answers_said(asked.form, said)
        return fill_in(self._console, asked.form, found, everything=True)

    def tell(self, event: Event) -> None:
        self._rest()
        match event:
            case Bought():
                self.paid = True
                self._line("purchase", event.standing)
                self._line("is named", event.blockchain_identifier, "dim")
                self._wait("waiting for the chain to lock the money")
            case Locked():
                self._line("chain", "the money is in the escrow")
                self._wait("waiting for the agent")
            case Moved():
                self._line("status", event.status.replace("_", " "))
                if event.status != "completed":
                    self._wait(f"the agent is {event.status.replace('_', ' ')}")
            case Answered():
                known = "the agent has it" if event.confirmed else "the agent confirms no hash"
                known = "the agent has signed for it" if event.signed else known
                self._line("answered", f"{known} (input hash {event.input_hash[:16]}…)")
                self._wait("waiting for the agent")
            case Delivered():
                self._result(event.result)
                if self.paid:
                    self._wait("waiting for the result's hash on chain")
            case Proven():
                form = "" if event.form == "either" else f", over the {event.form} text"
                words = f"the hash on chain is this result's{form}: {event.result_hash}"
                self._line("verified", words, "bold green")
            case Troubled():
                self._line("trouble", event.reason, "bold yellow")
                self._wait("trying again")
            case Refunding():
                self._line("refund", f"asked for ({event.standing})", "bold yellow")

    def refund(self, view: PaymentView, *, cancel: bool) -> None:
        words = "the wish for a refund is taken back" if cancel else "the refund is asked for"
        self._line("refund", f"{words}: {told(view)}")

    def failed(self, error: SumiError) -> None:
        self._rest()
        self._errors.print(Text(f"error: {plain(str(error))}", style="red"), soft_wrap=True)
        if isinstance(error, PurchaseUnsettled):
            self._errors.print(f"it is named {error.blockchain_identifier}", soft_wrap=True)

    def _result(self, result: str) -> None:
        self._console.rule("result", align="left")
        self._console.print(Text(plain(result)), soft_wrap=True)
        self._console.rule()

    def _line(self, what: str, words: str, style: str = "bold cyan") -> None:
        line = Text(f"{time.monotonic() - self._began:5.1f} s  ", style="dim")
        line.append(f"{what:<9}", style=style)
        line.append(f" {plain(words)}", style="default")
        self._console.print(line, soft_wrap=True)

    def _wait(self, words: str) -> None:
        if self._console.is_terminal:
            self._waiting = self._console.status(words)
            self._waiting.start()

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def _until(millis: int) -> str:
    """``within 30 minutes (21 Nov 18:30)``."""
    seconds = millis / 1000 - time.time()
    moment = datetime.fromtimestamp(millis / 1000).astimezone()
    return f"within {in_words(seconds)} ({moment:%d %b %H:%M})"


def in_words(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} minutes"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} hours"
    return f"{hours / 24:.1f} days"


# --- machines ----------------------------------------------------------------------------------


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
        )

    def fill(self, form: Form, given: Mapping[str, Any], *, everything: bool) -> Mapping[str, Any]:
        return given

    def hired(self, hire: Hire) -> None:
        self._say(
            "hired",
            job_id=hire.job_id,
            identifier_from_purchaser=hire.identifier,
            input_data=hire.input_data,
            input_hash=hire.input_hash,
            terms=_terms(hire.terms),
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


def answers_said(form: Form, said: Said) -> dict[str, Any]:
    """The ``--answer`` options that this form asks for. Raises FieldsInvalid."""
    found = {}
    for question in form.questions:
        if question.asks and (texts := said.get(question.id)):
            several = len(texts) > 1
            found[question.id] = (
                values.settled(question, texts) if several else values.typed(question, texts[0])
            )
    return found


def _fields(form: Form) -> list[dict[str, Any]]:
    asked = [question for question in form.questions if question.asks]
    return [{"id": q.id, "type": str(q.type), "required": q.required} for q in asked]


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
        "blockchainIdentifier": order.blockchain_identifier,
        "payByTime": times.pay_by,
        "submitResultTime": times.submit_result,
        "unlockTime": times.unlock,
        "externalDisputeUnlockTime": times.external_dispute_unlock,
    }
