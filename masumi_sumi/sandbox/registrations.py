"""The registry's calls: list, look at the chain, register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masumi_sumi.sandbox import forms, schema
from masumi_sumi.sandbox.errors import Invalid, Missing
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.model import Fund
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.registry import (
    REQUESTED,
    STATUS,
    Agent,
    Pricing,
    asset_view,
    chain_view,
    check_metadata,
    new_agent,
)
from masumi_sumi.sandbox.source import V1, PaymentSource, by_policy

Values = Mapping[str, Any]


def listed(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    form = schema.read(forms.REGISTRY_LIST, values)
    found = _matching(node, key, form)
    ids = [agent.id for agent, _ in found]
    cursor = form["cursorId"]
    first = 0 if cursor is None else ids.index(cursor) if cursor in ids else len(ids)
    page = found[first : first + form["limit"]]
    return {"Assets": [asset_view(agent, source) for agent, source in page]}


def counted(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    form = schema.read(forms.REGISTRY_LIST, values)
    return {"total": len(_matching(node, key, form))}


def on_chain(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    """What the chain says of an agent, also of one that others registered."""
    form = schema.read(forms.ONE_AGENT, values)
    key.check_network(form["network"])
    with node.turn():
        source = by_policy(node.sources, form["network"], form["agentIdentifier"])
        agent = node.registry.find(form["agentIdentifier"], source) if source else None
    if source is None or agent is None or agent.holder == "nobody":
        raise Missing("Agent identifier not found")
    check_metadata(agent)
    return chain_view(agent, source)


def register(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    """A registration that the chain confirms two blocks later."""
    form = schema.read(forms.REGISTER, values)
    key.check_network(form["network"])
    with node.turn() as now:
        source = _selling_source(node, form)
        price = form["AgentPricing"]
        pricing = Pricing(
            price["pricingType"],
            tuple(Fund.of(fund["amount"], fund["unit"]) for fund in price["Pricing"] or ()),
        )
        if pricing.type == "Fixed" and not pricing.funds:
            raise Invalid("AgentPricing.Pricing: Invalid input: expected array, received undefined")
        agent = new_agent(
            now,
            None,
            source,
            name=form["name"],
            api_base_url=form["apiBaseUrl"],
            description=form["description"],
            tags=tuple(form["Tags"]),
            author=form["Author"]["name"],
            pricing=None if source.is_v2 else pricing,
            offers=(pricing,) if source.is_v2 else (),
            owner=key.id,
            state=REQUESTED,
        )
        node.registry.add(agent)
    return asset_view(agent, source)


def _selling_source(node: Node, form: Mapping[str, Any]) -> PaymentSource:
    kind, vkey = form["paymentSourceType"], form["sellingWalletVkey"]
    for source in node.sources:
        by_wallet = vkey is None or source.selling.vkey == vkey
        by_kind = source.type == kind if kind else vkey is not None or source.type == V1
        if source.network == form["network"] and by_wallet and by_kind:
            return source
    raise Missing("Network and Address combination not supported")


def _matching(
    node: Node, key: SandboxKey, form: dict[str, Any]
) -> list[tuple[Agent, PaymentSource]]:
    """Registrations of the node, newest first; V1 unless a filter says otherwise."""
    key.check_network(form["network"])
    with node.turn():
        agents = node.registry.newest()
    found = []
    for agent in agents:
        source = by_policy(node.sources, form["network"], agent.identifier)
        if source is not None and key.sees(source.type) and _fits(agent, source, form):
            found.append((agent, source))
    return found


def _fits(agent: Agent, source: PaymentSource, form: dict[str, Any]) -> bool:
    exact, search = form["filterAgentIdentifier"], form["searchQuery"]
    if exact is not None and agent.identifier != exact:
        return False
    contract, kind = form["filterSmartContractAddress"], form["filterPaymentSourceType"]
    if contract not in (None, source.contract_address):
        return False
    if kind is None and contract is None and exact is None:
        kind = V1
    if kind not in (None, source.type):
        return False
    status = form["filterStatus"]
    if status is not None and agent.state not in STATUS[status]:
        return False
    words = f"{agent.name} {agent.identifier}"
    return not search or search.lower() in words.lower()
