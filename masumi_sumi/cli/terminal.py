"""A hire as people see it at a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

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
)
from masumi_sumi.buyer.purchases import told
from masumi_sumi.buyer.records import Record
from masumi_sumi.cli.clerks import Said, answers_said
from masumi_sumi.cli.error_log import tell_error
from masumi_sumi.cli.escaping import escape_line
from masumi_sumi.cli.prompts import fill_in, print_marked
from masumi_sumi.errors import PurchaseUnsettled, SumiError
from masumi_sumi.jobs.model import PaymentView


class Terminal:
    """Lines with the seconds since the start, and a spinner while one waits."""

    def __init__(self) -> None:
        self.paid = False
        self._console, self._errors = Console(), Console(stderr=True)
        self._began = time.monotonic()
        self._waiting: Status | None = None

    def offered(self, offer: Offer, url: str) -> None:
        name = offer.registration.name if offer.registration else ""
        self._line("agent", " ".join(filter(None, [name, f"at {url}"])))
        if offer.availability.message:
            self._line("says", offer.availability.message)

    def fill(self, form: Form, given: Mapping[str, Any], *, everything: bool) -> Mapping[str, Any]:
        return fill_in(self._console, form, given, everything=everything)

    def hired(self, hire: Hire) -> None:
        self._line("hired", f"job {hire.job_id}")
        self._terms(hire)

    def resumed(self, hire: Hire, url: str) -> None:
        self._line("agent", f"at {url}")
        self._line("taken up", f"job {hire.job_id}")
        if hire.is_bought:
            self.paid = True
        else:
            self._terms(hire)

    def _terms(self, hire: Hire) -> None:
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
        self._line("signed", f"input, price and times, {_by_wallet(terms)}", "bold green")
        self._line("agent id", terms.order.agent_identifier)
        if hire.vouched_at is not None:
            moment = datetime.fromtimestamp(hire.vouched_at).astimezone()
            self._line("key", f"that wallet vouched on {moment:%d %b %Y} for what signs answers")
        for caution in hire.cautions:
            style = "bold yellow" if caution.is_of_identity else "dim"
            self._line("beware" if caution.is_of_identity else "note", caution.words, style)

    def interrupted(self, hire: Hire) -> None:
        self._rest()
        self._line("open", f"masumi-sumi resume {hire.identifier} takes it up", "bold yellow")

    def unfinished(self, hires: Sequence[Record]) -> None:
        if not hires:
            self._console.print("nothing is unfinished")
        for record in hires:
            self._line("open", _standing(record))
            self._line("", f"masumi-sumi resume {record.identifier}", "dim")

    def agrees(self, terms: Terms, limit: Mapping[str, int] | None) -> bool:
        if typer.confirm(f"Pay {escape_line(money.told(terms.price))}?", default=False):
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
                known = _signed(event) if event.signed else known
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
        self._errors.print(Text(f"error: {tell_error(error)}", style="red"), soft_wrap=True)
        if isinstance(error, PurchaseUnsettled):
            named = f"it is named {escape_line(error.blockchain_identifier)}"
            self._errors.print(Text(named), soft_wrap=True)

    def _result(self, result: str) -> None:
        self._console.rule("result", align="left")
        print_marked(self._console, result)
        self._console.rule()

    def _line(self, what: str, words: str, style: str = "bold cyan") -> None:
        line = Text(f"{time.monotonic() - self._began:5.1f} s  ", style="dim")
        line.append(f"{what:<9}", style=style)
        line.append(f" {escape_line(words)}", style="default")
        self._console.print(line, soft_wrap=True)

    def _wait(self, words: str) -> None:
        if self._console.is_terminal:
            self._waiting = self._console.status(Text(escape_line(words)))
            self._waiting.start()

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def _by_wallet(terms: Terms) -> str:
    """What is proven before the node pays: it asks the chain who holds the agent's token."""
    wallet = f"by the wallet {terms.order.seller_vkey[:16]}…"
    if terms.wallet_named:
        return f"{wallet}, which the registry names"
    return f"{wallet}; that it is the agent's own is for the node to find out as it pays"


def _signed(event: Answered) -> str:
    if event.vouched:
        return "the agent has signed for it, with a key that the seller's wallet vouches for"
    return "the agent has signed for it, with a key that it alone vouches for"


def _standing(record: Record) -> str:
    price = money.told(record.terms.price) if record.terms else "free"
    paid = f"{price}, {'bought' if record.bought else 'maybe not paid'}" if record.terms else price
    until = _until(round(record.deadline * 1000))
    return f"job {record.job_id} at {record.agent_url}: {paid}, result {until}"


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
