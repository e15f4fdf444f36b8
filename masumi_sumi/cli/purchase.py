"""What ``buy``, ``resume`` and ``refund`` do, between the buyer and a clerk who tells and asks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masumi_sumi.buyer import (
    AgentClient,
    Bought,
    Buyer,
    Form,
    Hire,
    Limits,
    Purchases,
    Refunding,
    cautions,
    money,
    values,
)
from masumi_sumi.cli.clerks import Clerk
from masumi_sumi.cli.foreground import ends_on_signals, load
from masumi_sumi.cli.hires import Hires, Kept, Page
from masumi_sumi.cli.machine import Machine
from masumi_sumi.cli.nodes import client, same_client
from masumi_sumi.cli.terminal import Terminal
from masumi_sumi.errors import (
    AnswerUnverified,
    BuyerError,
    FieldsInvalid,
    HireUnresumable,
    OfferUnavailable,
    PurchaseFailed,
    ResultUnverified,
    SellerFailed,
    SettingInvalid,
    SumiError,
    TermsRefused,
)

DONE, WENT_WRONG, CORRECT_FIRST, REFUSED = 0, 1, 2, 3

LARGEST_INPUT = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Manner:
    """How a hire is paid, followed and told: options that ``buy`` and ``resume`` have in common."""

    answers: tuple[str, ...] = ()
    node: str | None = None
    token: str | None = None
    max_price: tuple[str, ...] = ()
    yes: bool = False
    allow_warnings: bool = False
    json: bool = False

    @property
    def limit(self) -> dict[str, int] | None:
        """Raises SettingInvalid."""
        return dict(money.parse(text) for text in self.max_price) or None


@dataclass(frozen=True, slots=True)
class Order:
    """What ``buy`` was told to buy."""

    url: str
    inputs: tuple[str, ...] = ()
    input_json: str | None = None
    agent: str = ""
    network: str = "Preprod"


def run_buy(order: Order, manner: Manner) -> int:
    """The exit code. Everything that goes wrong is told by the clerk."""
    clerk = _clerk(manner.json)
    return _run(_buy(order, manner, clerk), clerk)


def run_resume(job: str | None, manner: Manner) -> int:
    """Without a job: what is unfinished is listed."""
    clerk = _clerk(manner.json)
    return _run(_resume(job, manner, clerk) if job else _list(clerk), clerk)


def run_refund(
    blockchain_identifier: str,
    network: str,
    *,
    cancel: bool,
    node: str | None,
    token: str | None,
    json: bool,
) -> int:
    clerk = _clerk(json)
    return _run(_refund(network, blockchain_identifier, cancel, node, token, clerk), clerk)


def _run(work: Coroutine[Any, Any, int], clerk: Clerk) -> int:
    """Ctrl-C ends a prompt too, which asyncio's own way with it would not."""
    try:
        with ends_on_signals():
            return asyncio.run(work)
    except SumiError as error:
        clerk.failed(error)
        return _code(error, paid=clerk.paid)


async def _buy(order: Order, manner: Manner, clerk: Clerk) -> int:
    limit = manner.limit
    said, answers = _pairs("--input", order.inputs), _pairs("--answer", manner.answers)
    given = _read_json(order.input_json)
    settings = load()
    node = client(settings, order.network, manner.node, manner.token)
    async with _buyer(
        order.url,
        node,
        network=order.network,
        agent_identifier=order.agent,
        limits=Limits(max_price=limit),
    ) as buyer:
        offer = await buyer.offer()
        clerk.offered(offer, order.url)
        given |= read_pairs(offer.form, said)
        hire = await buyer.hire(offer, clerk.fill(offer.form, given, everything=not manner.yes))
        clerk.hired(hire)
        if not _agreed(hire, manner, limit, clerk):
            return REFUSED
        with Hires(settings.data_dir).begun(hire.record()) as page:
            await _follow(hire, page, answers, clerk)
    return DONE


async def _resume(job: str, manner: Manner, clerk: Clerk) -> int:
    limit, answers, settings = manner.limit, _pairs("--answer", manner.answers), load()
    with Hires(settings.data_dir).taken(job) as (kept, page):
        record = kept.record
        node = same_client(settings, record.network, record.node_url, manner.node, manner.token)
        limits = Limits(max_price=limit)
        async with _buyer(record.agent_url, node, network=record.network, limits=limits) as buyer:
            hire = await _taken_up(buyer, kept, page)
            clerk.resumed(hire, record.agent_url)
            if not hire.is_bought and not _agreed(hire, manner, limit, clerk):
                return REFUSED
            await _follow(hire, page, answers, clerk)
    return DONE


