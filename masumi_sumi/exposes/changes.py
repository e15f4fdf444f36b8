"""How an expose changes: by an operator's draft, and by what was found on Ray Serve. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from masumi_sumi.exposes.documents import bootstrap_of, card_template
from masumi_sumi.exposes.drafts import Draft, renamed
from masumi_sumi.exposes.model import Expose, ExposeState, FlowMeta, FlowState, flow_path
from masumi_sumi.exposes.ports import FoundFlow

ETAG_STEP = 1e-6
"""Seconds that two changes are apart at least, for their etags to differ."""


def drafted(current: Expose | None, draft: Draft, now: float) -> Expose:
    """The expose that the draft asks for; its etag changes only if something does.

    Raises DocumentInvalid for a bootstrap that names the expose otherwise than it is renamed.
    """
    if current is None:
        state = ExposeState.DEAD if draft.bootstrap else ExposeState.DRAFT
        return _with(Expose(draft.name, now, now, state, now), draft)
    asked = _with(_renamed(current, draft.name), draft)
    if asked == current:
        return current
    state = _state(asked) if asked.name == current.name else _unknown(asked)
    return replace(asked, state=state, updated=_after(current.updated, now))


def merged(
    meta: Iterable[FlowMeta], name: str, found: Iterable[FoundFlow], now: float
) -> tuple[FlowMeta, ...]:
    """The cards of an expose whose app tells these flows.

    What an operator wrote stays to the letter, even of a flow that was not found: it may hold the
    agentIdentifier. A flow without a card, or with an empty one, gets a card of what its app says.
    """
    there = {_key(flow.path): flow for flow in found}
    cards = [_looked_at(card, there.pop(_key(flow_path(card.url)), None), now) for card in meta]
    new = [
        FlowMeta(f"/{name}{flow.path}", card_template(flow), True, FlowState.ALIVE, now, flow.sale)
        for flow in sorted(there.values(), key=lambda flow: flow.path)
    ]
    return tuple(cards + new)


def silent(meta: Iterable[FlowMeta], now: float) -> tuple[FlowMeta, ...]:
    """The cards of an expose that does not run. One not looked at yet stays so."""
    return tuple(
        card if card.state is None else replace(card, state=FlowState.DEAD, heartbeat=now)
        for card in meta
    )


def untold(meta: Iterable[FlowMeta]) -> tuple[FlowMeta, ...]:
    """The cards of an expose whose app did not tell what it sells."""
    return tuple(replace(card, sale=None) for card in meta)


def changed(expose: Expose, meta: tuple[FlowMeta, ...], now: float) -> Expose:
    """The expose with these cards; another etag only where they say something else."""
    said = [(card.url, card.data, card.enabled) for card in meta]
    if said == [(card.url, card.data, card.enabled) for card in expose.meta]:
        return replace(expose, meta=meta)
    return replace(expose, meta=meta, updated=_after(expose.updated, now))


def _looked_at(card: FlowMeta, flow: FoundFlow | None, now: float) -> FlowMeta:
    if flow is None:
        return replace(card, state=FlowState.NOT_FOUND, heartbeat=now, sale=None)
    written = card.data if card.data and card.data.strip() else card_template(flow)
    return replace(card, data=written, state=FlowState.ALIVE, heartbeat=now, sale=flow.sale)


def _key(path: str) -> str:
    return path.strip("/")


def _with(expose: Expose, draft: Draft) -> Expose:
    said: dict[str, Any] = {name: getattr(draft, name) for name in draft.said}
    if "meta" in said:
        said["meta"] = _kept(expose.meta, draft.meta)
    if "bootstrap" not in said and expose.bootstrap:
        bootstrap_of(expose.bootstrap, expose.name)
    return replace(expose, **said)


def _kept(before: tuple[FlowMeta, ...], asked: tuple[FlowMeta, ...]) -> tuple[FlowMeta, ...]:
    """The cards asked for; what was seen of a flow is kept where its card is the same. What its app
    sells hangs on no card: the app that runs goes on selling it."""
    known = {(card.url, card.data, card.enabled): card for card in before}
    sales = {card.url: card.sale for card in before}
    new = [replace(card, sale=sales.get(card.url)) for card in asked]
    return tuple(known.get((card.url, card.data, card.enabled), card) for card in new)


def _renamed(expose: Expose, name: str) -> Expose:
    if name == expose.name:
        return expose
    return replace(expose, name=name, meta=renamed(expose.meta, name), deployed=None)


def _state(expose: Expose) -> ExposeState:
    if not expose.bootstrap:
        return ExposeState.DRAFT
    return ExposeState.DEAD if expose.state is ExposeState.DRAFT else expose.state


def _unknown(expose: Expose) -> ExposeState:
    return ExposeState.DEAD if expose.bootstrap else ExposeState.DRAFT


def _after(before: float, now: float) -> float:
    return max(now, before + ETAG_STEP, math.nextafter(before, math.inf))
