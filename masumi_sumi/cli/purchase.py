"""What ``buy`` and ``refund`` do, between the buyer and a clerk who tells and asks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from masumi_sumi.buyer import AgentClient, Buyer, Form, Limits, Purchases, money, values
from masumi_sumi.cli.clerks import Clerk, Machine, Terminal
from masumi_sumi.cli.environment import reachable, sandbox_url
from masumi_sumi.cli.foreground import load
from masumi_sumi.cli.ports import is_open
from masumi_sumi.errors import (
    BuyerError,
    FieldsInvalid,
    OfferUnavailable,
    SettingInvalid,
    SumiError,
    TermsRefused,
)
from masumi_sumi.settings import SANDBOX_TOKEN, NodeSettings, Settings

DONE, WENT_WRONG, CORRECT_FIRST, REFUSED = 0, 1, 2, 3

LARGEST_INPUT = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Order:
    """The command's options, as they were given."""

    url: str
    inputs: tuple[str, ...] = ()
    input_json: str | None = None
    answers: tuple[str, ...] = ()
    agent: str = ""
    network: str = "Preprod"
    node: str | None = None
    token: str | None = None
    max_price: tuple[str, ...] = ()
    yes: bool = False
    json: bool = False


def run_buy(order: Order) -> int:
    """The exit code. Everything that goes wrong is told by the clerk."""
    clerk = _clerk(order.json)
    try:
        return asyncio.run(_buy(order, clerk))
    except SumiError as error:
        clerk.failed(error)
        return _code(error, paid=clerk.paid)


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
    try:
        client = _client(load(), network, node, token)
        if client is None:
            raise SettingInvalid("--node", "nothing", f"name the payment node of {network}")
        return asyncio.run(_refund(client, network, blockchain_identifier, cancel, clerk))
    except SumiError as error:
        clerk.failed(error)
        return _code(error, paid=False)


async def _buy(order: Order, clerk: Clerk) -> int:
    limit = dict(money.parse(text) for text in order.max_price) or None
    said, answers = _pairs("--input", order.inputs), _pairs("--answer", order.answers)
    given = _read_json(order.input_json)
    client = _client(load(), order.network, order.node, order.token)
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(AgentClient(order.url))
        node = await stack.enter_async_context(client) if client else None
        buyer = Buyer(
            agent,
            node,
            network=order.network,
            agent_identifier=order.agent,
            limits=Limits(max_price=limit),
        )
        offer = await buyer.offer()
        clerk.offered(offer, order.url)
        given |= read_pairs(offer.form, said)
        hire = await buyer.hire(offer, clerk.fill(offer.form, given, everything=not order.yes))
        clerk.hired(hire)
        if hire.terms is not None and not order.yes and not clerk.agrees(hire.terms, limit):
            return REFUSED

        async def ask(asked: Any) -> Mapping[str, Any]:
            return clerk.ask(asked, answers)

        async for event in hire.run(ask):
            clerk.tell(event)
    return DONE


async def _refund(
    client: Purchases, network: str, identifier: str, cancel: bool, clerk: Clerk
) -> int:
    async with client as node:
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
    return WENT_WRONG if isinstance(error, BuyerError) else CORRECT_FIRST


def _client(
    settings: Settings, network: str, url: str | None, token: str | None
) -> Purchases | None:
    """The node that was named, or the network's own, or the sandbox here if it runs."""
    known = settings.nodes.get(network) or _sandbox(settings, network)
    if url is None and known is None:
        return None
    if url is None and known is not None:
        return Purchases(known.url, token or known.token)
    own = known is not None and _same_place(known.url, url or "")
    key = token or (known.token if known is not None and own else None)
    if key is None:
        raise SettingInvalid("--token", "nothing", "a node needs the key of its buyer")
    return Purchases(url or "", key)


def _sandbox(settings: Settings, network: str) -> NodeSettings | None:
    if network != "Preprod" or not is_open(settings.sandbox_port, reachable(settings.host)):
        return None
    given = {"url": sandbox_url(settings), "token": SANDBOX_TOKEN}
    return NodeSettings.model_validate(given)


def _same_place(one: str, other: str) -> bool:
    """A key goes to its own node only."""
    return urlsplit(one.rstrip("/")) == urlsplit(other.rstrip("/"))


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
