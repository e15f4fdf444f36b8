"""What the panel's exposes sell, as their cards say it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.operator import Operator, panel_url
from masumi_sumi.cli.panel import PanelRefused
from masumi_sumi.cli.ports import is_open
from masumi_sumi.cli.sold import Running, Sold
from masumi_sumi.db import database_url, sqlite_file
from masumi_sumi.errors import DocumentInvalid
from masumi_sumi.exposes import Card, card_of, flow_path
from masumi_sumi.jobs.model import Amount
from masumi_sumi.payments.wire import unit
from masumi_sumi.settings import ENV_FILE, Settings

TIMEOUT = 10.0


@dataclass(slots=True)
class Exposed:
    """``names`` of the exposes that are enabled; ``findings`` of those that cannot be sold so.
    ``unsold`` are those without a network, and ``free`` their flows that a card makes free."""

    names: set[str] = field(default_factory=set)
    unsold: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    sold: list[Sold] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def exposed(settings: Settings) -> Exposed:
    """Nothing where nothing was ever exposed; a finding where the panel cannot be asked."""
    book = sqlite_file(database_url(settings.expose_database_url))
    if book is not None and not book.exists() and not settings.panel:
        return Exposed()
    panel = panel_url(settings, None)
    if not answers(panel):
        words = f"no panel answers at {panel}, so the cards of exposes were not compared"
        return _unread(words, "start it, or set SUMI_PANEL, and look again")
    try:
        with Operator(panel, os.environ, dotenv_values(ENV_FILE), timeout=TIMEOUT) as operator:
            return read(operator.exposes())
    except PanelRefused as error:
        advice = "set KODOSUMI_API_KEY, or SUMI_PANEL to the panel's address"
        return _unread(str(error), advice)
    except (KeyError, TypeError, AttributeError) as error:
        words = f"{panel} answers GET /expose, but not as our panel does: {error!r}"
        return _unread(words, "set SUMI_PANEL to the panel that `masumi-sumi up` started")


def read(exposes: Iterable[Mapping[str, Any]]) -> Exposed:
    """Of exposes as the panel shows them; what is disabled is not sold."""
    found = Exposed()
    for expose in exposes:
        if expose["enabled"]:
            found.names.add(expose["name"])
            _read(expose, found)
    return found


def flows_with_login(cards: Exposed, running: Running) -> Iterator[str]:
    """Ids of running flows that the gateway opens to who is logged in only."""
    for flow, sold in running.items():
        if flow.partition("/")[0] in cards.unsold and (sold is None or flow in cards.free):
            yield flow


def answers(url: str) -> bool:
    """Whether somebody listens there; cheap, so that a doctor is fast where nothing runs."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return is_open(port, parts.hostname or "")
    except (OSError, ValueError):  # its name does not resolve, or it is no address
        return False


def _unread(words: str, advice: str) -> Exposed:
    return Exposed(findings=[Finding("exposes", "beware", words, advice)])


def _read(expose: Mapping[str, Any], found: Exposed) -> None:
    if expose["network"] is None:
        found.unsold.add(expose["name"])
    for meta in expose["meta"] or ():
        if not meta["enabled"]:
            continue
        name = f"{expose['name']}/{flow_path(meta['url']).strip('/')}".rstrip("/")
        try:
            card = card_of(meta["data"], meta["url"])
        except DocumentInvalid as error:
            found.findings.append(Finding(f"flow {name}", "bad", str(error), "correct its card"))
            continue
        if card.pricing == "Free" and expose["network"] is None:
            found.free.add(name)
        if card.agent_identifier:
            _add(name, card, card.agent_identifier, expose["network"], found)


def _add(name: str, card: Card, agent: str, network: str | None, found: Exposed) -> None:
    if network is None:
        words = "its card has an agentIdentifier, but its expose no network: the card sells nothing"
        found.findings.append(Finding(f"flow {name}", "bad", words, "set the expose's network"))
        return
    price = tuple(Amount(str(p["amount"]), unit(p.get("unit", ""))) for p in card.fixed)
    index = card.terms.get("source_index")
    found.sold.append(Sold(name, network, agent, card.sold_at, price, index))