async def _taken_up(buyer: Buyer, kept: Kept, page: Page) -> Hire:
    try:
        return await buyer.resume(kept.raw)
    except TermsRefused as refusal:
        if refusal.term == "times":  # it was not paid, and never will be in time again
            page.end("not paid")
        raise


async def _list(clerk: Clerk) -> int:
    clerk.unfinished([kept.record for kept in Hires(load().data_dir).unfinished()])
    return DONE


def _agreed(hire: Hire, manner: Manner, limit: Mapping[str, int] | None, clerk: Clerk) -> bool:
    """Whether it may be paid. Raises TermsRefused where nobody looks at the warnings."""
    if hire.terms is None:
        return True
    if (manner.yes or manner.json) and not manner.allow_warnings:
        cautions.refuse(hire.cautions)
    return manner.yes or clerk.agrees(hire.terms, limit)


async def _follow(hire: Hire, page: Page, answers: Mapping[str, list[str]], clerk: Clerk) -> None:
    """To the verified result. What stays open says how it is taken up."""
    refunding = False

    async def ask(asked: Any) -> Mapping[str, Any]:
        return clerk.ask(asked, answers)

    try:
        async for event in hire.run(ask):
            if isinstance(event, Bought):
                page.bought()
            refunding = refunding or isinstance(event, Refunding)
            clerk.tell(event)
        page.end("verified")
    except BuyerError as error:
        if _is_over(error, refunding or hire.terms is None):
            page.end(type(error).__name__)
        raise
    finally:
        if not page.ended:
            clerk.interrupted(hire)


def _is_over(error: BuyerError, settled: bool) -> bool:
    """``settled``: nothing was paid, or it was asked back."""
    failed = isinstance(error, SellerFailed | AnswerUnverified | ResultUnverified)
    return isinstance(error, PurchaseFailed) or (failed and settled)


@asynccontextmanager
async def _buyer(url: str, node: Purchases | None, **options: Any) -> AsyncIterator[Buyer]:
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(AgentClient(url))
        entered = await stack.enter_async_context(node) if node else None
        yield Buyer(agent, entered, **options)


async def _refund(
    network: str, identifier: str, cancel: bool, url: str | None, token: str | None, clerk: Clerk
) -> int:
    found = client(load(), network, url, token)
    if found is None:
        raise SettingInvalid("--node", "nothing", f"name the payment node of {network}")
    async with found as node:
        act = node.cancel_refund_request if cancel else node.request_refund
        clerk.refund(await act(network, identifier), cancel=cancel)
    return DONE


def read_pairs(form: Form, said: Mapping[str, list[str]]) -> dict[str, Any]:
    """``KEY=VALUE`` options by the form's types; a key that comes twice is a list of choices.

    Raises FieldsInvalid.
    """
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, texts in said.items():
        try:
            question = form.question(name)
            found[name] = (
                values.typed(question, texts[0])
                if len(texts) == 1
                else values.settled(question, texts)
            )
        except FieldsInvalid as refusal:
            errors |= {each: list(why) for each, why in refusal.errors.items()}
    if errors:
        raise FieldsInvalid(errors)
    return found


def _clerk(as_json: bool) -> Clerk:
    return Machine() if as_json else Terminal()


def _code(error: SumiError, *, paid: bool) -> int:
    if paid:
        return WENT_WRONG
    if isinstance(error, TermsRefused | OfferUnavailable):
        return REFUSED
    if isinstance(error, HireUnresumable):
        return CORRECT_FIRST
    return WENT_WRONG if isinstance(error, BuyerError) else CORRECT_FIRST


def _pairs(option: str, given: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise SettingInvalid(option, pair[:100], "expected KEY=VALUE")
        found.setdefault(name, []).append(value)
    return found


def _read_json(place: str | None) -> dict[str, Any]:
    if place is None:
        return {}
    try:
        text = sys.stdin.read(LARGEST_INPUT) if place == "-" else Path(place).read_text()
        value = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingInvalid("--input-json", place, f"cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise SettingInvalid("--input-json", place, "expected a JSON object")
    return value
