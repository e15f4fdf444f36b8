"""What only looks: resolve, lists, counts and diffs of payments and purchases."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Any

from masumi_sumi.sandbox.errors import Missing
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.ledger import Order
from masumi_sumi.sandbox.model import MANUAL, Row, Side
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.source import V1


def resolve(node: Node, key: SandboxKey, side: Side, form: dict[str, Any]) -> Row:
    """The row of an identifier, V1 or V2."""
    key.check_network(form["network"])
    with node.turn():
        row = node.ledger.find(side, form["blockchainIdentifier"])
        if row is not None and row.network == form["network"] and key.sees(row.source_type):
            contract = form["filterSmartContractAddress"]
            if contract in (None, node.source_of(row).contract_address):
                return row
    raise Missing(f"{side.capitalize()} not found")


def listed(node: Node, key: SandboxKey, side: Side, form: dict[str, Any]) -> list[Row]:
    """Newest first. The row of ``cursorId`` comes again; an unknown cursor finds nothing."""
    with node.turn():
        return list(islice(_matching(node, key, side, form), form["limit"]))


def counted(node: Node, key: SandboxKey, side: Side, form: dict[str, Any]) -> int:
    with node.turn():
        return sum(1 for _ in _matching(node, key, side, form))


def changed(
    node: Node, key: SandboxKey, side: Side, order: Order, form: dict[str, Any]
) -> list[Row]:
    """Rows changed since ``lastUpdate``, inclusive, oldest first by (moment, id)."""
    mark = (form["lastUpdate"], form["cursorId"] or "")
    with node.turn():
        shelves = [
            node.ledger.shelf(side, source).since(order, mark)
            for source in _sources(node, key, form)
        ]
        marks = islice(merge(*shelves), form["limit"])
        return [node.ledger[row_id] for _, row_id in marks]


def _sources(node: Node, key: SandboxKey, form: dict[str, Any]) -> list[str]:
    """The source types a query looks at: V1 unless a filter says otherwise."""
    key.check_network(form["network"])
    kind, contract = form["filterPaymentSourceType"], form["filterSmartContractAddress"]
    return [
        source.type
        for source in node.sources
        if source.network == form["network"]
        and key.sees(source.type)
        and contract in (None, source.contract_address)
        and source.type in ((kind,) if kind else (source.type,) if contract else (V1,))
    ]


def _matching(node: Node, key: SandboxKey, side: Side, form: dict[str, Any]) -> Iterator[Row]:
    until = None
    if form["cursorId"] is not None:
        cursor = node.ledger.get(form["cursorId"])
        if cursor is None:
            return
        until = (cursor.created_at, cursor.id)
    shelves = [
        node.ledger.shelf(side, source).newest(until) for source in _sources(node, key, form)
    ]
    state, search = form["filterOnChainState"], form["searchQuery"]
    for _, row_id in merge(*shelves, reverse=True):
        row = node.ledger[row_id]
        if state is not None and row.state != state:
            continue
        if form["filterNeedsManualAction"] and row.action.requested != MANUAL:
            continue
        if search and not _mentions(row, search.lower()):
            continue
        yield row


def _mentions(row: Row, words: str) -> bool:
    fields = (
        row.id,
        row.identifier,
        row.agent_name,
        row.state,
        row.network,
        row.input_hash,
        row.result_hash,
        row.seller_vkey,
        row.buyer_vkey,
        *(fund.amount for fund in row.funds),
    )
    return any(words in field.lower() for field in fields if field)
